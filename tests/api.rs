//! What a caller sees, row by row, through the front door.

mod front_door;

use api_authorization::token::{self, Claims};
use api_authorization::{bearer, route, routes};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use front_door::*;
use lambda_http::http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};
use serde_json::{Value, json};
use tenant::{Algorithm, Key, Tenant};

const ROUTES: [&str; 3] = ["/api/public", "/api/private", "/api/private-scoped"];

#[tokio::test]
async fn three_endpoints() {
    let api = FrontDoor::open().await;
    let (plain, scoped) = (api.token().sign(), api.token().scope("openid read:messages").sign());

    api.send(&event("GET", "/api/public", &[])).await.greets(PUBLIC);
    api.get("/api/public", "nonsense").await.greets(PUBLIC);
    assert_eq!(api.tenant.fetches(), 0, "a public route needs no keys");
    api.get("/api/private", &plain).await.greets(PRIVATE);
    api.get("/api/private", &scoped).await.greets(PRIVATE);
    api.get("/api/private-scoped", &scoped).await.greets(SCOPED);
    api.get("/api/private-scoped", &plain).await.refuses(&NO_SCOPE, "no scope");
    assert_eq!(api.tenant.fetches(), 1, "one fetch serves them all");
}

/// RFC 6750, section 2: of its three places for a token, the header alone counts.
#[tokio::test]
async fn a_token_in_another_place() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    let bearer = format!("Bearer {token}");
    for (name, value) in [
        ("x-authorization", &bearer),
        ("x-forwarded-authorization", &bearer),
        ("x-amzn-remapped-authorization", &bearer),
        ("proxy-authorization", &bearer),
        ("access_token", &token),
        ("cookie", &format!("access_token={token}; Authorization={bearer}")),
    ] {
        api.send(&event("GET", "/api/private", &[(name, value)])).await.refuses(&HEADER_MISSING, name);
    }
    for (member, value) in [
        ("rawQueryString", json!(format!("access_token={token}"))),
        ("queryStringParameters", json!({ "access_token": token, "authorization": bearer })),
        ("cookies", json!([format!("access_token={token}")])),
        ("body", json!(format!("access_token={token}"))),
        ("stageVariables", json!({ "authorization": bearer })),
    ] {
        let mut event = event("GET", "/api/private", &[]);
        event[member] = value;
        api.send(&event).await.refuses(&HEADER_MISSING, member);
    }
    assert_eq!(api.tenant.fetches(), 0);
}

#[tokio::test]
async fn several_authorization_headers() {
    let api = FrontDoor::open().await;
    let good = format!("Bearer {}", api.token().sign());
    let expired = format!("Bearer {}", api.token().claim("exp", NOW - 60).sign());
    for (row, several) in [
        ("the same again", [&*good, &*good]),
        ("a good one behind another scheme", ["Basic x", &*good]),
        ("another scheme behind a good one", [&*good, "Basic x"]),
        ("a good one behind an expired one", [&*expired, &*good]),
        ("an expired one behind a good one", [&*good, &*expired]),
        ("a good one behind a blank one", ["", &*good]),
        ("a blank one behind a good one", [&*good, ""]),
    ] {
        // A load balancer shows them in one place alone, where it is told to; a REST API shows the last in another, too.
        for (file, also_the_last) in [("alb-private", false), ("rest-private", false), ("rest-private", true)] {
            let mut event = event_file(file);
            event["headers"] = if also_the_last { json!({ "Authorization": several[1] }) } else { json!(null) };
            event["multiValueHeaders"] = json!({ "host": ["api.example.com"], "Authorization": several });
            let row = format!("{file}, {row}, also the last: {also_the_last}");
            api.send(&event).await.refuses(&NOT_BEARER_TOKEN, &row);
        }
    }
    for file in ["alb-private", "rest-private"] {
        let mut event = event_file(file);
        event["headers"] = json!(null);
        event["multiValueHeaders"] = json!({ "host": ["api.example.com"], "authorization": [good] });
        api.send(&event).await.greets_at(PRIVATE, file);
    }
}

