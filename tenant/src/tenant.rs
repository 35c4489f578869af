//! Turns an address into a running stand-in tenant, whose keys and answers its holder changes at will.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::answer::Answer;
use crate::key::Key;
use crate::playground::Function;
use crate::server::{FREE_PORT, Server};
use crate::state::TenantState;
use crate::tls::{Ca, Certificate};
use crate::token::Token;
use crate::{endpoints, playground};

/// A running tenant. It accepts connections from the start; dropping it closes its port and its connections.
///
/// The `async` constructors need a tokio runtime; the `blocking_` ones need none.
pub struct Tenant {
    state: Arc<TenantState>,
    second: Option<Arc<TenantState>>,
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
    /// Where the address cannot be had, such as a port that is taken.
    pub async fn bind(address: SocketAddr) -> io::Result<Tenant> {
        spawn_blocking(move || Tenant::start(address, false, Key::generate_random(), None))
            .await
            .expect("it starts or says why not")
    }

    /// [`Tenant::bind`], with a page at `/` that calls this function and changes the tenant's keys and answers. Below `/second/`
    /// is another tenant, with keys of its own. Where the function's `ISSUERS` are set, both are issuers by the URL where they
    /// are, as discovery wants it.
    ///
    /// # Errors
    /// Where the address cannot be had.
    pub async fn bind_with_playground(address: SocketAddr, function: Function) -> io::Result<Tenant> {
        let start = move || Tenant::start(address, false, Key::generate_random(), Some(function));
        spawn_blocking(start).await.expect("it starts or says why not")
    }

    /// [`Tenant::http`] outside of a runtime.
    pub fn blocking_http() -> Tenant {
        Tenant::start(FREE_PORT, false, Key::generate_random(), None).expect("this machine has a free port")
    }

    /// [`Tenant::blocking_http`] with this key, for tests that want many tenants: making a key for each takes too long.
    pub fn blocking_http_with(key: &Key) -> Tenant {
        Tenant::start(FREE_PORT, false, key.clone(), None).expect("this machine has a free port")
    }

    /// [`Tenant::https`] outside of a runtime.
    pub fn blocking_https() -> Tenant {
        Tenant::start(FREE_PORT, true, Key::generate_random(), None).expect("this machine has a free port")
    }

    /// What to set `AUTH0_DOMAIN` to: host and port.
    pub fn domain(&self) -> String {
        self.state.domain().to_owned()
    }

    /// The `iss` of its tokens. It is an https URL even where the tenant serves plain http, as the function makes it of a
    /// domain.
    pub fn issuer(&self) -> String {
        self.state.issuer().to_owned()
    }

    /// Where its JWKS is, with the scheme that the JWKS is served over.
    pub fn jwks_uri(&self) -> String {
        self.state.jwks_uri().to_owned()
    }

    /// The certificate of its CA in PEM. `None` over plain http.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca.as_ref().map(|ca| ca.pem.as_str())
    }

    /// A file with [`Tenant::ca_pem`], for `SSL_CERT_FILE`. The file is removed when the tenant is dropped.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.ca.as_ref().map(|ca| ca.file.clone())
    }

    /// The key that signs now.
    pub fn key(&self) -> Key {
        self.state.key()
    }

    /// Signs with a new key from now on, published beside the old ones. Returns it.
    pub fn rotate(&self) -> Key {
        self.state.rotate()
    }

    /// Adds a key to the JWKS without signing with it. A `kid` that is there already is then repeated.
    pub fn publish(&self, key: &Key) {
        self.state.publish(key);
    }

    /// Takes every key of this `kid` out of the JWKS. If it is the one that the tenant signs with, it goes on doing so.
    pub fn withdraw(&self, kid: &str) {
        self.state.withdraw(kid);
    }

    /// The JWKS that it serves now, if it is not set to another [`Answer`].
    pub fn jwks(&self) -> Value {
        self.state.jwks()
    }

    /// How it answers for its JWKS from now on.
    pub fn serve(&self, answer: Answer) {
        self.state.serve(answer);
    }

    /// How often its JWKS was asked for, however that was answered.
    pub fn fetches(&self) -> usize {
        self.state.fetches()
    }

    /// Grants so many requests for its JWKS at once, and so many more in each second from now on. The rest is answered 429,
    /// whatever [`Tenant::serve`] says.
    pub fn limit(&self, burst: u32, per_second: u32) {
        self.state.limit(burst, per_second);
    }

    /// How many requests for its JWKS were not refused by the limit.
    pub fn granted(&self) -> usize {
        self.state.granted()
    }

    /// The API that its tokens are for from now on, in place of [`AUDIENCE`](crate::token::AUDIENCE).
    pub fn set_audience(&self, audience: &str) {
        for tenant in [&self.state].into_iter().chain(&self.second) {
            tenant.set_audience(audience);
        }
    }

    /// Begins a token with the current key: issued now, and good in all.
    pub fn token(&self) -> Token {
        self.state.token()
    }

    fn start(address: SocketAddr, over_tls: bool, key: Key, playground: Option<Function>) -> io::Result<Tenant> {
        let listener = TcpListener::bind(address)?;
        let ca = over_tls.then(Ca::new);
        let acceptor = ca.as_ref().map(|ca| ca.acceptor(Certificate::Good));
        let domain = listener.local_addr()?.to_string();
        let scheme = if over_tls { "https" } else { "http" };
        let url = format!("{scheme}://{domain}/");
        let by_discovery = playground.as_ref().is_some_and(|function| function.settings.contains_key("ISSUERS"));
        let issuer = if by_discovery { url.clone() } else { format!("https://{domain}/") };
        let state = Arc::new(TenantState::new(issuer, &url, domain.clone(), key));
        let mut router = endpoints::router(Arc::clone(&state));
        let mut second = None;
        if let Some(function) = playground {
            let url = format!("{url}second/");
            let tenant = Arc::new(TenantState::new(url.clone(), &url, domain, Key::generate_random()));
            router = router.nest("/second", endpoints::router(Arc::clone(&tenant))).merge(playground::router(
                Arc::clone(&state),
                Arc::clone(&tenant),
                function,
            ));
            second = Some(tenant);
        }
        let server = Server::start(listener, acceptor, router)?;
        Ok(Tenant { state, second, ca, _server: server })
    }
}
