//! [`Claims`] and the scopes that a route requires -> go on, or 403.

use crate::error::ApiError;
use crate::token::Claims;

/// The `scope` claim: what the token's holder was granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// Takes the text of a `scope` claim (RFC 8693, section 4.2).
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The scopes one by one. Only 0x20 separates them (RFC 6749, section 3.3); empty words do not count.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|word| !word.is_empty())
    }

    /// Whether `scope` was granted: a whole word, case-sensitively.
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|word| word == scope)
    }
}

/// Lets a request pass whose token grants every scope of `required`; none required, all pass.
///
/// # Errors
/// [`ApiError::InsufficientScope`], which names all that the route requires (RFC 6750, section 3.1).
pub fn require_scopes(claims: &Claims, required: &'static [&'static str]) -> Result<(), ApiError> {
    if required.iter().all(|scope| claims.scope().contains(scope)) {
        Ok(())
    } else {
        Err(ApiError::InsufficientScope(required))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_between_single_blanks() {
        let rows = [
            ("read:messages", true),
            ("openid read:messages profile", true),
            ("  openid   read:messages ", true),
            ("", false),
            (" ", false),
            ("read:messages2", false),
            ("xread:messages", false),
            ("read:message", false),
            ("READ:messages", false),
            ("read: messages", false),
            ("openid\tread:messages", false),
            ("openid\nread:messages", false),
            ("openid\u{a0}read:messages", false),
            ("openid,read:messages", false),
            ("openid+read:messages", false),
            ("read:mess\u{430}ges", false),
            ("read:messages\u{200b}", false),
        ];
        for (scope, granted) in rows {
            assert_eq!(Scope::new(scope.to_owned()).contains("read:messages"), granted, "{scope:?}");
        }
        assert!(!Scope::new(" ".to_owned()).contains(""), "an empty word is no scope");
    }
}
