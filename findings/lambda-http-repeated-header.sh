#!/usr/bin/env bash
# crates lambda_http 1.3.2 with aws_lambda_events 1.2.1: of several headers of one name in an answer, the first alone reaches an
# HTTP API or a Function URL (payload 2.0). That format has one string for each name, and AWS has them joined with a comma;
# the crate writes the first value into it. (Set-Cookie is an exception: the format has a list for it.) Behind a REST API, all
# of them arrive.
# Why it matters: a second challenge in WWW-Authenticate (DPoP beside Bearer), or a second Vary that a layer of tower added.
#
# Seen, for WWW-Authenticate `DPoP algs="ES256"` and `Bearer`, Vary `origin` and `accept`:
#   payload 2.0    "headers": {"vary": "origin", "www-authenticate": "DPoP algs=\"ES256\""}
#   payload 1.0    "multiValueHeaders": {"vary": ["origin", "accept"], "www-authenticate": ["DPoP algs=\"ES256\"", "Bearer"]}
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "function"
version = "0.0.0"
edition = "2021"

[dependencies]
aws_lambda_events = { version = "=1.2.1", default-features = false }
lambda_http = { version = "=1.3.2", default-features = false, features = ["apigw_http", "apigw_rest"] }
tokio = { version = "1", features = ["macros", "rt"] }
TOML
cat >src/main.rs <<'RUST'
use lambda_http::{run, service_fn, Body, Error, Request, Response};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_: Request| async {
        let response = Response::builder()
            .status(401)
            .header("www-authenticate", r#"DPoP algs="ES256""#)
            .header("www-authenticate", "Bearer")
            .header("vary", "origin")
            .header("vary", "accept");
        Ok::<_, Error>(response.body(Body::Empty)?)
    }))
    .await
}
RUST
cargo build --quiet --target-dir target
cat >invoke.py <<'PYTHON'
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

context = {"http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "none"}}
context |= {"accountId": "123456789012", "apiId": "api", "domainName": "api.example", "domainPrefix": "api", "stage": "$default"}
context |= {"requestId": "id", "routeKey": "$default", "time": "28/Nov/2026:10:00:00 +0000", "timeEpoch": 1795860000000}
headers = {"host": "api.example"}
second = {"version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": "", "headers": headers}
second |= {"requestContext": context, "isBase64Encoded": False}
first = {"resource": "/", "path": "/", "httpMethod": "GET", "headers": headers, "multiValueHeaders": {"host": ["api.example"]}}
first |= {"requestContext": {"stage": "prod", "httpMethod": "GET", "path": "/"}, "isBase64Encoded": False}
events, answers = [("payload 2.0", "headers", second), ("payload 1.0", "multiValueHeaders", first)], []


class RuntimeApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("lambda-runtime-aws-request-id", "id")
        self.send_header("lambda-runtime-deadline-ms", "4102444800000")
        self.send_header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:function")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(json.dumps(events[len(answers)][2]).encode())

    def do_POST(self):
        answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(b"{}")


server = HTTPServer(("127.0.0.1", 0), RuntimeApi)
names = {"AWS_LAMBDA_FUNCTION_NAME": "function", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}
names |= {"AWS_LAMBDA_LOG_GROUP_NAME": "none", "AWS_LAMBDA_LOG_STREAM_NAME": "none", "PATH": os.environ["PATH"]}
names["AWS_LAMBDA_RUNTIME_API"] = f"127.0.0.1:{server.server_port}"
function = subprocess.Popen(["target/debug/function"], env=names)
try:
    while len(answers) < len(events):
        server.handle_request()
finally:
    function.kill()
    function.wait()
seen = []
for (name, member, _), answer in zip(events, answers):
    seen.append(dict(sorted(answer[member].items())))
    print(f'{name}    "{member}": {json.dumps(seen[-1])}')
challenges = ['DPoP algs="ES256"', "Bearer"]
as_stated = [
    {"vary": "origin", "www-authenticate": challenges[0]},
    {"vary": ["origin", "accept"], "www-authenticate": challenges},
]
sys.exit(0 if seen == as_stated else 1)
PYTHON
python3 invoke.py || { echo "Changed: another set of headers reaches the gateway." >&2; exit 1; }