/// RFC 6750, section 3: a client learns from the challenge what to ask for.
#[tokio::test]
async fn each_challenge_of_a_scoped_route_names_the_scope() {
    let api = FrontDoor::open().await;
    api.keys.warm_up().await;
    let bearer = |token: String| format!("Bearer {token}");
    for (authorization, refusal) in [
        (String::new(), HEADER_MISSING),
        ("Basic x".to_owned(), NOT_BEARER),
        ("Bearer".to_owned(), TOKEN_NOT_FOUND),
        ("Bearer a b".to_owned(), NOT_BEARER_TOKEN),
        ("Bearer x".to_owned(), UNPARSABLE),
        (bearer(api.token().without_header("kid").sign()), NO_KEY),
        (bearer(api.token().claim("exp", 1).sign()), EXPIRED),
        (bearer(api.token().without_claim("aud").sign()), INVALID_CLAIMS),
        (bearer(api.token().sign()), NO_SCOPE),
    ] {
        let answer = api.send(&event("GET", "/api/private-scoped", &[("authorization", &authorization)])).await;
        answer.refuses(&refusal.on("/api/private-scoped"), refusal.description);
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(challenge.ends_with(r#", scope="read:messages""#), "{challenge}");
    }
}

/// What your own handlers may rely on.
#[tokio::test]
async fn claims_keep_every_member() {
    let api = FrontDoor::open().await;
    let payload = format!(
        r#"{{"iss":"{}","aud":"{}","exp":{},"sub":"auth0|5f7c","scope":"read:messages  openid",
             "act":{{"sub":"gateway","act":{{"sub":"page"}}}},"https://example.com/roles":["admin"],
             "azp":"first","azp":"last","jti":null}}"#,
        api.tenant.issuer(),
        tenant::AUDIENCE,
        NOW + 60
    );
    let claims = validated(&api, &payload).await;
    assert_eq!(claims.subject(), Some("auth0|5f7c"));
    assert_eq!(claims.scope().iter().collect::<Vec<_>>(), ["read:messages", "openid"]);
    assert_eq!(claims.actor(), Some("gateway"));
    for (name, value) in [
        ("https://example.com/roles", Some(json!(["admin"]))),
        ("exp", Some(json!(NOW + 60))),
        ("scope", Some(json!("read:messages  openid"))),
        ("azp", Some(json!("last"))),
        ("jti", None),
        ("roles", None),
    ] {
        assert_eq!(claims.get(name), value.as_ref(), "{name}");
    }
    assert_eq!(claims.read("https://example.com/roles"), Some(vec!["admin".to_owned()]));
    assert_eq!(claims.read::<i64>("exp"), Some(NOW + 60));
    assert_eq!(claims.read::<String>("exp"), None, "of another type");
    assert_eq!(claims.read::<String>("jti"), None, "null");
    assert_eq!(claims.read::<Option<String>>("roles"), None, "absent");

    let least = format!(r#"{{"iss":"{}","aud":"{}","exp":{NOW}}}"#, api.tenant.issuer(), tenant::AUDIENCE);
    let claims = validated(&api, &least).await;
    assert_eq!((claims.subject(), claims.actor(), claims.scope().iter().next()), (None, None, None));
}

/// The claims of a good token with this payload.
async fn validated(api: &FrontDoor, payload: &str) -> Claims {
    let token = api.tenant.key().sign(Algorithm::Rs256, &api.token().header_json(), payload);
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let bearer = bearer::token(&headers).expect("a bearer token");
    token::validate(&bearer, &api.issuers, &config(&api.tenant, &[]), None).await.expect("a valid token")
}

/// The leeway is five whole seconds, wherever between two of them our clock is.
#[tokio::test]
async fn a_part_of_a_second_costs_no_token() {
    let api = FrontDoor::open().await;
    api.keys.warm_up().await;
    let token = |name: &str, second: f64| api.tenant.token().at(NOW).claim(name, second).sign();
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century are exact")]
    let now = NOW as f64;
    let rows = [
        ("exp", now - 5.0, None),
        ("exp", now - 5.5, Some(&EXPIRED)),
        ("nbf", now + 5.0, None),
        ("nbf", now + 5.5, Some(&INVALID_CLAIMS)),
    ];
    for passed in [0, 999] {
        api.advance_by_milliseconds(passed);
        for (name, second, refusal) in rows {
            let row = format!("{name}: {second}, {passed} ms");
            api.get("/api/private", &token(name, second)).await.decides(refusal, &row);
        }
    }
}

/// Auth0's anonymous sessions: nobody has logged in.
#[tokio::test]
async fn anonymous_sessions() {
    for (setting, accepted) in [(None, false), (Some("refused"), false), (Some("allowed"), true)] {
        let environment: Vec<_> = setting.map(|setting| ("ANONYMOUS_SESSIONS", setting)).into_iter().collect();
        let api = FrontDoor::with(&environment).await;
        api.keys.warm_up().await;
        let token = api.token().claim("sub", "anon@5f7c8ec7").scope("read:messages").sign();
        let answer = api.get("/api/private-scoped", &token).await;
        if accepted {
            answer.greets(SCOPED);
        } else {
            answer.refuses(&INVALID_CLAIMS.on("/api/private-scoped"), &format!("{setting:?}"));
        }
        api.get("/api/public", &token).await.greets(PUBLIC);
        api.get("/api/private", &api.token().sign()).await.greets(PRIVATE);
    }
}

/// Keys that issuers really have, and not all verifiers take.
#[tokio::test]
async fn keys_at_the_edges() {
    let api = FrontDoor::open().await;
    for kid in ["k".repeat(256), "\u{e9}".repeat(128)] {
        let key = Key::generate(&kid);
        api.tenant.publish(&key);
        api.advance(90_000);
        api.get("/api/private", &api.token().signed_by(&key).sign()).await.greets_at(PRIVATE, &kid);
    }

    // No library at hand makes such a key: the token was signed once, elsewhere.
    let [header, payload] = [
        r#"{"alg":"RS256","kid":"exponent-3"}"#,
        r#"{"iss":"https://tenant.example/","aud":"https://quickstarts/api","exp":2000000000}"#,
    ];
    let token = format!("{}.{}.{SIGNATURE_WITH_EXPONENT_3}", BASE64URL.encode(header), BASE64URL.encode(payload));
    let jwk = json!({ "kty": "RSA", "kid": "exponent-3", "n": MODULUS_WITH_EXPONENT_3, "e": "Aw" });
    let pinned = json!({ "keys": [jwk] }).to_string();
    let environment = [("AUTH0_DOMAIN", "tenant.example"), ("PINNED_JWKS", &*pinned)];
    let api = FrontDoor::before(api.tenant, &environment);
    api.get("/api/private", &token).await.greets_at(PRIVATE, "an exponent of 3");
}

const MODULUS_WITH_EXPONENT_3: &str = "qQ1xv1XBGxZVCdMVBZUmr5kN96-NVwopavAAmtOgDfT9MCwUFVg9kTRVxOfvzKrtYXAzuFdGWHEynoTI0KFZg36VNkd7P_UK5gALmjSsK9xhukvKH7YKA5R4H3h3A_5Cno0TETVGE5LgwISwTs4g0cJeLQim4JnN2c1iznbRYxPIgxgU7wz3Xhd0YjeeGBHvDpwgYdKxyYqR5AnSEjh0PLbyu1Ke3pyVOkYsVEV4F1wA_jfZCXBUDswyO8suiNHr_6dlsaDdMbzL6m0rsAhubK3JbHVe82PWahtSQADFUPH-xRos-4cvXexKro1BKkiIKnEhIWfnynlZHG3f37aQlQ";

const SIGNATURE_WITH_EXPONENT_3: &str = "hpBHMYukHljUWiugkPhZ_x0GmXb94WvGwKcws32x8x46sbMFoiWCD_eRd8nQNhjZABy1eyKfvPdGwle6ey252PgJhMmznwbJ5zEw6XBoWSO9OeiPWRdqU_f1C_r1V3vvO4py7sBJpLDZQeErlIH-O_1pLCOknaJoUo80saIQctPGPi8q6Y95gtXv7TG9V39e6Ob6wshey5EEuVLw3FoS395RpBWkcl7BgjICBFykkL5DylgQRVgQ2ExtdB4984c1XfdQULMSgHMVgpSTI1RsXqGO0xal31-gCJJkwXq8-jmFW3xUjTq-kNTPHVF5gKwcdRpu4RDQI1T77VytK_t89g";

#[tokio::test]
async fn methods() {
    let api = FrontDoor::open().await;
    let bearer = format!("Bearer {}", api.token().scope("read:messages").sign());
    for path in ROUTES {
        for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FOO", "get", "Head"] {
            api.send(&event(method, path, &[("x-http-method-override", "GET")]))
                .await
                .refuses(&METHOD_NOT_ALLOWED, method);
        }
        let [get, head] = ["GET", "HEAD"].map(|method| event(method, path, &[("authorization", &bearer)]));
        let (get, head) = (api.send(&get).await, api.send(&head).await);
        assert_eq!((get.status, head.status, head.body), (200, 200, None), "{path}");
        assert_eq!(get.headers, head.headers, "{path}");
    }
    let head = api.send(&event("HEAD", "/api/private", &[])).await;
    assert_eq!(
        (head.status, head.body.as_deref(), head.header("www-authenticate")),
        (401, None, HEADER_MISSING.challenge().as_deref())
    );
    assert_eq!(api.send(&event("HEAD", "/nowhere", &[])).await.status, 404);
    assert_eq!(api.send(&event("POST", "/nowhere", &[])).await.status, 404);
}

