//! The function's front door in process: an event's JSON in, the JSON that the gateway gets out, with a stand-in tenant
//! behind it and a clock that stands still until it is moved.

#![allow(dead_code, reason = "each test binary uses its part")]

mod another_verifier;
pub mod caught;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{self, Poll};
use std::time::Duration;

use api_authorization::clock::{Clock, Now};
use api_authorization::config::Config;
use api_authorization::event::{self, Event};
use api_authorization::handler::{self, Api};
use api_authorization::issuers::Issuers;
use api_authorization::keys::KeyStore;
use api_authorization::route::Route;
use api_authorization::routes::ROUTES;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use lambda_http::tower::{Service, ServiceExt, util::BoxCloneService};
use lambda_http::{Body, Context, LambdaEvent, Request, Response};
use serde_json::{Value, json};
use tenant::{AUDIENCE, Key, Tenant, Token};

/// When the tests take place, in seconds since 1970. No test knows the time of day.
pub const NOW: i64 = 1_900_000_000;

pub struct FrontDoor {
    pub tenant: Tenant,
    /// The tenant's keys, or those of the first issuer that the environment names.
    pub keys: KeyStore,
    pub issuers: Issuers,
    issuer: String,
    audience: String,
    service: Mutex<Function>,
    milliseconds: Arc<AtomicI64>,
    /// In how many questions for the time there is a panic; below 0, never.
    broken: Arc<AtomicI64>,
    /// What the invocation has left, in milliseconds; below 0, its deadline is unknown.
    left: AtomicI64,
}

impl FrontDoor {
    /// The function, told of a new tenant.
    pub async fn open() -> Self {
        Self::with(&[]).await
    }

    /// The same with more environment variables.
    pub async fn with(environment: &[(&str, &str)]) -> Self {
        Self::before(Tenant::http().await, environment)
    }

    /// The same for a tenant that is there already.
    pub fn before(tenant: Tenant, environment: &[(&str, &str)]) -> Self {
        let milliseconds = Arc::new(AtomicI64::new(NOW * 1_000));
        let broken = Arc::new(AtomicI64::new(-1));
        let (reading, breaks) = (Arc::clone(&milliseconds), Arc::clone(&broken));
        let clock = Clock::new(move || {
            assert_ne!(breaks.fetch_sub(1, Ordering::SeqCst), 0, "a defect, made by a test");
            let now = Duration::from_millis(reading.load(Ordering::SeqCst).unsigned_abs());
            Now { monotonic: now, wall: now }
        });
        Self { milliseconds, broken, ..Self::by_clock(tenant, environment, &clock) }
    }

    /// The same by another clock, which no call here moves.
    pub fn by_clock(tenant: Tenant, environment: &[(&str, &str)], clock: &Clock) -> Self {
        let config = config(&tenant, environment);
        let issuers = Issuers::new(&config, clock).expect("a client");
        let (issuer, audience) = (config.issuers[0].name.clone(), config.audiences[0].clone());
        let keys = issuers.named(&issuer).expect("an issuer").keys.clone();
        let service = boxed(handler::service(Api::new(ROUTES, config, issuers.clone(), ())));
        let (milliseconds, broken, left) = (Arc::default(), Arc::default(), AtomicI64::new(-1));
        Self { tenant, keys, issuers, issuer, audience, service, milliseconds, broken, left }
    }

    /// [`FrontDoor::with`] with one key for all tenants, for tests of many settings: making a key for each takes long.
    pub async fn with_the_usual_key(environment: &[(&str, &str)]) -> Self {
        static KEY: LazyLock<Key> = LazyLock::new(|| Key::generate("usual"));
        let tenant = tokio::task::spawn_blocking(|| Tenant::blocking_http_with(&KEY)).await.expect("a tenant");
        Self::before(tenant, environment)
    }

