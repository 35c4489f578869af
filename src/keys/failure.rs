//! What went wrong with a fetch -> a word of a closed list for the log, and whether it may pass by itself.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::CertificateError;
use rustls::pki_types::InvalidDnsNameError;

use super::set::NoSet;

/// Why a fetch gave no keys. It never quotes what the issuer sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The word for the log. The operating pages say for each what to do.
    pub reason: &'static str,
    /// The status, where there was an answer of another one than 200.
    pub status: Option<StatusCode>,
    /// Whether another attempt may succeed.
    pub passes: bool,
    /// How long the issuer asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The issuer that metadata name, where that is another one.
    pub received: Option<String>,
}

impl Failure {
    /// An attempt took too long.
    pub const TIMEOUT: Self = Self::passing("timeout");
    /// A body of more than 512 KiB.
    pub const TOO_LARGE: Self = Self::lasting("too_large");
    /// An answer where an issuer's metadata should be, but none that says where its keys are.
    pub const NO_METADATA: Self = Self::lasting("no_metadata");
    /// A defect of ours.
    pub const PANIC: Self = Self::lasting("panic");

    /// An answer of another status than 200.
    pub fn status(status: StatusCode, retry_after: Option<Duration>) -> Self {
        let passes = matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504);
        Self { status: Some(status), passes, retry_after, ..Self::lasting("status") }
    }

    /// Metadata of this issuer, in the place of those that were asked for.
    pub fn another_issuer(received: String) -> Self {
        Self { received: Some(received), ..Self::lasting("another_issuer") }
    }

    /// A body that is no set of keys.
    pub fn no_set(no_set: NoSet) -> Self {
        Self::lasting(match no_set {
            NoSet::NoJwks => "no_jwks",
            NoSet::TooManyKeys => "too_many_keys",
            NoSet::NoUsableKey => "no_usable_key",
        })
    }

    fn of_tls(error: &rustls::Error) -> Self {
        use CertificateError::{
            BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, UnknownIssuer,
        };
        use rustls::Error::InvalidCertificate;
        Self::lasting(match error {
            // A CA of the same name with another key signs no less in vain.
            InvalidCertificate(UnknownIssuer | BadSignature) => "certificate_unknown_issuer",
            InvalidCertificate(Expired | ExpiredContext { .. }) => "certificate_expired",
            InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => "certificate_wrong_name",
            _ => "tls",
        })
    }

    const fn passing(reason: &'static str) -> Self {
        Self { reason, status: None, passes: true, retry_after: None, received: None }
    }

    const fn lasting(reason: &'static str) -> Self {
        Self { reason, status: None, passes: false, retry_after: None, received: None }
    }
}

/// A connection that could not be made, or one that broke.
impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return if error.is_connect() { Self::passing("connect_timeout") } else { Self::TIMEOUT };
        }
        let mut cause = error.source();
        while let Some(error) = cause {
            if error.is::<InvalidDnsNameError>() {
                return Self::lasting("name_not_found");
            }
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Self::of_tls(error);
            }
            let socket = error.downcast_ref::<io::Error>();
            match socket.map(io::Error::kind) {
                Some(NAME_NOT_FOUND) => return Self::lasting("name_not_found"),
                Some(io::ErrorKind::ConnectionRefused) => return Self::lasting("refused"),
                Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
                    return Self::passing("unreachable");
                }
                _ => {}
            }
            // What an io::Error wraps is not its source.
            cause = match socket.and_then(io::Error::get_ref) {
                Some(wrapped) => Some(wrapped),
                None => error.source(),
            };
        }
        Self::passing("connection_broke")
    }
}

/// Looks names up as the system does, and says by the kind of its error that it was the look-up that failed.
pub struct Resolver;

/// The kind of that error. No connection fails with it.
const NAME_NOT_FOUND: io::ErrorKind = io::ErrorKind::NotFound;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found =
                tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| io::Error::from(NAME_NOT_FOUND))?;
            Ok(Box::new(found.collect::<Vec<SocketAddr>>().into_iter()) as Addrs)
        })
    }
}
