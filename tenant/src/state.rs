//! Turns what the tenant's holder sets into what its server answers: keys, tokens, and the answer for the JWKS.

use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::key::Key;
use crate::limit::Limit;
use crate::token::{AUDIENCE, Token};

/// One tenant, shared by its holder and its server.
pub(crate) struct TenantState {
    domain: String,
    issuer: String,
    jwks_uri: String,
    changing: Mutex<Changing>,
}

/// What changes while the tenant runs.
struct Changing {
    current: Key,
    published: Vec<Key>,
    audience: String,
    answer: Answer,
    fetches: usize,
    limit: Option<Limit>,
    granted: usize,
}

impl TenantState {
    /// A tenant of this name at this host and port that signs with this key. Its JWKS is below the URL.
    pub(crate) fn new(issuer: String, url: &str, domain: String, key: Key) -> TenantState {
        TenantState {
            issuer,
            jwks_uri: format!("{url}.well-known/jwks.json"),
            domain,
            changing: Mutex::new(Changing {
                published: vec![key.clone()],
                current: key,
                audience: AUDIENCE.to_owned(),
                answer: Answer::default(),
                fetches: 0,
                limit: None,
                granted: 0,
            }),
        }
    }

    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn jwks_uri(&self) -> &str {
        &self.jwks_uri
    }

    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": self.changing().published.iter().map(Key::jwk).collect::<Vec<_>>() })
    }

    pub(crate) fn token(&self) -> Token {
        let changing = self.changing();
        Token::new(changing.current.clone(), self.issuer.clone(), changing.audience.clone())
    }

    /// The key that signs now.
    pub(crate) fn key(&self) -> Key {
        self.changing().current.clone()
    }

    /// Makes a key. That takes long, so the server's own thread must not do it.
    pub(crate) fn rotate(&self) -> Key {
        let key = Key::generate_random();
        let mut changing = self.changing();
        changing.published.push(key.clone());
        changing.current = key.clone();
        key
    }

    pub(crate) fn publish(&self, key: &Key) {
        self.changing().published.push(key.clone());
    }

    pub(crate) fn withdraw(&self, kid: &str) {
        self.changing().published.retain(|key| key.kid() != kid);
    }

    /// Takes every key out of the JWKS but the one that the tenant signs with.
    pub(crate) fn withdraw_old(&self) {
        let mut changing = self.changing();
        let current = changing.current.kid().to_owned();
        changing.published.retain(|key| key.kid() == current);
    }

    pub(crate) fn audience(&self) -> String {
        self.changing().audience.clone()
    }

    pub(crate) fn set_audience(&self, audience: &str) {
        audience.clone_into(&mut self.changing().audience);
    }

    pub(crate) fn serve(&self, answer: Answer) {
        self.changing().answer = answer;
    }

    pub(crate) fn fetches(&self) -> usize {
        self.changing().fetches
    }

    pub(crate) fn limit(&self, burst: u32, per_second: u32) {
        self.changing().limit = Some(Limit::new(burst, per_second, Instant::now()));
    }

    pub(crate) fn granted(&self) -> usize {
        self.changing().granted
    }

    /// Counts a request for the JWKS, and returns how to answer it.
    pub(crate) fn count_fetch(&self) -> Answer {
        let mut changing = self.changing();
        changing.fetches += 1;
        if changing.limit.as_mut().is_some_and(|limit| !limit.grants(Instant::now())) {
            return Answer::Body { status: 429, content_type: "text/plain".to_owned(), body: b"too many".to_vec() };
        }
        changing.granted += 1;
        changing.answer.clone()
    }

    fn changing(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock().expect("nobody panics with the state in hand")
    }
}
