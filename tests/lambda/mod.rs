//! The built binary as a process of its own, behind a Runtime API that hands it events.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::Value;
use tenant::{AUDIENCE, Tenant};
use tokio::net::TcpListener;
use tokio::sync::{Mutex as Queue, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::front_door::{Answer, event};

/// The function and the Runtime API that it asks for events. Both end with it.
pub struct Lambda {
    function: Child,
    runtime_api: Arc<RuntimeApi>,
    server: JoinHandle<()>,
    log: PathBuf,
}

/// What an invocation came to: the response, or where it failed, the error.
type Outcome = Result<Value, Value>;

impl Lambda {
    /// Starts the function, told of this tenant and of what else stands in these variables.
    pub async fn start(tenant: &Tenant, environment: &[(&str, &str)]) -> Self {
        Self::run(function(), tenant, environment).await
    }

    /// The same for another binary.
    pub async fn run(mut function: Command, tenant: &Tenant, environment: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its number");
        let runtime_api = Arc::new(RuntimeApi::new());
        let router = runtime_api.clone().router();
        let server =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves without an end") });

        let log = std::env::temp_dir().join(format!("api-authorization-{}-{}.log", std::process::id(), address.port()));
        let function = function
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AUTH0_DOMAIN", tenant.domain())
            .env("API_AUDIENCE", AUDIENCE)
            .env("SSL_CERT_FILE", tenant.ca_file().expect("a tenant over https"))
            .envs(environment.iter().copied())
            .stdout(File::create(&log).expect("a log"))
            .stderr(File::options().append(true).open(&log).expect("a log"))
            .spawn()
            .expect("the function");
        Self { function, runtime_api, server, log }
    }

    /// Hands over an event, and returns the function's answer.
    pub async fn send(&self, event: &Value) -> Answer {
        Answer::read(self.invoke(event.to_string()).await.expect("a response"))
    }

    /// `GET` with a bearer token: status and body.
    pub async fn get(&self, path: &str, token: &str) -> (u64, String) {
        let answer = self.send(&event("GET", path, &[("authorization", &format!("Bearer {token}"))])).await;
        (answer.status, answer.body.unwrap_or_default())
    }

    /// Gives each invocation from now on so much time.
    pub fn leave(&self, left: Duration) {
        *self.runtime_api.left.lock().expect("no panic") = left;
    }

    /// Hands over any string for an event.
    pub async fn invoke(&self, event: String) -> Outcome {
        let outcome = timeout(INVOCATION, self.runtime_api.invoke(event)).await;
        outcome.unwrap_or_else(|_| panic!("no answer. The log says:\n{}", self.log()))
    }

    /// The lines of the access log.
    pub fn requests(&self) -> Vec<Value> {
        self.lines("request")
    }

    /// The lines of the log with this message.
    pub fn lines(&self, message: &str) -> Vec<Value> {
        let lines = self.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>();
        lines.into_iter().filter(|line| line["fields"]["message"] == message).collect()
    }

    /// All that it printed.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    /// How many threads it has, where the system tells.
    pub fn threads(&self) -> Option<usize> {
        Some(fs::read_dir(format!("/proc/{}/task", self.function.id())).ok()?.count())
    }

    /// Freezes the sandbox, as Lambda does between two invocations.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.function.id().to_string()]).status();
        assert!(sent.expect("kill").success(), "{signal}");
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        _ = self.function.kill();
        _ = self.function.wait();
        self.server.abort();
        _ = fs::remove_file(&self.log);
    }
}

/// The binary with what Lambda itself sets, and nothing else of this machine's environment.
pub fn function() -> Command {
    // The tests of an example have another binary, and start it by `run`.
    sandbox(option_env!("CARGO_BIN_EXE_api-authorization").unwrap_or_default())
}

/// The same of another binary.
pub fn sandbox(binary: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(binary);
    command
        .env_clear()
        .env("AWS_LAMBDA_FUNCTION_NAME", "api-authorization")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .stdin(Stdio::null());
    command
}

/// What X-Ray says of each invocation.
pub const TRACE: &str = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0";

/// How long an invocation may take, so long that a busy machine cannot make a test fail.
const INVOCATION: Duration = Duration::from_secs(120);

/// The part of Lambda's Runtime API that a function needs. Whoever asks first gets the oldest event.
struct RuntimeApi {
    events: mpsc::UnboundedSender<(String, String)>,
    next: Queue<mpsc::UnboundedReceiver<(String, String)>>,
    invocations: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    /// What each invocation has.
    left: Mutex<Duration>,
}

impl RuntimeApi {
    fn new() -> Self {
        let (events, next) = mpsc::unbounded_channel();
        Self { events, next: Queue::new(next), invocations: Mutex::default(), left: Mutex::new(INVOCATION) }
    }

    async fn invoke(&self, event: String) -> Outcome {
        let (end, outcome) = oneshot::channel();
        let id = {
            let mut invocations = self.invocations.lock().expect("no panic");
            let id = format!("8476a536-e9f4-11e8-9739-{:012x}", invocations.len());
            invocations.insert(id.clone(), end);
            id
        };
        self.events.send((id, event)).expect("a queue");
        outcome.await.expect("an outcome")
    }

    fn router(self: Arc<Self>) -> Router {
        let ends = |outcome: fn(Value) -> Outcome| {
            post(async move |State(api): State<Arc<Self>>, Path(id): Path<String>, body: String| {
                let end = api.invocations.lock().expect("no panic").insert(id, oneshot::channel().0);
                let body = serde_json::from_str(&body).expect("JSON");
                _ = end.expect("an invocation that has not ended").send(outcome(body));
                StatusCode::ACCEPTED
            })
        };
        Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(Self::hand_over))
            .route("/2018-06-01/runtime/invocation/{id}/response", ends(Ok))
            .route("/2018-06-01/runtime/invocation/{id}/error", ends(Err))
            .layer(DefaultBodyLimit::disable())
            .with_state(self)
    }

    async fn hand_over(State(api): State<Arc<Self>>) -> impl IntoResponse {
        let (id, event) = api.next.lock().await.recv().await.expect("a queue");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970");
        let deadline = now + *api.left.lock().expect("no panic");
        let headers = [
            ("lambda-runtime-aws-request-id", id),
            ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
            ("lambda-runtime-trace-id", TRACE.to_owned()),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:api".to_owned()),
        ];
        (headers, event)
    }
}
