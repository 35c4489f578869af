#!/usr/bin/env bash
# PyPI cargo-lambda 1.9.2: `cargo lambda watch` sends a function events of payload 2.0, and answers 500 to its answer if that
# has no list `cookies`. AWS asks for none: API Gateway and Function URLs take an answer with `statusCode` and `body` alone.
# lambda_http always writes the list, so that only functions that build the answer themselves meet it: in the cloud they work.
# No function in Rust is needed to see it: watch.py answers by the Runtime API.
#
# Seen:
#   {"statusCode": 200, "body": "hello", "cookies": []}    200 hello
#   {"statusCode": 200, "body": "hello"}                   500 {"type":"https://httpstatuses.com/500","status":500,"title":"Internal Server Error"}
set -euo pipefail
findings=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet cargo-lambda==1.9.2
PATH=$work/venv/bin:$PATH PYTHONPATH=$findings python3 -B - <<'PYTHON' ||
import json
import sys
from watch import watch

with watch() as request:
    statuses = []
    for answer in [{"statusCode": 200, "body": "hello", "cookies": []}, {"statusCode": 200, "body": "hello"}]:
        (status, body), _ = request(answer)
        print(f"{json.dumps(answer):54} {status} {body}")
        statuses.append(status)
sys.exit(0 if statuses == [200, 500] else 1)
PYTHON
    { echo "Changed: an answer without cookies is passed on." >&2; exit 1; }
