//! An issuer's URL -> where its metadata may stand, and what that says of the place of its keys.

use reqwest::Url;
use serde::Deserialize;

use super::failure::Failure;
use super::fetch::{is_loopback, is_trustworthy};
use super::set::object;

/// Where the metadata may stand, in the order in which the places are tried: RFC 8414 (section 3.1) puts its path between host and
/// path, OpenID Connect Discovery (section 4) puts its own behind the path, and some issuers put that one between, too.
pub fn places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let paths = [
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
        format!("{path}/.well-known/openid-configuration"),
    ];
    let mut places = Vec::new();
    for path in paths {
        let mut place = issuer.clone();
        place.set_path(&path);
        // Two of them are one, where the issuer has no path.
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The address of the issuer's JWKS, as its metadata says.
///
/// # Errors
/// Where this is no metadata, that of another issuer, or a JWKS that anybody on the way could change.
pub fn jwks_uri(metadata: &[u8], issuer: &str, at: &Url) -> Result<Url, Failure> {
    let Metadata { issuer: received, jwks_uri } = object(metadata).ok_or(Failure::NO_METADATA)?;
    // RFC 8414, section 3.3: else whoever writes one issuer's metadata could name the keys of another.
    if received != issuer {
        return Err(Failure::another_issuer(received));
    }
    // Plain http is for an issuer on loopback whose keys are there, too.
    let uri = Url::parse(&jwks_uri).ok().filter(is_trustworthy);
    uri.filter(|uri| uri.scheme() == "https" || is_loopback(at)).ok_or(Failure::NO_METADATA)
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}