    /// The same with another table of routes, and what its handlers share.
    pub async fn serving<S: Send + Sync + 'static>(
        routes: &'static [Route<S>],
        state: S,
        environment: &[(&str, &str)],
    ) -> Self {
        let door = Self::with_the_usual_key(environment).await;
        let api = Api::new(routes, config(&door.tenant, environment), door.issuers.clone(), state);
        Self { service: boxed(handler::service(api)), ..door }
    }

    /// The same where no event makes a request: the stand-in for a conversion that panics panics at each.
    pub async fn behind_a_broken_conversion(environment: &[(&str, &str)]) -> Self {
        let door = Self::with(environment).await;
        let api = Api::new(ROUTES, config(&door.tenant, environment), door.issuers.clone(), ());
        Self { service: boxed(BrokenConversion(handler::service(api))), ..door }
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: i64) {
        self.advance_by_milliseconds(seconds * 1_000);
    }

    pub fn advance_by_milliseconds(&self, milliseconds: i64) {
        self.milliseconds.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Makes the function panic when it has asked for the time so often, and then no more.
    pub fn break_after(&self, readings: i64) {
        self.broken.store(readings, Ordering::SeqCst);
    }

    /// Gives each invocation from now on so many milliseconds.
    pub fn leave(&self, milliseconds: i64) {
        self.left.store(milliseconds, Ordering::SeqCst);
    }

    /// A good token in the making, issued now.
    pub fn token(&self) -> Token {
        self.tenant.token().at(self.milliseconds.load(Ordering::SeqCst) / 1_000)
    }

    /// Hands an event to the function as the Lambda runtime does.
    pub async fn send(&self, event: &Value) -> Answer {
        let authorization = event["headers"]["authorization"].as_str();
        let event: Event = serde_json::from_str(&event.to_string()).expect("an event");
        let service = self.service.lock().expect("no panic").clone();
        let answer = service.oneshot(LambdaEvent::new(event, self.context())).await;
        let answer = Answer::read(answer.expect("the function never fails"));
        // For a token that is good, but not enough, there is a 403.
        if answer.status == 403 || [PRIVATE, SCOPED].iter().any(|message| answer.body == Some(greeting(message))) {
            self.accepted(authorization);
        }
        answer
    }

    /// Another verifier must accept what was accepted. It has no say on keys that are withdrawn, and knows one issuer and one
    /// audience.
    fn accepted(&self, authorization: Option<&str>) {
        let Some(token) = authorization.and_then(|line| line.split_ascii_whitespace().last()) else { return };
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("a payload")).expect("base64url");
        let claims: Value = serde_json::from_slice(&payload).expect("JSON");
        if claims["iss"] != self.issuer.as_str()
            || !claims["aud"].to_string().contains(&json!(self.audience).to_string())
        {
            return;
        }
        let kid = jsonwebtoken::decode_header(token).expect("a header").kid;
        let jwks = self.tenant.jwks();
        let Some(jwk) =
            jwks["keys"].as_array().expect("keys").iter().rfind(|jwk| jwk["kid"].as_str() == kid.as_deref())
        else {
            return;
        };
        another_verifier::accepts(token, jwk, &self.issuer, &self.audience);
    }

    fn context(&self) -> Context {
        let mut context = Context::default();
        let left = self.left.load(Ordering::SeqCst);
        if left >= 0 {
            context.deadline = (self.milliseconds.load(Ordering::SeqCst) + left).unsigned_abs();
        }
        context
    }

    /// `GET` with this bearer token.
    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(&event("GET", path, &[("authorization", &format!("Bearer {token}"))])).await
    }
}

type Function = BoxCloneService<LambdaEvent<Event>, Value, Infallible>;

fn boxed<S>(answers: S) -> Mutex<Function>
where
    S: Service<Request, Response = Response<Body>, Error = Infallible, Future: Send + 'static> + Clone + Send + 'static,
{
    let service = event::service(answers);
    Mutex::new(BoxCloneService::new(service.map_response(|answer| serde_json::to_value(answer).expect("JSON"))))
}

