#!/usr/bin/env bash
# PyPI cargo-lambda 1.9.2: of two request headers of one name, `cargo lambda watch` gives a function the first alone. Its
# events are of payload 2.0, and there AWS joins them with a comma.
# Why it matters: what a function does about a repeated header (join, count, refuse) cannot be tried on one's own machine.
#
# Seen, for `X-Tag: one` and `X-Tag: two` (AWS: "one,two"):
#   x-tag: "one"
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
    _, (_, event) = request({"statusCode": 200, "cookies": []}, ("X-Tag", "one"), ("X-Tag", "two"))
tag = event["headers"]["x-tag"]
print(f"x-tag: {json.dumps(tag)}")
sys.exit(0 if tag == "one" else 1)
PYTHON
    { echo "Changed: the second header is no longer left out." >&2; exit 1; }
