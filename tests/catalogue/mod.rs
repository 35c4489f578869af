//! Whatever a caller may send for a token -> what comes of it, and whether it costs a fetch: one row an input, one
//! defect a row. Each token is signed for real, by whoever would sign it.

#![allow(dead_code, reason = "each test binary uses its part")]

mod claims;
mod header;
mod scopes;
mod serialisation;
mod words;

use tenant::{Algorithm, Tenant};

use crate::front_door::*;

/// One input.
pub struct Row {
    pub name: String,
    pub path: &'static str,
    pub authorization: String,
    pub verdict: Verdict,
}

/// What comes of it.
#[derive(Clone, Copy)]
pub enum Verdict {
    /// 200.
    Accepted,
    /// The `Authorization` header itself is refused.
    Words(&'static Refusal),
    /// Refused for what anyone can see without a key.
    Malformed,
    /// Names no key that could be asked for.
    Keyless,
    /// Names a key that the tenant does not publish.
    UnknownKey,
    /// Not signed by the key that it names.
    Forged,
    /// The same, with a payload that is past.
    ForgedAndExpired,
    /// Signed, but no JSON object that could be read.
    NoObject,
    /// Signed, and past.
    Expired,
    /// Signed, with claims that will not do.
    WrongClaims,
    /// Valid, without the scope.
    NotGranted,
}

use Verdict::*;

impl Verdict {
    fn refusal(self) -> Option<&'static Refusal> {
        match self {
            Accepted => None,
            Words(refusal) => Some(refusal),
            Malformed | Forged | ForgedAndExpired | NoObject => Some(&UNPARSABLE),
            Keyless | UnknownKey => Some(&NO_KEY),
            Expired => Some(&EXPIRED),
            WrongClaims => Some(&INVALID_CLAIMS),
            NotGranted => Some(&NO_SCOPE),
        }
    }

    /// The fetches that it costs where no keys are at hand: none for what no key could save.
    pub fn fetches(self) -> usize {
        usize::from(matches!(self, Accepted | UnknownKey | Forged | NotGranted))
    }
}

/// All of them, for tokens issued `now`, in seconds since 1970.
pub fn rows(tenant: &Tenant, now: i64) -> Vec<Row> {
    let tables = [words::rows, header::rows, serialisation::rows, claims::rows, scopes::rows];
    tables.into_iter().flat_map(|rows| rows(tenant, now)).collect()
}

impl Row {
    /// The refusal as the route of the row gives it. `None` where the row is accepted.
    pub fn refusal(&self) -> Option<Refusal> {
        self.verdict.refusal().map(|refusal| refusal.on(self.path))
    }

    /// The same where no keys are at hand: what no key could save gets the refusal of an unknown key.
    pub fn refusal_without_keys(&self) -> Option<Refusal> {
        match self.verdict {
            ForgedAndExpired | NoObject | Expired | WrongClaims => Some(NO_KEY.on(self.path)),
            _ => self.refusal(),
        }
    }

    /// A bearer token for `/api/private`.
    fn new(name: impl Into<String>, token: impl AsRef<str>, verdict: Verdict) -> Self {
        let authorization = format!("Bearer {}", token.as_ref());
        Self { name: name.into(), path: "/api/private", authorization, verdict }
    }
}

/// Signs exactly these strings as a good token is signed.
fn sign(tenant: &Tenant, header: &str, payload: &str) -> String {
    tenant.key().sign(Algorithm::Rs256, header, payload)
}