/// Panics where lambda_http's conversion may: while it is called, before there is a future.
#[derive(Clone)]
struct BrokenConversion<S>(S);

impl<S: Service<Request>> Service<Request> for BrokenConversion<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, task: &mut task::Context) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(task)
    }

    fn call(&mut self, request: Request) -> S::Future {
        assert!(event::malformed(&request), "a defect, made by a test");
        self.0.call(request)
    }
}

/// What the function is told of a tenant, and of what else stands in these variables.
pub fn config(tenant: &Tenant, environment: &[(&str, &str)]) -> Config {
    let config = Config::read(|name| {
        let given = environment.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
        given.or_else(|| match name {
            "AUTH0_DOMAIN" => Some(tenant.domain()),
            "API_AUDIENCE" => Some(AUDIENCE.to_owned()),
            "JWKS_URI" => Some(tenant.jwks_uri()),
            _ => None,
        })
    });
    config.expect("a good configuration")
}

/// An event of an HTTP API (payload 2.0).
pub fn event(method: &str, path: &str, headers: &[(&str, &str)]) -> Value {
    let headers: BTreeMap<_, _> = headers.iter().copied().collect();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": {
            "accountId": "123456789012", "apiId": "api", "domainName": "api.example.com", "domainPrefix": "api",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test" },
            "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default",
            "time": "17/Mar/2030:17:46:40 +0000", "timeEpoch": 1_900_000_000_000_i64
        },
        "isBase64Encoded": false
    })
}

/// A file of `events/`, as it is.
pub fn event_file(name: &str) -> Value {
    let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
        .expect("JSON")
}

/// What the gateway gets back.
#[derive(Debug)]
pub struct Answer {
    pub status: u64,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub raw: Value,
}

