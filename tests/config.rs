//! Environment variables in, a configuration or a sentence out.

use api_authorization::config::{
    AllowedHeaders, AllowedOrigins, Config, ConfigError, ExpectedClaim, Grants, ResourceUrl,
};
use api_authorization::keys::KeysAt;
use serde_json::json;
use tenant::Key;

/// The good configuration with one variable changed.
fn read(name: &str, value: Option<&str>) -> Result<Config, ConfigError> {
    read_all(&[(name, value)])
}

/// The same with several changed.
fn read_all(changed: &[(&str, Option<&str>)]) -> Result<Config, ConfigError> {
    Config::read(|asked| match (changed.iter().find(|(name, _)| *name == asked), asked) {
        (Some((_, value)), _) => value.map(str::to_owned),
        (None, "AUTH0_DOMAIN") => Some("example.eu.auth0.com".to_owned()),
        (None, "API_AUDIENCE") => Some("https://quickstarts/api".to_owned()),
        _ => None,
    })
}

/// The issuers, each with the place of its keys and whether some are pinned.
fn trusted(changed: &[(&str, &str)]) -> Vec<(String, String, bool)> {
    let changed: Vec<_> = changed.iter().map(|(name, value)| (*name, Some(*value))).collect();
    let config = read_all(&changed).unwrap_or_else(|error| panic!("{changed:?} said: {error}"));
    let issuers = config.issuers.into_iter().map(|issuer| {
        let keys_at = match issuer.keys_at {
            KeysAt::Jwks(uri) => uri.to_string(),
            KeysAt::Discovery(url) => format!("discovery at {url}"),
        };
        (issuer.name, keys_at, issuer.pinned.is_some())
    });
    issuers.collect()
}

#[test]
fn two_variables_are_enough() {
    let config = read("", None).expect("a good configuration");
    assert_eq!(config.audiences, ["https://quickstarts/api"]);
    assert_eq!(config.allowed_origins, AllowedOrigins::Any);
    let AllowedHeaders::List(headers) = config.allowed_headers else { panic!("a list") };
    assert_eq!(headers.len(), 13);
    assert_eq!((config.base_path, config.roots.is_none()), (None, true));
    assert_eq!(config.grants, Grants { scope: true, permissions: false });
    assert_eq!(config.expected_claims, []);
    assert!(!config.anonymous_sessions);
    let jwks_uri = "https://example.eu.auth0.com/.well-known/jwks.json".to_owned();
    assert_eq!(trusted(&[]), [("https://example.eu.auth0.com/".to_owned(), jwks_uri, false)]);
}

