//! Turns an address into a running tenant, whose keys and answers its holder turns at will.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::http::Uri;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::answer::{self, Answer};
use crate::key::random_kid;
use crate::playground;
use crate::server::Server;
use crate::tls::{Ca, Certificate};
use crate::{AUDIENCE, Key, Token};

/// A running tenant. It accepts connections from the start; dropping it closes its port and its connections.
///
/// The `async` constructors want a tokio runtime, and the `blocking_` ones none.
pub struct Tenant {
    shared: Arc<Shared>,
    ca: Option<Ca>,
    _server: Server,
}

impl Tenant {
    /// At a free port of this machine, over plain http.
    pub async fn http() -> Tenant {
        spawn_blocking(Tenant::blocking_http).await.expect("a tenant starts")
    }

    /// At a free port of this machine, over TLS: [`Tenant::ca_file`] vouches for 127.0.0.1 and localhost.
    pub async fn https() -> Tenant {
        spawn_blocking(Tenant::blocking_https).await.expect("a tenant starts")
    }

    /// At this address, over plain http.
    ///
    /// # Errors
    /// Where the address cannot be had: a port that is taken, for one.
    pub async fn bind(address: SocketAddr) -> io::Result<Tenant> {
        spawn_blocking(move || Tenant::start(address, false, new_key(), None)).await.expect("it starts or says why not")
    }

    /// [`Tenant::bind`], with a page at `/` that calls the function at this URL and turns the tenant's keys and answers.
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub async fn bind_with_playground(address: SocketAddr, function: Uri) -> io::Result<Tenant> {
        let start = move || Tenant::start(address, false, new_key(), Some(function));
        spawn_blocking(start).await.expect("it starts or says why not")
    }

    /// [`Tenant::http`] outside of a runtime.
    pub fn blocking_http() -> Tenant {
        Tenant::start(FREE_PORT, false, new_key(), None).expect("this machine has a free port")
    }

    /// [`Tenant::blocking_http`] with this key: for tests that want many tenants, and have no time to make a key for each.
    pub fn blocking_http_with(key: &Key) -> Tenant {
        Tenant::start(FREE_PORT, false, key.clone(), None).expect("this machine has a free port")
    }

    /// [`Tenant::https`] outside of a runtime.
    pub fn blocking_https() -> Tenant {
        Tenant::start(FREE_PORT, true, new_key(), None).expect("this machine has a free port")
    }

    /// What to set `AUTH0_DOMAIN` to: host and port.
    pub fn domain(&self) -> String {
        self.shared.domain.clone()
    }

    /// The `iss` of its tokens. It says https even where the tenant serves plain http, because that is what
    /// follows from a domain.
    pub fn issuer(&self) -> String {
        self.shared.issuer.clone()
    }

    /// Where its JWKS is, with the scheme that it is really served over.
    pub fn jwks_uri(&self) -> String {
        self.shared.jwks_uri.clone()
    }

    /// The certificate of its CA in PEM; over plain http there is none.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca.as_ref().map(|ca| ca.pem.as_str())
    }

    /// A file with [`Tenant::ca_pem`], for `SSL_CERT_FILE`. It goes when the tenant is dropped.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.ca.as_ref().map(|ca| ca.file.clone())
    }

    /// The key it signs with now.
    pub fn key(&self) -> Key {
        self.shared.key()
    }

    /// Signs with a new key from now on, published beside the old ones. Returns it.
    pub fn rotate(&self) -> Key {
        self.shared.rotate()
    }

    /// Adds a key to the JWKS without signing with it. A `kid` that is there already is then there twice.
    pub fn publish(&self, key: &Key) {
        self.shared.state().published.push(key.clone());
    }

    /// Takes every key of this `kid` out of the JWKS. If it is the one that the tenant signs with, it goes on doing so.
    pub fn withdraw(&self, kid: &str) {
        self.shared.state().published.retain(|key| key.kid() != kid);
    }

    /// The JWKS that it serves now, if it is not set to another [`Answer`].
    pub fn jwks(&self) -> Value {
        self.shared.jwks()
    }

    /// How it answers for its JWKS from now on.
    pub fn serve(&self, answer: Answer) {
        self.shared.serve(answer);
    }

    /// How often its JWKS was asked for, however that was answered.
    pub fn fetches(&self) -> usize {
        self.shared.fetches()
    }

    /// The API that its tokens are for from now on, in place of [`AUDIENCE`].
    pub fn set_audience(&self, audience: &str) {
        audience.clone_into(&mut self.shared.state().audience);
    }

    /// Begins a token with the current key: issued now, and good in all.
    pub fn token(&self) -> Token {
        self.shared.token()
    }

    fn start(address: SocketAddr, over_tls: bool, key: Key, playground: Option<Uri>) -> io::Result<Tenant> {
        let listener = TcpListener::bind(address)?;
        let ca = over_tls.then(Ca::new);
        let acceptor = ca.as_ref().map(|ca| ca.acceptor(Certificate::Good));
        let domain = listener.local_addr()?.to_string();
        let scheme = if over_tls { "https" } else { "http" };
        let shared = Arc::new(Shared {
            issuer: format!("https://{domain}/"),
            jwks_uri: format!("{scheme}://{domain}/.well-known/jwks.json"),
            domain,
            state: Mutex::new(State {
                published: vec![key.clone()],
                current: key,
                audience: AUDIENCE.to_owned(),
                answer: Answer::default(),
                fetches: 0,
            }),
        });
        let mut router = answer::router(shared.clone());
        if let Some(function) = playground {
            router = router.merge(playground::router(shared.clone(), &function));
        }
        let server = Server::start(listener, acceptor, router)?;
        Ok(Tenant { shared, ca, _server: server })
    }
}

/// What the tenant's holder turns and its server reads.
pub(crate) struct Shared {
    domain: String,
    pub(crate) issuer: String,
    pub(crate) jwks_uri: String,
    state: Mutex<State>,
}

struct State {
    current: Key,
    published: Vec<Key>,
    audience: String,
    answer: Answer,
    fetches: usize,
}

impl Shared {
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": self.state().published.iter().map(Key::jwk).collect::<Vec<_>>() })
    }

    pub(crate) fn token(&self) -> Token {
        let state = self.state();
        Token::new(state.current.clone(), self.issuer.clone(), state.audience.clone())
    }

    /// The key it signs with now.
    pub(crate) fn key(&self) -> Key {
        self.state().current.clone()
    }

    pub(crate) fn audience(&self) -> String {
        self.state().audience.clone()
    }

    /// Makes a key, which takes its time: not for the server's own thread.
    pub(crate) fn rotate(&self) -> Key {
        let key = new_key();
        let mut state = self.state();
        state.published.push(key.clone());
        state.current = key.clone();
        key
    }

    /// Takes every key out of the JWKS but the one that the tenant signs with.
    pub(crate) fn withdraw_old(&self) {
        let mut state = self.state();
        let current = state.current.kid().to_owned();
        state.published.retain(|key| key.kid() == current);
    }

    pub(crate) fn serve(&self, answer: Answer) {
        self.state().answer = answer;
    }

    pub(crate) fn fetches(&self) -> usize {
        self.state().fetches
    }

    /// Counts a request for the JWKS, and returns how to answer it.
    pub(crate) fn count_fetch(&self) -> Answer {
        let mut state = self.state();
        state.fetches += 1;
        state.answer.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with the state in hand")
    }
}

fn new_key() -> Key {
    Key::generate(&random_kid())
}

pub(crate) const FREE_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