#[tokio::test]
async fn paths() {
    let api = FrontDoor::open().await;
    for path in [
        "",
        "/",
        "/api",
        "/api/",
        "/api/public/",
        "/api/private/",
        "//api/private",
        "/api//private",
        "/API/private",
        "/api/Private",
        "/api%2Fprivate",
        "/%61pi/private",
        "/api/private;x",
        "/api/private?x",
        "/api/private#f",
        "/api/./private",
        "/api/public/../private",
        "/api/private%00",
        "/api/private\\",
        "/api/private\n",
        "/api/private ",
        "api/private",
        "/api/private-scope",
        "/api/private-scoped2",
        "/prod/api/private",
        "/v1/api/private",
    ] {
        api.send(&event("GET", path, &[])).await.refuses(&NOT_FOUND, path);
    }
    // Host and query have no say in where a request goes.
    for host in ["a/api/public?", "a/api/public#", "evil.example", ""] {
        api.send(&event("GET", "/api/private", &[("host", host)])).await.refuses(&HEADER_MISSING, host);
    }
    for query in ["/../../api/public", "?", "#", "%", "%ff", "\u{e4}", "[]", "|"] {
        let mut event = event("GET", "/api/private", &[]);
        event["rawQueryString"] = json!(query);
        api.send(&event).await.refuses(&HEADER_MISSING, query);
    }
}

