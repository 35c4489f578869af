//! The issuers that are trusted: a token's `iss` -> the issuer, with its own key store.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::clock::{Clock, Now};
use crate::config::Config;
use crate::keys::{HttpClient, KeyStore, KeysAt, Source};

/// The issuers that are trusted. A handle: clones share the key stores.
#[derive(Clone)]
pub struct Issuers(Arc<[Issuer]>, Clock);

/// One of them.
pub struct Issuer {
    /// What a token's `iss` must be, byte for byte.
    pub name: String,
    /// Its signing keys. None of them verifies a token of another issuer, unless both name one place for their keys.
    pub keys: KeyStore,
}

impl Issuers {
    /// The issuers of the configuration. Those that name the same place for their keys share one key store.
    ///
    /// # Errors
    /// Where the HTTP client cannot be set up.
    pub fn new(config: &Config, clock: &Clock) -> Result<Self, reqwest::Error> {
        let client = HttpClient::new(config.roots.clone())?;
        let mut issuers = Vec::<Issuer>::new();
        for issuer in &config.issuers {
            // By discovery, each finds its own: metadata belong to one name.
            let shares = |other: &&Source| match (&issuer.keys_at, &other.keys_at) {
                (KeysAt::Jwks(uri), KeysAt::Jwks(other)) => uri == other,
                _ => issuer.name == other.name,
            };
            let keys = if let Some((first, _)) = issuers.iter().zip(&config.issuers).find(|(_, other)| shares(other)) {
                first.keys.clone()
            } else {
                let pinned = config.issuers.iter().filter(shares).find_map(|other| other.pinned.clone());
                KeyStore::new(Source { pinned, ..issuer.clone() }, client.clone(), clock.clone())
            };
            issuers.push(Issuer { name: issuer.name.clone(), keys });
        }
        Ok(Self(issuers.into(), clock.clone()))
    }

    /// Fetches the keys of all in the init phase, side by side.
    pub async fn warm_up(&self) {
        let mut stores: Vec<_> = self.0.iter().map(|issuer| &issuer.keys).collect();
        stores.dedup();
        join_all(stores.into_iter().map(KeyStore::warm_up)).await;
    }

    /// The issuer, where one alone is trusted.
    pub fn sole(&self) -> Option<&Issuer> {
        match &*self.0 {
            [sole] => Some(sole),
            _ => None,
        }
    }

    /// The issuer of this name, byte for byte.
    pub fn named(&self, name: &str) -> Option<&Issuer> {
        self.0.iter().find(|issuer| issuer.name == name)
    }

    /// The time, by the clocks that keys are aged by.
    pub fn now(&self) -> Now {
        self.1.now()
    }

    /// The names of all.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|issuer| issuer.name.as_str()).collect()
    }
}