#[test]
fn what_is_pasted_is_understood() {
    for (given, issuer) in [
        ("Example.EU.Auth0.com", "https://example.eu.auth0.com/"),
        ("https://example.eu.auth0.com/", "https://example.eu.auth0.com/"),
        ("https://example.eu.auth0.com", "https://example.eu.auth0.com/"),
        (" example.eu.auth0.com\n", "https://example.eu.auth0.com/"),
        ("example.com:443", "https://example.com/"),
        ("127.0.0.1:9010", "https://127.0.0.1:9010/"),
        ("[::1]:9010", "https://[::1]:9010/"),
        ("localhost:9010", "https://localhost:9010/"),
    ] {
        assert_eq!(trusted(&[("AUTH0_DOMAIN", given)])[0].0, issuer, "{given:?}");
    }
    for (given, expected) in [
        ("", ResourceUrl::Off),
        ("off", ResourceUrl::Off),
        (" auto ", ResourceUrl::Auto),
        ("https://api.example.com", ResourceUrl::At("https://api.example.com".to_owned())),
        ("https://api.example.com/", ResourceUrl::At("https://api.example.com/".to_owned())),
        ("https://api.example.com/mcp", ResourceUrl::At("https://api.example.com/mcp".to_owned())),
        ("http://127.0.0.1:8080", ResourceUrl::At("http://127.0.0.1:8080".to_owned())),
    ] {
        assert_eq!(read("RESOURCE_URL", Some(given)).map(|config| config.resource_url), Ok(expected), "{given:?}");
    }
    for (given, base_path) in [("/v1", "/v1"), ("v1/", "/v1"), ("/a/b", "/a/b"), ("/a.b_c~d-e", "/a.b_c~d-e")] {
        let config = read("BASE_PATH", Some(given)).expect("a good base path");
        assert_eq!(config.base_path.as_deref(), Some(base_path), "{given:?}");
    }
    for (given, allowed) in [("allowed", true), (" allowed ", true), ("refused", false), ("", false), (" ", false)] {
        let config = read("ANONYMOUS_SESSIONS", Some(given)).expect("a good word");
        assert_eq!(config.anonymous_sessions, allowed, "{given:?}");
    }
    for uri in ["https://keys.example/jwks", "http://127.0.0.1:9010/jwks", "http://localhost/", "http://[::1]:1/"] {
        assert_eq!(trusted(&[("JWKS_URI", uri)])[0].1, uri);
    }
    for (given, scope, permissions) in [
        ("", true, false),
        ("scope", true, false),
        ("permissions", false, true),
        ("scope,permissions", true, true),
        (" permissions , scope ", true, true),
    ] {
        let grants = read("GRANTS", Some(given)).map(|config| config.grants);
        assert_eq!(grants, Ok(Grants { scope, permissions }), "{given:?}");
    }
    for (changed, audiences) in [
        (
            ("API_AUDIENCE", "https://a.example/, https://quickstarts/api"),
            &["https://a.example/", "https://quickstarts/api"][..],
        ),
        (("API_AUDIENCE", "urn:my-api"), &["urn:my-api"]),
        (("API_AUDIENCE", "your-api"), &["your-api"]),
        (("AUTH0_AUDIENCE", "https://quickstarts/api"), &["https://quickstarts/api"]),
    ] {
        let config = read_all(&[(changed.0, Some(changed.1))]).expect("good audiences");
        assert_eq!(config.audiences, audiences, "{changed:?}");
    }
    let config = read("ALLOWED_HEADERS", Some("authorization, x_y.z-1")).expect("good headers");
    let AllowedHeaders::List(headers) = config.allowed_headers else { panic!("a list") };
    assert_eq!(headers, ["authorization", "x_y.z-1"]);
    let config = read_all(&[("API_AUDIENCE", None), ("AUTH0_AUDIENCE", Some("api"))]).expect("a good audience");
    assert_eq!(config.audiences, ["api"]);
}

/// What is set -> each issuer, where its keys are, and whether some are pinned.
type Row<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, String, bool)]);

#[test]
fn issuers_and_where_their_keys_are() {
    let (a, b) = ("https://a.example/", "https://b.example/pool");
    let jwks = |issuer: &str| format!("{issuer}.well-known/jwks.json");
    let discovery = |issuer: &str| format!("discovery at {issuer}");
    let set = |kid: &str| json!({ "keys": [Key::generate(kid).jwk()] });
    let both = json!({ a: set("1"), b: set("2") }).to_string();
    let one = json!({ b: set("2") }).to_string();
    let plain = set("3").to_string();
    let rows: &[Row] = &[
        (&[("AUTH0_DOMAIN", "a.example")], &[(a, jwks(a), false)]),
        (
            &[("AUTH0_DOMAIN", "a.example , c.example")],
            &[(a, jwks(a), false), ("https://c.example/", jwks("https://c.example/"), false)],
        ),
        (&[("AUTH0_DOMAIN", ""), ("ISSUERS", b)], &[(b, discovery(b), false)]),
        (
            &[("AUTH0_DOMAIN", ""), ("ISSUERS", "https://c.example")],
            &[("https://c.example", discovery("https://c.example/"), false)],
        ),
        (
            &[("AUTH0_DOMAIN", ""), ("ISSUERS", "http://localhost:8000")],
            &[("http://localhost:8000", discovery("http://localhost:8000/"), false)],
        ),
        (&[("AUTH0_DOMAIN", "a.example"), ("ISSUERS", b)], &[(a, jwks(a), false), (b, discovery(b), false)]),
        // One issuer has its keys where it is said, and so have domains that share them.
        (
            &[("AUTH0_DOMAIN", ""), ("ISSUERS", b), ("JWKS_URI", "https://k.example/")],
            &[(b, "https://k.example/".to_owned(), false)],
        ),
        (
            &[("AUTH0_DOMAIN", "a.example,c.example"), ("JWKS_URI", "https://k.example/")],
            &[
                (a, "https://k.example/".to_owned(), false),
                ("https://c.example/", "https://k.example/".to_owned(), false),
            ],
        ),
        (&[("AUTH0_DOMAIN", "a.example"), ("PINNED_JWKS", &plain)], &[(a, jwks(a), true)]),
        (
            &[("AUTH0_DOMAIN", "a.example"), ("ISSUERS", b), ("PINNED_JWKS", &both)],
            &[(a, jwks(a), true), (b, discovery(b), true)],
        ),
        (
            &[("AUTH0_DOMAIN", "a.example"), ("ISSUERS", b), ("PINNED_JWKS", &one)],
            &[(a, jwks(a), false), (b, discovery(b), true)],
        ),
        (&[("AUTH0_DOMAIN", ""), ("ISSUERS", b), ("PINNED_JWKS", &one)], &[(b, discovery(b), true)]),
    ];
    for (changed, issuers) in rows {
        let expected: Vec<_> =
            issuers.iter().map(|(name, at, pinned)| ((*name).to_owned(), at.clone(), *pinned)).collect();
        assert_eq!(trusted(changed), expected, "{changed:?}");
    }
}

