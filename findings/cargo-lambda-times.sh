#!/usr/bin/env bash
# PyPI cargo-lambda 1.9.2: the two times that `cargo lambda watch` gives a function are in other units than AWS's.
# `lambda-runtime-deadline-ms` is the moment at which an invocation ends, in ms since 1970; here it is how long one may take,
# so that each deadline is in January 1970. `requestContext.timeEpoch` is in ms, too; here it is in seconds.
# Why it matters: a function that asks how much time it has left (to fetch keys, say) is told that there is none.
#
# Seen, on 28 November 2026:
#   lambda-runtime-deadline-ms  600000         1970-01-01T00:10:00Z
#   requestContext.timeEpoch    1795860194     1970-01-21T18:51:00Z
set -euo pipefail
findings=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet cargo-lambda==1.9.2
PATH=$work/venv/bin:$PATH PYTHONPATH=$findings python3 -B - <<'PYTHON' ||
import sys
import time
from datetime import datetime, timezone
from watch import watch

with watch() as request:
    _, (given, event) = request({"statusCode": 200, "cookies": []})
deadline = int(given["lambda-runtime-deadline-ms"])
epoch = event["requestContext"]["timeEpoch"]
for name, value in [("lambda-runtime-deadline-ms", deadline), ("requestContext.timeEpoch", epoch)]:
    print(f"{name:27} {value:<14} {datetime.fromtimestamp(value / 1000, timezone.utc):%Y-%m-%dT%H:%M:%SZ}")
sys.exit(0 if deadline == 600_000 and abs(epoch - time.time()) < 60 else 1)
PYTHON
    { echo "Changed: these times are other ones." >&2; exit 1; }
