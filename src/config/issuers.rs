//! `AUTH0_DOMAIN`, `ISSUERS`, `JWKS_URI` and `PINNED_JWKS` -> the issuers that are trusted.

use reqwest::Url;
use serde_json::value::RawValue;

use super::{ConfigError, Members, is_placeholder, list, wrong};
use crate::keys::{JwkSet, KeysAt, NoSet, Source, is_trustworthy};

/// All of them, in the order in which they are given. None comes twice.
pub(super) fn issuers(optional: &impl Fn(&str) -> Option<String>) -> Result<Vec<Source>, ConfigError> {
    let (domains, urls) = (optional("AUTH0_DOMAIN"), optional("ISSUERS"));
    let mut issuers = Vec::<Source>::new();
    let mut trust = |variable: &str, name: String, keys_at| {
        if issuers.iter().any(|issuer| issuer.name == name) {
            return Err(wrong(format!("{variable} names {name} although it is named before: name each issuer once.")));
        }
        issuers.push(Source { name, keys_at, pinned: None });
        Ok(())
    };
    for domain in domains.iter().flat_map(|domains| list(domains)) {
        let name = format!("https://{}/", self::domain(domain)?);
        let keys_at = KeysAt::Jwks(jwks_uri(&format!("{name}.well-known/jwks.json"))?);
        trust("AUTH0_DOMAIN", name, keys_at)?;
    }
    for url in urls.iter().flat_map(|urls| list(urls)) {
        trust("ISSUERS", url.to_owned(), KeysAt::Discovery(issuer_url(url)?))?;
    }
    if issuers.is_empty() {
        return Err(wrong(
            "AUTH0_DOMAIN is not set: set it to your tenant's domain, as example.eu.auth0.com. (Or set ISSUERS to the URLs of \
             issuers that are no domains of Auth0.)",
        ));
    }

    if let Some(uri) = optional("JWKS_URI") {
        let uri = jwks_uri(&uri)?;
        if issuers.len() > 1 && urls.is_some() {
            return Err(wrong(
                "JWKS_URI is set for several issuers: it is for one, or for domains of AUTH0_DOMAIN that share their keys. \
                 Leave it out, and each issuer's own keys are found.",
            ));
        }
        for issuer in &mut issuers {
            issuer.keys_at = KeysAt::Jwks(uri.clone());
        }
    }
    if let Some(value) = optional("PINNED_JWKS") {
        pin(&value, &mut issuers)?;
    }
    Ok(issuers)
}

/// `host` or `host:port`, in lower case. `https://host/`, as it is pasted from a browser, counts as the same.
fn domain(value: &str) -> Result<String, ConfigError> {
    let given = value.to_lowercase();
    let host = given.strip_prefix("https://").unwrap_or(&given);
    let host = host.strip_suffix('/').unwrap_or(host);
    if is_placeholder(host) {
        return Err(wrong(format!(
            "AUTH0_DOMAIN is still a tutorial's {value:?}: set it to your tenant's domain, which the Auth0 dashboard shows \
             under Settings, as example.eu.auth0.com."
        )));
    }
    // A string that the URL parser rewrites is no plain domain: one with a path or userinfo, or another notation of an
    // address.
    match Url::parse(&format!("https://{host}/")).as_ref().map(Url::authority) {
        Ok(plain) if is_domain(host) && (plain == host || format!("{plain}:443") == host) => Ok(plain.to_owned()),
        _ => Err(wrong(format!(
            "AUTH0_DOMAIN is {value:?}, which is no domain: set it to your tenant's domain alone, without a path, a \
             query, a user or quotation marks, as example.eu.auth0.com. Several have commas between them."
        ))),
    }
}

/// A name with a dot in it and without an empty label, `localhost`, or an address.
fn is_domain(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    let labels = name.contains('.') && name.split('.').all(|label| !label.is_empty());
    is_plain(host) && (labels || name == "localhost" || host.starts_with('['))
}

/// The parser lets quotation marks through, and two dots in a row.
pub fn is_plain(authority: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_:[]".contains(c);
    authority.chars().all(plain) && !authority.contains("..")
}

/// An issuer's URL (RFC 8414, section 2).
fn issuer_url(value: &str) -> Result<Url, ConfigError> {
    plain_url(value).filter(|_| !is_placeholder(value) && !value.contains("/.well-known/")).ok_or_else(|| {
        wrong(format!(
            "ISSUERS holds {value:?}, which is no issuer: set it to https URLs with commas between them, each as in the iss \
             of its tokens, without a query, a fragment or the path of its metadata. (Plain http is for loopback hosts alone.)"
        ))
    })
}

/// A URL that others compare byte for byte: without query, fragment and user, and as a URL parser writes it. But a slash behind the
/// host may be there or not.
pub(super) fn plain_url(value: &str) -> Option<Url> {
    Url::parse(value).ok().filter(|url| {
        let bare = url.query().is_none() && url.fragment().is_none();
        let same = url.as_str() == value || url.as_str().strip_suffix('/') == Some(value);
        bare && same && is_plain(url.authority()) && is_trustworthy(url)
    })
}

fn jwks_uri(value: &str) -> Result<Url, ConfigError> {
    let one = !is_placeholder(value) && !value.contains(|c: char| c.is_whitespace() || ",\"'{}<>".contains(c));
    let url = Url::parse(value).ok().filter(|url| one && is_trustworthy(url) && !url.authority().contains('@'));
    url.ok_or_else(|| {
        wrong(format!(
            "JWKS_URI is {value:?}: set it to one https URL, or leave it out to use the issuer's own. (Plain http is for \
             loopback hosts alone: whoever can change the keys on the way can sign tokens.)"
        ))
    })
}

/// One set for one issuer, or an object issuer -> set.
fn pin(value: &str, issuers: &mut [Source]) -> Result<(), ConfigError> {
    if let Ok(Members(sets)) = serde_json::from_str::<Members<Box<RawValue>>>(value)
        && sets.iter().any(|(name, _)| name.contains("://"))
    {
        for (name, set) in sets {
            let Some(issuer) = issuers.iter_mut().find(|issuer| issuer.name == name) else {
                return Err(wrong(format!(
                    "PINNED_JWKS has keys of {name:?}, which is no issuer of AUTH0_DOMAIN or ISSUERS: name each as its tokens do."
                )));
            };
            if issuer.pinned.replace(pinned(set.get())?).is_some() {
                return Err(wrong(format!("PINNED_JWKS names {name:?} repeatedly: put all its keys into one JWKS.")));
            }
        }
        return Ok(());
    }
    let [issuer] = issuers else {
        return Err(wrong(
            "PINNED_JWKS does not say whose keys it holds, and there are several issuers: set it to a JSON object with the JWKS \
             of each issuer under the issuer's name, as `make keys` prints it, or leave it out.",
        ));
    };
    issuer.pinned = Some(pinned(value)?);
    Ok(())
}

fn pinned(jwks: &str) -> Result<JwkSet, ConfigError> {
    JwkSet::parse(jwks.as_bytes()).map_err(|no_set| {
        let reason = match no_set {
            NoSet::NoJwks => "it is no JSON object with a list of keys",
            NoSet::TooManyKeys => "it has more than 500 keys",
            NoSet::NoUsableKey => "none of its keys can verify an access token",
        };
        wrong(format!(
            "PINNED_JWKS cannot be used ({reason}): set it to the JSON of a JWKS with at least one RSA signing key, or \
             leave it out."
        ))
    })
}
