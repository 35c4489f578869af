#!/usr/bin/env bash
# PyPI aws-sam-cli 1.170.0: of a parameter whose value is JSON, `sam deploy --parameter-overrides 'Keys={"keys":["a"]}'` sends
# CloudFormation the first brace alone, without a warning, although the shell handed it over as one word. SAM reads a little
# language of its own there: a value with quotation marks in it must itself stand in quotation marks.
# Why it matters: JWKS, routes or claims as a parameter. A stack whose parameter has no AllowedPattern is deployed with `{`.
#
# Seen, as CloudFormation gets it (a server in this script plays CloudFormation and S3):
#   Keys={"keys":["a"]}          {
#   Keys='{"keys":["a"]}'        {"keys":["a"]}
#   Keys="{\"keys\":[\"a\"]}"    {"keys":["a"]}
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet aws-sam-cli==1.170.0
cat >"$work/template.yaml" <<'YAML'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Keys: { Type: String }
Resources:
  Topic: { Type: AWS::SNS::Topic }
YAML
cat >"$work/deploy.py" <<'PYTHON'
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

MISSING = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
    b"<Message>Stack with id stack does not exist</Message></Error></ErrorResponse>"
)
received = []


class Aws(BaseHTTPRequestHandler):
    """An S3 that takes anything, and a CloudFormation without any stack."""

    def log_message(self, *_):
        pass

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("ETag", '"etag"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        self.answer(404)

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200)

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if form["Action"] == ["CreateChangeSet"]:
            received.append(form["Parameters.member.1.ParameterValue"][0])
        self.answer(400, MISSING)


def arrives(override):
    """What CloudFormation is sent as the value of Keys."""
    received.clear()
    command = ["venv/bin/sam", "deploy", "-t", "template.yaml", "--stack-name", "stack", "--s3-bucket", "bucket"]
    subprocess.run([*command, "--parameter-overrides", override], env=environment, capture_output=True)
    print(f"{override:30} {received[0]}", flush=True)
    return received[0]


server = ThreadingHTTPServer(("127.0.0.1", 0), Aws)
threading.Thread(target=server.serve_forever, daemon=True).start()
environment = {
    "PATH": os.environ["PATH"],
    "HOME": os.getcwd(),
    "SAM_CLI_TELEMETRY": "0",
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "eu-central-1",
}
whole = '{"keys":["a"]}'
bare = arrives("Keys=" + whole)
single = arrives(f"Keys='{whole}'")
double = arrives('Keys="' + whole.replace('"', '\\"') + '"')
sys.exit(0 if (bare, single, double) == ("{", whole, whole) else 1)
PYTHON
cd "$work"
venv/bin/python deploy.py || { echo "Changed: another value arrives." >&2; exit 1; }
