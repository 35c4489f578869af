//! The built binary as a process of its own, behind cargo-lambda's Runtime API.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use issuer::{AUDIENCE, Tenant};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// The function and the Runtime API that it asks for events. Both end with it.
pub struct Lambda {
    runtime_api: Child,
    function: Child,
    url: String,
    log: PathBuf,
    client: Client,
}

impl Lambda {
    pub fn start(tenant: &Tenant, environment: &[(&str, &str)]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
        let cargo_lambda = concat!(env!("CARGO_MANIFEST_DIR"), "/.venv/bin/cargo-lambda");
        let runtime_api = Command::new(cargo_lambda)
            .args(["lambda", "watch", "--only-lambda-apis", "--disable-cors", "--invoke-address", "127.0.0.1"])
            .args(["--invoke-port", &port.to_string(), "--concurrency", "64"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{cargo_lambda}: {error}: `make test` installs it"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "cargo-lambda did not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        let log = std::env::temp_dir().join(format!("api-authorization-{}-{port}.log", std::process::id()));
        let function = function()
            .env("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{port}/.rt/api-authorization"))
            .env("AUTH0_DOMAIN", tenant.domain())
            .env("API_AUDIENCE", AUDIENCE)
            .env("SSL_CERT_FILE", tenant.ca_file().expect("a tenant over https"))
            .envs(environment.iter().copied())
            .stdout(File::create(&log).expect("a log"))
            .stderr(File::options().append(true).open(&log).expect("a log"))
            .spawn()
            .expect("the function");
        let url = format!("http://127.0.0.1:{port}");
        Self { runtime_api, function, url, log, client: Client::builder().no_proxy().build().expect("a client") }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/lambda-url/api-authorization{path}", self.url);
        self.client.request(method, url).timeout(Duration::from_secs(30))
    }

    /// `GET` with a bearer token: status and body.
    pub async fn get(&self, path: &str, token: &str) -> (u16, String) {
        let answer = self.request(Method::GET, path).bearer_auth(token).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }

    /// Hands over an event as it is: the invocation's outcome.
    pub async fn invoke(&self, event: String) -> Value {
        let url = format!("{}/2015-03-31/functions/api-authorization/invocations", self.url);
        let answer =
            self.client.post(url).timeout(Duration::from_secs(30)).body(event).send().await.expect("an answer");
        serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or(Value::Null)
    }

    /// The lines of the access log.
    pub fn requests(&self) -> Vec<Value> {
        let lines = self.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>();
        lines.into_iter().filter(|line| line["fields"]["message"] == "request").collect()
    }

    /// All that it printed.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }
}

impl Lambda {
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
        for child in [&mut self.function, &mut self.runtime_api] {
            _ = child.kill();
            _ = child.wait();
        }
        _ = fs::remove_file(&self.log);
    }
}

/// The binary with what Lambda itself sets, and nothing else of this machine's environment.
pub fn function() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api-authorization"));
    command
        .env_clear()
        .env("AWS_LAMBDA_FUNCTION_NAME", "api-authorization")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .stdin(Stdio::null());
    command
}
