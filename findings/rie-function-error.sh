#!/usr/bin/env bash
# AWS's Runtime Interface Emulator, as PyPI aws-sam-cli 1.170.0 carries it: an invocation that the function reported as failed
# is answered 200, without the header X-Amz-Function-Error that Lambda's Invoke API sends (and that SDKs show as
# FunctionError). Nothing but the body tells it from a function that answered an object with these members.
# Why it matters: an authorizer refuses by failing with `Unauthorized`. A test that looks at status and headers sees a success.
#
# Seen, for a function that fails where the event says so:
#   {"fail": false}    200    X-Amz-Function-Error: none    {"isAuthorized": true}
#   {"fail": true}     200    X-Amz-Function-Error: none    {"errorMessage": "Unauthorized", "errorType": "Refusal"}
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps aws-sam-cli==1.170.0
case $(uname -m) in aarch64 | arm64) arch=arm64 ;; *) arch=x86_64 ;; esac
cp "$work"/venv/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-$arch "$work/emulator"
chmod +x "$work/emulator"
cat >"$work/function.py" <<'PYTHON'
import json
import os
from urllib.request import Request, urlopen

invocation = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urlopen(f"{invocation}/next") as given:
        request, event = given.headers["lambda-runtime-aws-request-id"], json.load(given)
    if event["fail"]:
        path, body = "error", {"errorMessage": "Unauthorized", "errorType": "Refusal"}
    else:
        path, body = "response", {"isAuthorized": True}
    urlopen(Request(f"{invocation}/{request}/{path}", json.dumps(body).encode()))
PYTHON
cat >"$work/invoke.py" <<'PYTHON'
import json
import os
import socket
import subprocess
import sys
import time
from urllib.request import urlopen


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def invoke(event):
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    with urlopen(url, json.dumps(event).encode()) as answer:
        error = answer.headers.get("X-Amz-Function-Error", "none")
        print(f"{json.dumps(event):18} {answer.status}    X-Amz-Function-Error: {error}    {answer.read().decode()}")
        return answer.status, error


port, runtime = free_port(), free_port()
addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{runtime}"]
emulator = subprocess.Popen(
    ["./emulator", *addresses, sys.executable, "function.py"],
    env={"PATH": os.environ["PATH"], "AWS_LAMBDA_FUNCTION_TIMEOUT": "10"},
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
try:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    fine, failed = invoke({"fail": False}), invoke({"fail": True})
finally:
    emulator.terminate()
    emulator.wait()
sys.exit(0 if fine == failed == (200, "none") else 1)
PYTHON
cd "$work"
venv/bin/python invoke.py || { echo "Changed: a failed invocation can be told by status or header." >&2; exit 1; }
