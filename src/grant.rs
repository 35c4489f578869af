//! What a route requires, against the verified [`Claims`] -> go on, or 403.

use crate::config::Grants;
use crate::error::ApiError;
use crate::token::Claims;

/// What a protected route requires of a valid token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Nothing more.
    Anyone,
    /// Every one of these words.
    AllOf(&'static [&'static str]),
    /// One of these words at least.
    AnyOf(&'static [&'static str]),
}

impl Grant {
    /// The scopes that a challenge names: all of the list, either way.
    pub fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Anyone => &[],
            Self::AllOf(scopes) | Self::AnyOf(scopes) => scopes,
        }
    }
}

/// Passes if the token has what the route requires, in one of the claims that count.
///
/// # Errors
/// [`ApiError::InsufficientScope`].
pub fn require(claims: &Claims, grant: Grant, counts: Grants) -> Result<(), ApiError> {
    let permissions = if counts.permissions { claims.permissions() } else { vec![] };
    let granted = |word: &&str| counts.scope && claims.scope().contains(word) || permissions.contains(word);
    let passes = match grant {
        Grant::Anyone => true,
        Grant::AllOf(scopes) => scopes.iter().all(granted),
        Grant::AnyOf(scopes) => scopes.iter().any(granted),
    };
    if passes { Ok(()) } else { Err(ApiError::InsufficientScope(grant.scopes())) }
}