#[test]
fn which_origins_are_let_in() {
    let list =
        "https://a.example, http://localhost:3000 ,capacitor://localhost,https://*.b.example,http://*.c.example:8080";
    let config = read("ALLOWED_ORIGINS", Some(list)).expect("good origins");
    let AllowedOrigins::List(origins) = config.allowed_origins else { panic!("a list") };
    for (origin, allowed) in [
        ("https://a.example", true),
        ("http://localhost:3000", true),
        ("capacitor://localhost", true),
        ("https://x.b.example", true),
        ("https://x-1.y_2.b.example", true),
        ("http://x.c.example:8080", true),
        ("http://a.example", false),
        ("https://a.example:8443", false),
        ("https://x.a.example", false),
        // A pattern is for subdomains, and for nothing that only ends alike.
        ("https://b.example", false),
        ("https://.b.example", false),
        ("https://x..b.example", false),
        ("https://xb.example", false),
        ("https://x.b.example:8443", false),
        ("http://x.b.example", false),
        ("https://x.c.example:8080", false),
        ("https://evil.example/.b.example", false),
        ("https://evil.example#.b.example", false),
        ("https://user@x.b.example", false),
        ("https://x.b.example.evil.example", false),
        ("null", false),
        ("", false),
    ] {
        assert_eq!(origins.iter().any(|allowed| allowed.matches(origin.as_bytes())), allowed, "{origin}");
    }
}