impl Answer {
    /// Takes it apart.
    pub fn read(raw: Value) -> Self {
        let single =
            raw["headers"].as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
        let multi = raw["multiValueHeaders"].as_object().into_iter().flatten();
        let multi = multi.map(|(name, values)| {
            assert_eq!(values.as_array().map(Vec::len), Some(1), "{name} is repeated");
            (name.clone(), values[0].clone())
        });
        let string = |value: Value| value.as_str().expect("a string").to_owned();
        Self {
            status: raw["statusCode"].as_u64().expect("a status"),
            headers: single.chain(multi).map(|(name, value)| (name, string(value))).collect(),
            body: raw["body"].as_str().filter(|body| !body.is_empty()).map(str::to_owned),
            raw,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// In how many seconds the caller is told to come back.
    #[track_caller]
    pub fn retry_after(&self) -> i64 {
        let seconds = self.header("retry-after").expect("Retry-After");
        assert!(seconds.bytes().all(|byte| byte.is_ascii_digit()), "{seconds}");
        seconds.parse().expect("seconds")
    }

    /// A 200 with this message.
    #[track_caller]
    pub fn greets(&self, message: &str) {
        self.greets_at(message, message);
    }

    /// The same, in a row of this name.
    #[track_caller]
    pub fn greets_at(&self, message: &str, row: &str) {
        assert_eq!((self.status, self.body.as_deref()), (200, Some(greeting(message).as_str())), "{row}");
        assert_eq!(self.header("www-authenticate"), None, "{row}");
    }

    /// What `/api/private` answers: this refusal, or where there is none, its message.
    #[track_caller]
    pub fn decides(&self, refusal: Option<&Refusal>, row: &str) {
        match refusal {
            None => self.greets_at(PRIVATE, row),
            Some(refusal) => self.refuses(refusal, row),
        }
    }

    /// This refusal to the letter: status, body, challenge, and no other header than it may have. On a route that requires
    /// scopes, see [`Refusal::on`]; for the seconds of a 503, [`Answer::retry_after`].
    #[track_caller]
    pub fn refuses(&self, refusal: &Refusal, row: &str) {
        let body = format!(r#"{{"code":"{}","description":"{}"}}"#, refusal.code, refusal.description);
        assert_eq!((self.status, self.body.as_deref()), (refusal.status, Some(body.as_str())), "{row}");
        assert_eq!(self.header("www-authenticate"), refusal.challenge().as_deref(), "{row}");
        assert_eq!(self.header("retry-after").is_some(), refusal.status == 503, "{row}");
        assert!(refusal.status != 503 || (1..=12).contains(&self.retry_after()), "{row}: {}", self.retry_after());
        assert_eq!(self.header("allow"), (refusal.status == 405).then_some("GET, HEAD, OPTIONS"), "{row}");
    }
}

fn greeting(message: &str) -> String {
    json!({ "message": message }).to_string()
}

/// A row of the table of errors.
#[derive(Clone, Copy)]
pub struct Refusal {
    pub status: u64,
    pub code: &'static str,
    pub description: &'static str,
    challenge: Option<&'static str>,
    /// Whether the challenge names the scope of the route.
    names_scope: bool,
}

impl Refusal {
    /// The same on the route of this path: a challenge names the scopes that the route requires.
    pub fn on(&self, path: &str) -> Self {
        Self { names_scope: self.names_scope || path == "/api/private-scoped", ..*self }
    }

    /// The value of `WWW-Authenticate`.
    pub fn challenge(&self) -> Option<String> {
        let scope = if self.names_scope { r#", scope="read:messages""# } else { "" };
        self.challenge.map(|challenge| format!("{challenge}{scope}"))
    }
}

macro_rules! refusals {
    ($($name:ident $status:literal $code:literal $description:literal $challenge:expr;)*) => {
        $(pub const $name: Refusal = Refusal { status: $status, code: $code, description: $description, challenge: $challenge, names_scope: $status == 403 };)*
    };
}

const BARE: Option<&str> = Some(r#"Bearer realm="api""#);

// The table of errors, once more and by hand: a slip in the function's own table must not be here, too.
#[rustfmt::skip]
refusals! {
    HEADER_MISSING     401 "authorization_header_missing" "Authorization header is expected" BARE;
    NOT_BEARER         401 "invalid_header" "Authorization header must start with Bearer" BARE;
    TOKEN_NOT_FOUND    401 "invalid_header" "Token not found" BARE;
    NOT_BEARER_TOKEN   401 "invalid_header" "Authorization header must be Bearer token" BARE;
    UNPARSABLE         401 "invalid_header" "Unable to parse authentication token."
        Some(r#"Bearer realm="api", error="invalid_token", error_description="Unable to parse authentication token.""#);
    NO_KEY             401 "invalid_header" "Unable to find appropriate key"
        Some(r#"Bearer realm="api", error="invalid_token", error_description="Unable to find appropriate key""#);
    EXPIRED            401 "token_expired" "token is expired"
        Some(r#"Bearer realm="api", error="invalid_token", error_description="token is expired""#);
    INVALID_CLAIMS     401 "invalid_claims" "incorrect claims,please check the audience and issuer"
        Some(r#"Bearer realm="api", error="invalid_token", error_description="incorrect claims,please check the audience and issuer""#);
    NO_SCOPE           403 "Unauthorized" "You don't have access to this resource"
        Some(r#"Bearer realm="api", error="insufficient_scope", error_description="You don't have access to this resource""#);
    KEYS_UNAVAILABLE   503 "jwks_unavailable" "Signing keys are temporarily unavailable" None;
    INTERNAL_ERROR     500 "internal_error" "Internal error" None;
    NOT_FOUND          404 "not_found" "Not found" None;
    METHOD_NOT_ALLOWED 405 "method_not_allowed" "Method not allowed" None;
    BAD_REQUEST        400 "bad_request" "Bad request" None;
}

pub const PUBLIC: &str = "Hello from a public endpoint! You don't need to be authenticated to see this.";
pub const PRIVATE: &str = "Hello from a private endpoint! You need to be authenticated to see this.";
pub const SCOPED: &str =
    "Hello from a private endpoint! You need to be authenticated and have a scope of read:messages to see this.";
