//! What a route requires, against the verified [`Claims`] -> go on, or 403.

use crate::error::ApiError;
use crate::token::Claims;

/// What a protected route requires of a valid token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Nothing more.
    Anyone,
    /// Every one of these scopes.
    AllOf(&'static [&'static str]),
    /// One of these scopes at least.
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

/// Passes if the token has what the route requires.
///
/// # Errors
/// [`ApiError::InsufficientScope`].
pub fn require(claims: &Claims, grant: Grant) -> Result<(), ApiError> {
    let granted = |scope: &&str| claims.scope().contains(scope);
    let passes = match grant {
        Grant::Anyone => true,
        Grant::AllOf(scopes) => scopes.iter().all(granted),
        Grant::AnyOf(scopes) => scopes.iter().any(granted),
    };
    if passes { Ok(()) } else { Err(ApiError::InsufficientScope) }
}