#[test]
fn which_claims_are_expected() {
    let json = r#"{"org_id":["org_a","org_b"],"azp":"client","level":3,"https://example.com/beta":true}"#;
    let claim = |name: &str, values: serde_json::Value| ExpectedClaim {
        name: name.to_owned(),
        values: values.as_array().expect("a list").clone(),
    };
    assert_eq!(
        read("EXPECTED_CLAIMS", Some(json)).expect("good claims").expected_claims,
        [
            claim("org_id", json!(["org_a", "org_b"])),
            claim("azp", json!(["client"])),
            claim("level", json!([3])),
            claim("https://example.com/beta", json!([true])),
        ]
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_cannot_be_used_is_named() {
    let many = format!(r#"{{"keys":[{}5]}}"#, "5,".repeat(500));
    let rows: &[(&str, Option<&str>, &str)] = &[
        (
            "AUTH0_DOMAIN",
            None,
            "AUTH0_DOMAIN is not set: set it to your tenant's domain, as example.eu.auth0.com. (Or set ISSUERS ",
        ),
        ("AUTH0_DOMAIN", Some(" "), "AUTH0_DOMAIN is not set: "),
        ("AUTH0_DOMAIN", Some("a b.example"), "AUTH0_DOMAIN is \"a b.example\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("YOUR_DOMAIN"), "AUTH0_DOMAIN is still a tutorial's \"YOUR_DOMAIN\": set it to"),
        ("AUTH0_DOMAIN", Some("https://YOUR_DOMAIN/"), "AUTH0_DOMAIN is still a tutorial's \"https://YOUR_DOMAIN/\": "),
        ("AUTH0_DOMAIN", Some("{yourDomain}"), "AUTH0_DOMAIN is still a tutorial's \"{yourDomain}\": "),
        ("AUTH0_DOMAIN", Some("your-tenant.us.auth0.com"), "AUTH0_DOMAIN is still a tutorial's \"your-tenant.us."),
        ("AUTH0_DOMAIN", Some("\"a.example\""), "AUTH0_DOMAIN is \"\\\"a.example\\\"\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("[\"a.example\"]"), "AUTH0_DOMAIN is \"[\\\"a.example\\\"]\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("{a.example}"), "AUTH0_DOMAIN is \"{a.example}\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("yourdomain.auth0.com"), "AUTH0_DOMAIN is still a tutorial's \"yourdomain.auth0.com\": "),
        ("AUTH0_DOMAIN", Some("$AUTH0_DOMAIN"), "AUTH0_DOMAIN is still a tutorial's \"$AUTH0_DOMAIN\": "),
        ("AUTH0_DOMAIN", Some("%AUTH0_DOMAIN%"), "AUTH0_DOMAIN is still a tutorial's \"%AUTH0_DOMAIN%\": "),
        ("AUTH0_DOMAIN", Some("{yourAuth0Domain}"), "AUTH0_DOMAIN is still a tutorial's \"{yourAuth0Domain}\": "),
        ("AUTH0_DOMAIN", Some("undefined"), "AUTH0_DOMAIN is \"undefined\", which is no domain: "),
        ("AUTH0_DOMAIN", Some(".a.example"), "AUTH0_DOMAIN is \".a.example\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example."), "AUTH0_DOMAIN is \"a.example.\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example,"), "AUTH0_DOMAIN is \"\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example;b.example"), "AUTH0_DOMAIN is \"a.example;b.example\", which is no domain: "),
        (
            "AUTH0_DOMAIN",
            Some("a.example,https://A.example"),
            "AUTH0_DOMAIN names https://a.example/ although it is named before",
        ),
        ("ISSUERS", Some("https://example.eu.auth0.com/"), "ISSUERS names https://example.eu.auth0.com/ although"),
        (
            "ISSUERS",
            Some("b.example"),
            "ISSUERS holds \"b.example\", which is no issuer: set it to https URLs with commas",
        ),
        ("ISSUERS", Some("http://b.example"), "ISSUERS holds \"http://b.example\", which is no issuer: "),
        ("ISSUERS", Some("https://b.example?q"), "ISSUERS holds \"https://b.example?q\", "),
        ("ISSUERS", Some("https://b.example/?q"), "ISSUERS holds \"https://b.example/?q\", "),
        ("ISSUERS", Some("https://b.example/#f"), "ISSUERS holds \"https://b.example/#f\", "),
        ("ISSUERS", Some("https://u@b.example/"), "ISSUERS holds \"https://u@b.example/\", "),
        ("ISSUERS", Some("https://b.example/a/../b"), "ISSUERS holds \"https://b.example/a/../b\", "),
        ("ISSUERS", Some("https://B.example/"), "ISSUERS holds \"https://B.example/\", "),
        ("ISSUERS", Some("https://:p@b.example/"), "ISSUERS holds \"https://:p@b.example/\", "),
        (
            "ISSUERS",
            Some("https://b.example/.well-known/openid-configuration"),
            "ISSUERS holds \"https://b.example/.well-known",
        ),
        ("ISSUERS", Some("https://your-tenant.auth0.com/"), "ISSUERS holds \"https://your-tenant.auth0.com/\", "),
        (
            "ISSUERS",
            Some("https://b.example/oauth2/YOUR_SERVER"),
            "ISSUERS holds \"https://b.example/oauth2/YOUR_SERVER\", ",
        ),
        ("ISSUERS", Some("https://b.example,"), "ISSUERS holds \"\", "),
        ("ISSUERS", Some("\"https://b.example\""), "ISSUERS holds \"\\\"https://b.example\\\"\", "),
        ("ISSUERS", Some("https://\"b.example\""), "ISSUERS holds \"https://\\\"b.example\\\"\", "),
        ("ISSUERS", Some("https://b.example/{pool}"), "ISSUERS holds \"https://b.example/{pool}\", "),
        ("AUTH0_DOMAIN", Some("a.example/path"), "AUTH0_DOMAIN is \"a.example/path\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example//"), "AUTH0_DOMAIN is \"a.example//\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example?q"), "AUTH0_DOMAIN is \"a.example?q\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example#f"), "AUTH0_DOMAIN is \"a.example#f\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("u@a.example"), "AUTH0_DOMAIN is \"u@a.example\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("http://a.example"), "AUTH0_DOMAIN is \"http://a.example\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a.example:99999"), "AUTH0_DOMAIN is \"a.example:99999\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("0x7f.1"), "AUTH0_DOMAIN is \"0x7f.1\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a%2eexample"), "AUTH0_DOMAIN is \"a%2eexample\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("a..example"), "AUTH0_DOMAIN is \"a..example\", which is no domain: "),
        ("AUTH0_DOMAIN", Some("https://"), "AUTH0_DOMAIN is \"https://\", which is no domain: "),
        ("API_AUDIENCE", None, "API_AUDIENCE is not set: set it to your API's identifier, as https://quickstarts/api."),
        ("API_AUDIENCE", Some(""), "API_AUDIENCE is not set: "),
        ("API_AUDIENCE", Some("a b"), "API_AUDIENCE holds \"a b\", which is no identifier: "),
        ("API_AUDIENCE", Some("“https://quickstarts/api”"), "API_AUDIENCE holds \"“https://quickstarts/api”\", "),
        ("API_AUDIENCE", Some("(https://quickstarts/api)"), "API_AUDIENCE holds \"(https://quickstarts/api)\", "),
        (
            "API_AUDIENCE",
            Some("https://YOUR_DOMAIN/api/v2/"),
            "API_AUDIENCE is still a tutorial's \"https://YOUR_DOMAIN/api",
        ),
        ("API_AUDIENCE", Some("YOUR-API-IDENTIFIER"), "API_AUDIENCE is still a tutorial's \"YOUR-API-IDENTIFIER\": "),
        ("API_AUDIENCE", Some("$API_AUDIENCE"), "API_AUDIENCE is still a tutorial's \"$API_AUDIENCE\": "),
        ("API_AUDIENCE", Some("api,"), "API_AUDIENCE holds \"\", which is no identifier: "),
        (
            "API_AUDIENCE",
            Some("YOUR_API_AUDIENCE"),
            "API_AUDIENCE is still a tutorial's \"YOUR_API_AUDIENCE\": set it to",
        ),
        ("API_AUDIENCE", Some("YOUR_API_IDENTIFIER"), "API_AUDIENCE is still a tutorial's \"YOUR_API_IDENTIFIER\": "),
        ("API_AUDIENCE", Some("{yourApiIdentifier}"), "API_AUDIENCE is still a tutorial's \"{yourApiIdentifier}\": "),
        ("API_AUDIENCE", Some("{yourApiAudience}"), "API_AUDIENCE is still a tutorial's \"{yourApiAudience}\": "),
        ("API_AUDIENCE", Some("your-audience"), "API_AUDIENCE is still a tutorial's \"your-audience\": "),
        (
            "API_AUDIENCE",
            Some("\"https://quickstarts/api\""),
            "API_AUDIENCE holds \"\\\"https://quickstarts/api\\\"\", which is no",
        ),
        (
            "API_AUDIENCE",
            Some("'https://quickstarts/api'"),
            "API_AUDIENCE holds \"'https://quickstarts/api'\", which is no",
        ),
        (
            "API_AUDIENCE",
            Some("[\"https://quickstarts/api\"]"),
            "API_AUDIENCE holds \"[\\\"https://quickstarts/api\\\"]\", ",
        ),
        ("API_AUDIENCE", Some("{https://quickstarts/api}"), "API_AUDIENCE holds \"{https://quickstarts/api}\", "),
        (
            "AUTH0_AUDIENCE",
            Some("other"),
            "AUTH0_AUDIENCE is \"other\" and API_AUDIENCE is \"https://quickstarts/api\": ",
        ),
        ("GRANTS", Some("scopes"), "GRANTS holds \"scopes\": set it to scope, to permissions, or to scope,permissions"),
        ("GRANTS", Some("scope permissions"), "GRANTS holds \"scope permissions\": "),
        ("GRANTS", Some("scope,"), "GRANTS holds \"\": "),
        (
            "EXPECTED_CLAIMS",
            Some("org_id=org_a"),
            "EXPECTED_CLAIMS is \"org_id=org_a\", which is no JSON object: set it to a JSON object of claims",
        ),
        ("EXPECTED_CLAIMS", Some("[\"org_id\"]"), "EXPECTED_CLAIMS is \"[\\\"org_id\\\"]\", which is no JSON object: "),
        ("EXPECTED_CLAIMS", Some("{}"), "EXPECTED_CLAIMS names no claim: "),
        ("EXPECTED_CLAIMS", Some(r#"{"org_id":[]}"#), "EXPECTED_CLAIMS has a value of \"org_id\" that no claim can be"),
        (
            "EXPECTED_CLAIMS",
            Some(r#"{"org_id":null}"#),
            "EXPECTED_CLAIMS has a value of \"org_id\" that no claim can be",
        ),
        (
            "EXPECTED_CLAIMS",
            Some(r#"{"act":{"sub":"a"}}"#),
            "EXPECTED_CLAIMS has a value of \"act\" that no claim can be",
        ),
        (
            "EXPECTED_CLAIMS",
            Some(r#"{"org_id":["org_a",null]}"#),
            "EXPECTED_CLAIMS has a value of \"org_id\" that no claim can be",
        ),
        ("EXPECTED_CLAIMS", Some(r#"{"a":"b","a":"c"}"#), "EXPECTED_CLAIMS names \"a\" repeatedly: "),
        ("EXPECTED_CLAIMS", Some(r#"{"aud":"api"}"#), "EXPECTED_CLAIMS names \"aud\", which is judged anyway: "),
        ("EXPECTED_CLAIMS", Some(r#"{"iss":"a"}"#), "EXPECTED_CLAIMS names \"iss\", which is judged anyway: "),
        ("EXPECTED_CLAIMS", Some(r#"{"exp":1}"#), "EXPECTED_CLAIMS names \"exp\", which is judged anyway: "),
        ("EXPECTED_CLAIMS", Some(r#"{"nbf":1}"#), "EXPECTED_CLAIMS names \"nbf\", which is judged anyway: "),
        ("EXPECTED_CLAIMS", Some(r#"{"iat":1}"#), "EXPECTED_CLAIMS names \"iat\", which is judged anyway: "),
        ("JWKS_URI", Some("http://a.example/jwks"), "JWKS_URI is \"http://a.example/jwks\": set it to one https URL"),
        ("JWKS_URI", Some("http://127.0.0.1.example/"), "JWKS_URI is \"http://127.0.0.1.example/\": "),
        ("JWKS_URI", Some("file:///etc/passwd"), "JWKS_URI is \"file:///etc/passwd\": "),
        (
            "JWKS_URI",
            Some("https://a.example/j,https://b.example/j"),
            "JWKS_URI is \"https://a.example/j,https://b.example/j\": ",
        ),
        ("JWKS_URI", Some("https://a.example/a b"), "JWKS_URI is \"https://a.example/a b\": "),
        ("JWKS_URI", Some("https://a.example/\"jwks\""), "JWKS_URI is \"https://a.example/\\\"jwks\\\"\": "),
        ("JWKS_URI", Some("https://a.example/{tenant"), "JWKS_URI is \"https://a.example/{tenant\": "),
        ("JWKS_URI", Some("https://a.example/tenant}"), "JWKS_URI is \"https://a.example/tenant}\": "),
        ("JWKS_URI", Some("https://a.example/<tenant"), "JWKS_URI is \"https://a.example/<tenant\": "),
        ("JWKS_URI", Some("https://a.example/tenant>"), "JWKS_URI is \"https://a.example/tenant>\": "),
        ("JWKS_URI", Some("https://a.example/'jwks'"), "JWKS_URI is \"https://a.example/'jwks'\": "),
        ("JWKS_URI", Some("https://u:p@a.example/jwks"), "JWKS_URI is \"https://u:p@a.example/jwks\": "),
        (
            "JWKS_URI",
            Some("https://YOUR_DOMAIN/.well-known/jwks.json"),
            "JWKS_URI is \"https://YOUR_DOMAIN/.well-known/",
        ),
        ("JWKS_URI", Some("jwks"), "JWKS_URI is \"jwks\": "),
        (
            "PINNED_JWKS",
            Some("{}"),
            "PINNED_JWKS cannot be used (it is no JSON object with a list of keys): set it to the JSON of a JWKS",
        ),
        (
            "PINNED_JWKS",
            Some(r#"{"keys":[]}"#),
            "PINNED_JWKS cannot be used (none of its keys can verify an access token): ",
        ),
        ("PINNED_JWKS", Some(&many), "PINNED_JWKS cannot be used (it has more than 500 keys): "),
        (
            "SSL_CERT_FILE",
            Some("/nowhere.pem"),
            "SSL_CERT_FILE is \"/nowhere.pem\", where no PEM certificates can be read: ",
        ),
        ("SSL_CERT_FILE", Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")), "SSL_CERT_FILE is "),
        ("ALLOWED_ORIGINS", Some(""), "ALLOWED_ORIGINS holds \"\", which is no origin: set it to * or"),
        ("ALLOWED_ORIGINS", Some("https://a.example,*"), "ALLOWED_ORIGINS holds \"*\", which is no origin: "),
        ("ALLOWED_ORIGINS", Some("https://a.example/"), "ALLOWED_ORIGINS holds \"https://a.example/\", "),
        ("ALLOWED_ORIGINS", Some("https://A.example"), "ALLOWED_ORIGINS holds \"https://A.example\", "),
        ("ALLOWED_ORIGINS", Some("https://a.example:443"), "ALLOWED_ORIGINS holds \"https://a.example:443\", "),
        ("ALLOWED_ORIGINS", Some("https://u@a.example"), "ALLOWED_ORIGINS holds \"https://u@a.example\", "),
        ("ALLOWED_ORIGINS", Some("https://a.*.example"), "ALLOWED_ORIGINS holds \"https://a.*.example\", "),
        ("ALLOWED_ORIGINS", Some("https://*a.example"), "ALLOWED_ORIGINS holds \"https://*a.example\", "),
        ("ALLOWED_ORIGINS", Some("https://*.*.example"), "ALLOWED_ORIGINS holds \"https://*.*.example\", "),
        ("ALLOWED_ORIGINS", Some("\"https://a.example\""), "ALLOWED_ORIGINS holds \"\\\"https://a.example\\\"\", "),
        ("ALLOWED_ORIGINS", Some("https://\"a.example\""), "ALLOWED_ORIGINS holds \"https://\\\"a.example\\\"\", "),
        ("ALLOWED_ORIGINS", Some("https://a..example"), "ALLOWED_ORIGINS holds \"https://a..example\", "),
        ("ALLOWED_ORIGINS", Some("https://*."), "ALLOWED_ORIGINS holds \"https://*.\", "),
        ("ALLOWED_ORIGINS", Some("https://*"), "ALLOWED_ORIGINS holds \"https://*\", "),
        ("ALLOWED_ORIGINS", Some("https://*.a.example/"), "ALLOWED_ORIGINS holds \"https://*.a.example/\", "),
        ("ALLOWED_ORIGINS", Some("capacitor://*.a.example"), "ALLOWED_ORIGINS holds \"capacitor://*.a.example\", "),
        ("ALLOWED_ORIGINS", Some("capacitor://Localhost"), "ALLOWED_ORIGINS holds \"capacitor://Localhost\", "),
        ("ALLOWED_HEADERS", Some("authorization,"), "ALLOWED_HEADERS holds \"\", which is no header: set it to * or"),
        (
            "ALLOWED_HEADERS",
            Some("authorization content-type"),
            "ALLOWED_HEADERS holds \"authorization content-type\", ",
        ),
        ("ALLOWED_HEADERS", Some("'authorization'"), "ALLOWED_HEADERS holds \"'authorization'\", "),
        ("ALLOWED_HEADERS", Some("authorization,*"), "ALLOWED_HEADERS holds \"*\", "),
        ("ALLOWED_ORIGINS", Some("a.example"), "ALLOWED_ORIGINS holds \"a.example\", "),
        ("ALLOWED_ORIGINS", Some("null"), "ALLOWED_ORIGINS holds \"null\", "),
        ("ALLOWED_ORIGINS", Some("https://a.example,"), "ALLOWED_ORIGINS holds \"\", "),
        (
            "RESOURCE_URL",
            Some("api.example.com"),
            "RESOURCE_URL is \"api.example.com\": set it to auto, to off, or to the",
        ),
        ("RESOURCE_URL", Some("http://api.example.com"), "RESOURCE_URL is \"http://api.example.com\": "),
        ("RESOURCE_URL", Some("https://api.example.com?q"), "RESOURCE_URL is \"https://api.example.com?q\": "),
        ("RESOURCE_URL", Some("https://api.example.com/#f"), "RESOURCE_URL is \"https://api.example.com/#f\": "),
        ("RESOURCE_URL", Some("https://u@api.example.com"), "RESOURCE_URL is \"https://u@api.example.com\": "),
        ("RESOURCE_URL", Some("https://API.example.com"), "RESOURCE_URL is \"https://API.example.com\": "),
        ("RESOURCE_URL", Some("Auto"), "RESOURCE_URL is \"Auto\": "),
        ("BASE_PATH", Some("/"), "BASE_PATH is \"/\": set it to the path of your custom domain's mapping, as /v1"),
        ("BASE_PATH", Some("\"/v1\""), "BASE_PATH is \"\\\"/v1\\\"\": "),
        ("BASE_PATH", Some("/v1,/v2"), "BASE_PATH is \"/v1,/v2\": "),
        ("BASE_PATH", Some("/{stage}"), "BASE_PATH is \"/{stage}\": "),
        ("BASE_PATH", Some("/YOUR_PATH"), "BASE_PATH is \"/YOUR_PATH\": "),
        ("BASE_PATH", Some("/a//b"), "BASE_PATH is \"/a//b\": "),
        ("BASE_PATH", Some("/a?b"), "BASE_PATH is \"/a?b\": "),
        (
            "ANONYMOUS_SESSIONS",
            Some("true"),
            "ANONYMOUS_SESSIONS is \"true\": set it to allowed or refused, or leave it out",
        ),
        ("ANONYMOUS_SESSIONS", Some("Allowed"), "ANONYMOUS_SESSIONS is \"Allowed\": "),
    ];
    for (name, value, sentence) in rows {
        let error = read(name, *value).map(|_| "accepted").expect_err(sentence).to_string();
        assert!(error.starts_with(sentence), "{name}={value:?} said: {error}");
    }
    for sign in "\"'`“”„‘’«»(){}[]<>;".chars() {
        let value = format!("https://quickstarts{sign}/api");
        let error = read("API_AUDIENCE", Some(&value)).map(|_| sign).expect_err("a sign of no identifier").to_string();
        assert!(error.contains("which is no identifier: "), "{value} said: {error}");
    }
}

#[test]
fn settings_that_do_not_go_together() {
    let set = json!({ "keys": [Key::generate("k").jwk()] });
    let (plain, another) = (set.to_string(), json!({ "https://c.example/": set }).to_string());
    let repeated = format!(r#"{{"https://example.eu.auth0.com/":{set},"https://example.eu.auth0.com/":{set}}}"#);
    let rows: &[(&[(&str, Option<&str>)], &str)] = &[
        (
            &[("AUTH0_DOMAIN", Some("a.example,b.example")), ("PINNED_JWKS", Some(&plain))],
            "PINNED_JWKS does not say whose keys it holds, and there are several issuers: ",
        ),
        (&[("PINNED_JWKS", Some(&repeated))], "PINNED_JWKS names \"https://example.eu.auth0.com/\" repeatedly: "),
        (&[("PINNED_JWKS", Some(&another))], "PINNED_JWKS has keys of \"https://c.example/\", which is no issuer of"),
        (
            &[("ISSUERS", Some("https://b.example")), ("JWKS_URI", Some("https://k.example/"))],
            "JWKS_URI is set for several issuers: it is for one, or for domains of AUTH0_DOMAIN that share their keys.",
        ),
        (&[("AUTH0_DOMAIN", None), ("ISSUERS", Some(" "))], "AUTH0_DOMAIN is not set: "),
    ];
    for (changed, sentence) in rows {
        let error = read_all(changed).map(|_| "accepted").expect_err(sentence).to_string();
        assert!(error.starts_with(sentence), "{changed:?} said: {error}");
    }
}