/// An event that the conversion to a request cannot take, whatever is wrong with it.
#[tokio::test]
async fn what_makes_no_request() {
    for (allowed, echoed) in [("*", "*"), ("https://page.example", "https://page.example")] {
        let api = FrontDoor::behind_a_broken_conversion(&[("ALLOWED_ORIGINS", allowed)]).await;
        for file in ["public", "private-bearer", "function-url-private", "rest-private-scoped", "alb-private"] {
            let mut event = event_file(file);
            for (headers, listed) in [("headers", false), ("multiValueHeaders", true)] {
                if event[headers].is_object() {
                    let origin = "https://page.example";
                    event[headers]["origin"] = if listed { json!([origin]) } else { json!(origin) };
                }
            }
            let answer = api.send(&event).await;
            answer.refuses(&BAD_REQUEST, file);
            for (name, value) in [
                ("access-control-allow-origin", echoed),
                ("content-type", "application/json"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{name} for {file} with {allowed}");
            }
        }
        assert_eq!(api.tenant.fetches(), 0);
    }
}

/// A load balancer's event as people write them: `null` where there is no query.
#[tokio::test]
async fn a_null_query_of_a_load_balancer() {
    let api = FrontDoor::open().await;
    let bearer = format!("Bearer {}", api.token().sign());
    for member in ["queryStringParameters", "multiValueQueryStringParameters"] {
        let mut event = event_file("alb-private");
        event[member] = json!(null);
        api.send(&event).await.refuses(&HEADER_MISSING, member);
        event["headers"]["authorization"] = json!(bearer);
        api.send(&event).await.greets_at(PRIVATE, member);
    }
}

#[tokio::test]
async fn stages_and_base_paths() {
    let at_stage = |stage: &str, path: &str| {
        let mut event = event("GET", path, &[]);
        event["requestContext"]["stage"] = json!(stage);
        event
    };
    let api = FrontDoor::open().await;
    for (stage, path, found) in [
        ("prod", "/prod/api/private", true),
        ("prod", "/api/private", true),
        ("api", "/api/private", true),
        ("api", "/api/api/private", true),
        ("prod", "/prod/prod/api/private", false),
        ("prod", "/production/api/private", false),
        ("pro", "/prod/api/private", false),
        ("prod", "/prodapi/private", false),
        ("prod", "//prod/api/private", false),
        ("$default", "/$default/api/private", false),
        ("$default", "/$default/x/api/private", false),
        ("", "//api/private", false),
    ] {
        let refusal = if found { &HEADER_MISSING } else { &NOT_FOUND };
        api.send(&at_stage(stage, path)).await.refuses(refusal, path);
    }
    let api = FrontDoor::with(&[("BASE_PATH", "/v1")]).await;
    for (stage, path, found) in [
        ("$default", "/v1/api/private", true),
        ("$default", "/api/private", true),
        ("prod", "/prod/v1/api/private", true),
        ("$default", "/v1/v1/api/private", false),
        ("$default", "/v10/api/private", false),
        ("$default", "/v1api/private", false),
        ("$default", "/V1/api/private", false),
    ] {
        let refusal = if found { &HEADER_MISSING } else { &NOT_FOUND };
        api.send(&at_stage(stage, path)).await.refuses(refusal, path);
    }
    let mut rest = event_file("rest-private");
    rest["path"] = json!("/v1/api/private");
    api.send(&rest).await.refuses(&HEADER_MISSING, "a REST API behind a custom domain");
}

#[tokio::test]
async fn headers_on_every_answer() {
    // Those of the table, to which rows may be added.
    let methods = route::methods(routes::ROUTES.iter());
    let methods = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(",");
    for (allowed, origin, echoed, vary) in [
        ("*", Some("https://page.example"), Some("*"), None),
        ("*", None, Some("*"), None),
        (
            "https://page.example,http://localhost:3000",
            Some("https://page.example"),
            Some("https://page.example"),
            Some("origin"),
        ),
        (
            "https://page.example,http://localhost:3000",
            Some("http://localhost:3000"),
            Some("http://localhost:3000"),
            Some("origin"),
        ),
        ("https://page.example", Some("https://page.example.evil.com"), None, Some("origin")),
        ("https://page.example", Some("https://evil-page.example"), None, Some("origin")),
        ("https://page.example", Some("http://page.example"), None, Some("origin")),
        ("https://page.example", Some("null"), None, Some("origin")),
        ("https://page.example", None, None, Some("origin")),
    ] {
        let api = FrontDoor::with(&[("ALLOWED_ORIGINS", allowed)]).await;
        let scoped = format!("Bearer {}", api.token().scope("read:messages").sign());
        let plain = format!("Bearer {}", api.token().sign());
        let origin = origin.map(|origin| ("origin", origin));
        let headers = |more: &[(&'static str, &str)], method: &str, path: &str| {
            let headers: Vec<_> = origin.iter().copied().chain(more.iter().copied()).collect();
            event(method, path, &headers)
        };
        for (event, status) in [
            (headers(&[], "GET", "/api/public"), 200),
            (headers(&[("authorization", &scoped)], "GET", "/api/private-scoped"), 200),
            (headers(&[], "GET", "/api/private"), 401),
            (headers(&[("authorization", "Bearer x")], "GET", "/api/private"), 401),
            (headers(&[("authorization", &plain)], "GET", "/api/private-scoped"), 403),
            (headers(&[], "GET", "/nowhere"), 404),
            (headers(&[], "POST", "/api/private"), 405),
        ] {
            let answer = api.send(&event).await;
            assert_eq!(answer.status, status);
            for (name, value) in [
                ("content-type", Some("application/json")),
                ("cache-control", Some("no-store")),
                ("x-content-type-options", Some("nosniff")),
                ("access-control-allow-origin", echoed),
                (
                    "access-control-expose-headers",
                    Some("www-authenticate,x-amzn-remapped-www-authenticate,retry-after,location"),
                ),
                ("access-control-allow-credentials", None),
                ("access-control-allow-methods", None),
                ("vary", vary),
            ] {
                assert_eq!(answer.header(name), value, "{name} of {status} for {origin:?} with {allowed}");
            }
        }
        for path in ["/api/private", "/nowhere"] {
            let asked = [("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")];
            let answer = api.send(&headers(&asked, "OPTIONS", path)).await;
            assert_eq!((answer.status, answer.body.as_deref()), (200, None));
            let mut expected = vec![
                ("access-control-allow-headers", ALLOWED_HEADERS),
                ("access-control-allow-methods", methods.as_str()),
                ("access-control-max-age", "600"),
            ];
            expected.extend(echoed.map(|origin| ("access-control-allow-origin", origin)));
            expected.extend(vary.map(|vary| ("vary", vary)));
            let headers: Vec<_> = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            expected.sort_unstable();
            assert_eq!(headers, expected, "a preflight for {origin:?} with {allowed}");
        }
    }
}

/// What the pages of 2026 send without being asked.
const ALLOWED_HEADERS: &str = "authorization,content-type,dpop,traceparent,tracestate,baggage,sentry-trace,x-requested-with,\
    x-api-key,x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-trace-id";

#[tokio::test]
async fn the_headers_that_a_page_may_send() {
    let all = Some(ALLOWED_HEADERS);
    for (setting, asked, allowed) in [
        (None, Some("authorization,sentry-trace,baggage"), all),
        (None, Some("authorization,traceparent,tracestate"), all),
        (None, Some("authorization,x-datadog-trace-id,x-datadog-parent-id"), all),
        (None, Some("authorization,x-requested-with"), all),
        (None, Some("authorization,x-api-key"), all),
        (None, Some("x-unheard-of"), all),
        (Some(""), Some("authorization"), all),
        (Some("Authorization, X-Mine"), Some("authorization"), Some("authorization,x-mine")),
        (Some("*"), Some("authorization,x-unheard-of"), Some("authorization,x-unheard-of")),
        (Some("*"), None, None),
    ] {
        let environment: Vec<_> = setting.map(|setting| ("ALLOWED_HEADERS", setting)).into_iter().collect();
        let api = FrontDoor::with_the_usual_key(&environment).await;
        let mut headers = vec![("origin", "https://a.example"), ("access-control-request-method", "GET")];
        headers.extend(asked.map(|asked| ("access-control-request-headers", asked)));
        let answer = api.send(&event("OPTIONS", "/api/private", &headers)).await;
        let got = (
            answer.status,
            answer.header("access-control-allow-headers"),
            answer.header("access-control-allow-origin"),
        );
        assert_eq!(got, (200, allowed, Some("*")), "{setting:?}: {asked:?}");
    }
}

#[tokio::test]
async fn pages_of_subdomains_and_of_apps() {
    let api = FrontDoor::with(&[("ALLOWED_ORIGINS", "https://*.a.example, capacitor://localhost")]).await;
    for (origin, allowed) in [
        ("https://x.a.example", true),
        ("https://y.x.a.example", true),
        ("capacitor://localhost", true),
        ("https://a.example", false),
        ("https://x.a.example.evil.example", false),
        ("https://*.a.example", false),
    ] {
        let asked = [("origin", origin), ("access-control-request-method", "GET")];
        for (method, path) in [("GET", "/api/public"), ("GET", "/api/private"), ("OPTIONS", "/api/private")] {
            let answer = api.send(&event(method, path, &asked)).await;
            let got = (answer.header("access-control-allow-origin"), answer.header("vary"));
            assert_eq!(got, (allowed.then_some(origin), Some("origin")), "{method} {path} from {origin}");
        }
    }
}

#[tokio::test]
async fn the_answer_in_each_front_s_own_shape() {
    let api = FrontDoor::open().await;
    let body = json!({ "code": "authorization_header_missing", "description": "Authorization header is expected" })
        .to_string();
    let headers = json!({
        "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff",
        "www-authenticate": "Bearer realm=\"api\"", "access-control-allow-origin": "*",
        "access-control-expose-headers": "www-authenticate,x-amzn-remapped-www-authenticate,retry-after,location"
    });
    let lists: Value =
        headers.as_object().expect("an object").iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    for (file, expected) in [
        (
            "private",
            json!({ "statusCode": 401, "headers": headers, "multiValueHeaders": {}, "body": body,
                            "isBase64Encoded": false, "cookies": [] }),
        ),
        (
            "rest-private",
            json!({ "statusCode": 401, "headers": {}, "multiValueHeaders": lists, "body": body,
                                 "isBase64Encoded": false }),
        ),
        (
            "alb-private",
            json!({ "statusCode": 401, "statusDescription": "401 Unauthorized", "headers": headers,
                                "multiValueHeaders": lists, "body": body, "isBase64Encoded": false }),
        ),
    ] {
        assert_eq!(api.send(&event_file(file)).await.raw, expected, "{file}");
    }
}

#[tokio::test]
async fn every_event_file() {
    let api = FrontDoor::open().await;
    let mut seen = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/events")).expect("events/") {
        let file = entry.expect("a file").file_name().into_string().expect("a name");
        if file == "authorizer" {
            continue; // tests/authorizer.rs has these
        }
        let name = file.strip_suffix(".json").expect("JSON files alone");
        let answer = api.send(&event_file(name)).await;
        let path = if name.contains("private-scoped") { "/api/private-scoped" } else { "/api/private" };
        seen += 1;
        match name {
            "preflight" => assert_eq!((answer.status, answer.body), (200, None)),
            // A placeholder stands where the token belongs.
            _ if name.contains("public") => answer.greets(PUBLIC),
            _ if name.ends_with("-bearer") => answer.refuses(&UNPARSABLE.on(path), name),
            _ => answer.refuses(&HEADER_MISSING.on(path), name),
        }
        let token = api.token().scope("read:messages").sign();
        let filled = serde_json::from_str(&event_file(name).to_string().replace("TOKEN", &token)).expect("JSON");
        let answer = api.send(&filled).await;
        match name {
            "private-bearer" => answer.greets(PRIVATE),
            "private-scoped-bearer" => answer.greets(SCOPED),
            _ => {}
        }
    }
    assert!(seen >= 9, "one for each route and front");
    for path in ROUTES {
        let name = path.trim_start_matches("/api/");
        assert_eq!(event_file(name)["rawPath"], path, "events/{name}.json");
    }
}

/// A panic costs one request, wherever it happens; the keys live on.
#[tokio::test]
async fn a_defect_of_ours() {
    let api = FrontDoor::open().await;
    let token = api.token().sign();
    api.get("/api/private", &token).await.greets(PRIVATE);
    // At each place where the time is asked for, the locked cache among them.
    for readings in 0.. {
        api.break_after(readings);
        let answer = api.get("/api/private", &token).await;
        api.break_after(-1);
        if answer.status == 200 {
            assert!(readings > 0, "nothing broke");
            break;
        }
        answer.refuses(&INTERNAL_ERROR, &format!("a panic after {readings} readings"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "a browser may read this, too");
        api.get("/api/private", &token).await.greets(PRIVATE);
    }
    assert_eq!(api.tenant.fetches(), 1, "the keys have lived on");
}

#[tokio::test]
async fn another_tenant_s_token() {
    let (api, other) = (FrontDoor::open().await, Tenant::http().await);
    api.keys.warm_up().await;
    let stolen_kid = other.token().at(NOW).header("kid", api.tenant.key().kid()).sign();
    api.get("/api/private", &stolen_kid).await.refuses(&UNPARSABLE, "its own key under our kid");
    let own = api.token().claim("iss", other.issuer()).sign();
    api.get("/api/private", &own).await.refuses(&INVALID_CLAIMS, "our key, its issuer");
}
