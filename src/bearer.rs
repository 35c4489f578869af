//! `Authorization` header -> [`BearerToken`].

use lambda_http::http::{HeaderMap, header::AUTHORIZATION};

use crate::error::ApiError;

/// What a caller sent as a bearer token. Nothing of it has been looked at.
///
/// It has no `Debug` and no `Display`, so that it cannot be logged by accident:
///
/// ```compile_fail
/// fn log(token: api_authorization::bearer::BearerToken) {
///     println!("{token:?}");
/// }
/// ```
pub struct BearerToken<'a>(&'a [u8]);

impl<'a> BearerToken<'a> {
    /// The bytes as they were sent. They may be anything but SP, TAB and comma.
    pub fn unverified(&self) -> &'a [u8] {
        self.0
    }
}

/// Takes the bearer token out of a request's headers (RFC 6750, section 2.1).
///
/// # Errors
/// One of the four refusals for the header itself: the first that fits, in the order of the lines below.
pub fn token(headers: &HeaderMap) -> Result<BearerToken<'_>, ApiError> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let line = lines.next().map_or(&[][..], |line| line.as_bytes());
    if lines.next().is_some() {
        return Err(ApiError::NotOneToken);
    }

    // Only ASCII's blanks separate words; a header can hold SP and TAB. With Unicode's, two parsers could read two
    // different tokens.
    let line = line.trim_ascii();
    let (scheme, rest) = line.split_at(line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len()));
    match rest.trim_ascii() {
        _ if scheme.is_empty() => Err(ApiError::AuthorizationMissing),
        _ if !scheme.eq_ignore_ascii_case(b"bearer") => Err(ApiError::NotBearer),
        b"" => Err(ApiError::TokenNotFound),
        // An HTTP API joins repeated headers with a comma, and no token holds a comma.
        token if [b' ', b'\t', b','].iter().any(|byte| token.contains(byte)) => Err(ApiError::NotOneToken),
        token => Ok(BearerToken(token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::http::HeaderValue;

    #[test]
    fn the_words_of_the_header() {
        use ApiError::{AuthorizationMissing, NotBearer, NotOneToken, TokenNotFound};
        let rows: &[(&[&[u8]], Result<&[u8], ApiError>)] = &[
            (&[], Err(AuthorizationMissing)),
            (&[b""], Err(AuthorizationMissing)),
            (&[b" \t "], Err(AuthorizationMissing)),
            (&[b"Basic x"], Err(NotBearer)),
            (&[b"Basic x,y z"], Err(NotBearer)),
            (&[b"DPoP t"], Err(NotBearer)),
            (&[b"Bearert"], Err(NotBearer)),
            (&[b"Bearer,t"], Err(NotBearer)),
            (&[b"t"], Err(NotBearer)),
            (&[b"Bearer\xc2\xa0t"], Err(NotBearer)),
            (&[b"Bearer"], Err(TokenNotFound)),
            (&[b"bearer "], Err(TokenNotFound)),
            (&[b"Bearer a b"], Err(NotOneToken)),
            (&[b"Bearer a, Bearer b"], Err(NotOneToken)),
            (&[b"Bearer a,b"], Err(NotOneToken)),
            (&[b"Bearer a,"], Err(NotOneToken)),
            (&[b"Bearer a", b"Bearer a"], Err(NotOneToken)),
            (&[b"", b""], Err(NotOneToken)),
            (&[b"Basic a", b"Basic a"], Err(NotOneToken)),
            (&[b"Bearer t"], Ok(b"t")),
            (&[b"bearer t"], Ok(b"t")),
            (&[b"BEARER t"], Ok(b"t")),
            (&[b"BeArEr   t  "], Ok(b"t")),
            (&[b"\tBearer\tt"], Ok(b"t")),
            (&[b"Bearer \xff\xfe"], Ok(b"\xff\xfe")),
            (&[b"Bearer a\xc2\xa0b"], Ok(b"a\xc2\xa0b")),
        ];
        for (lines, expected) in rows {
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append(AUTHORIZATION, HeaderValue::from_bytes(line).expect("a header's bytes"));
            }
            assert_eq!(&token(&headers).map(|token| token.unverified()), expected, "{lines:?}");
        }
    }
}
