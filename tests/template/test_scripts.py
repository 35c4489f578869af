"""The scripts that talk to AWS and to a tenant, with something else in AWS's place."""

import base64
import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from samcli.cli.types import CfnParameterOverridesType

import function as functions
from expanded import ROOT, TEMPLATE
from test_parameters import takes

JWKS = '{"keys":[{"kty":"RSA","kid":"a kid","use":"sig","n":"x-_","e":"AQAB"}]}'
REQUIRED = {"AUTH0_DOMAIN": "example.eu.auth0.com", "API_AUDIENCE": "https://quickstarts/api"}


def run(script, **environment):
    """Runs a script as `make` does; its exit status and what it printed."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | environment
    done = subprocess.run(
        [ROOT / "scripts" / script], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def sam(tmp_path):
    """A SAM CLI that writes down how it is called."""
    calls = tmp_path / "calls"
    stub = tmp_path / "sam"
    stub.write_text(f'#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done >>"{calls}"; printf "\\n" >>"{calls}"\n')
    stub.chmod(0o755)

    def called(script, **environment):
        calls.write_text("")
        status, out, err = run(script, PATH=f"{tmp_path}:{os.environ['PATH']}", **environment)
        return status, out + err, [line.split("\0")[:-1] for line in calls.read_text().splitlines()]

    return called


def given(call):
    """The parameters of a call, as SAM reads them."""
    words = call[call.index("--parameter-overrides") + 1 :]
    return CfnParameterOverridesType().convert(tuple(words), None, None)


def test_deploy_builds_and_deploys_with_two_parameters(sam):
    status, _, (build, deploy) = sam("deploy", **REQUIRED)
    assert (status, build[0], deploy[0]) == (0, "build", "deploy")
    assert "--stack-name" not in deploy
    assert given(build) == given(deploy) == {
        "Auth0Domain": "example.eu.auth0.com",
        "ApiAudience": "https://quickstarts/api",
        "Architecture": "arm64",
    }


@pytest.mark.parametrize(
    ("variable", "parameter", "value"),
    [
        ("AUTH0_DOMAIN", "Auth0Domain", "https://login.example.com/, example.eu.auth0.com"),
        ("API_AUDIENCE", "ApiAudience", "https://quickstarts/api, urn:my-api"),
        ("ARCH", "Architecture", "x86_64"),
        ("PINNED_JWKS", "PinnedJwks", JWKS),
        ("PINNED_JWKS", "PinnedJwks", ""),
        ("ALLOWED_ORIGINS", "AllowedOrigins", "https://a.example, https://b.example"),
        ("ALLOWED_ORIGINS", "AllowedOrigins", "https://*.example.com,capacitor://localhost"),
        ("ALLOWED_HEADERS", "AllowedHeaders", "authorization, x-a"),
        ("ALLOWED_HEADERS", "AllowedHeaders", "*"),
        ("ANONYMOUS_SESSIONS", "AnonymousSessions", "allowed"),
        ("ANONYMOUS_SESSIONS", "AnonymousSessions", "refused"),
        ("BASE_PATH", "BasePath", "/v1"),
        ("BASE_PATH", "BasePath", ""),
        ("ALARM_TOPIC_ARN", "AlarmTopicArn", "arn:aws:sns:eu-central-1:123456789012:alarms"),
        ("ALARM_TOPIC_ARN", "AlarmTopicArn", ""),
        ("TRACING", "Tracing", "Active"),
        ("LOG_LEVEL", "LogLevel", "DEBUG"),
        ("LOG_RETENTION_DAYS", "LogRetentionDays", "90"),
        ("RESERVED_CONCURRENCY", "ReservedConcurrency", "-1"),
        ("THROTTLING_RATE", "ThrottlingRate", "10"),
        ("THROTTLING_BURST", "ThrottlingBurst", "20"),
        ("REFUSALS_ALARM", "RefusalsAlarm", "50"),
    ],
)
def test_deploy_hands_on_each_variable_as_it_is(sam, variable, parameter, value):
    assert parameter in TEMPLATE["Parameters"]
    status, _, (build, deploy) = sam("deploy", **(REQUIRED | {variable: value}))
    assert (status, given(build)[parameter], given(deploy)[parameter]) == (0, value, value)


def test_deploy_leaves_what_cors_allows_as_it_is_where_nothing_is_given(sam):
    status, _, (_, deploy) = sam("deploy", **REQUIRED, ALLOWED_ORIGINS="", ALLOWED_HEADERS="")
    assert (status, {"AllowedOrigins", "AllowedHeaders"} & given(deploy).keys()) == (0, set())


def test_deploy_reaches_every_parameter():
    script = (ROOT / "scripts/deploy").read_text()
    assert [name for name in TEMPLATE["Parameters"] if f"parameter {name} " not in script] == []


def test_routes_prints_what_the_function_does(binary):
    printed = subprocess.run([binary, "routes"], capture_output=True, text=True, check=True).stdout
    made = subprocess.run(["make", "--silent", "routes"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert made == printed


def test_deploy_to_another_stack(sam):
    _, _, (_, deploy) = sam("deploy", **REQUIRED, STACK="staging")
    assert deploy[:3] == ["deploy", "--stack-name", "staging"]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"API_AUDIENCE": "a"}, "AUTH0_DOMAIN is missing: make deploy AUTH0_DOMAIN="),
        ({"AUTH0_DOMAIN": "a.b"}, "API_AUDIENCE is missing: make deploy AUTH0_DOMAIN="),
        (REQUIRED | {"PINNED_JWKS": "a\\b"}, "PinnedJwks must not have a backslash in it: a\\b"),
    ],
)
def test_deploy_says_what_is_missing(sam, environment, sentence):
    status, printed, calls = sam("deploy", **environment)
    assert (status, calls) == (1, [])
    assert sentence in printed


def test_logs_follows_both(sam):
    status, _, (call,) = sam("logs", STACK="staging")
    assert status == 0
    groups = ["--cw-log-group", "/aws/lambda/staging", "--cw-log-group", "/aws/vendedlogs/staging"]
    assert call == ["logs", "--tail", *groups]


def test_build_refuses_another_processor():
    status, _, err = run("build", ARCH="riscv")
    assert (status, err.strip()) == (1, "ARCH is riscv: it must be arm64 or x86_64.")


def test_keys_of_the_tenant_are_what_the_template_takes(tenant):
    status, line, err = run("keys", JWKS_URI=tenant.jwks_uri)
    assert (status, line.count("\n"), err) == (0, 1, "")
    assert takes("PinnedJwks", line.strip())
    with functions.HTTP.open(tenant.jwks_uri, timeout=30) as answer:
        (published,) = json.load(answer)["keys"]
    (printed,) = json.loads(line)["keys"]
    assert list(printed) == [name for name in ("kty", "kid", "use", "alg", "n", "e") if name in published]
    assert printed.items() <= published.items()


def test_a_function_with_pinned_keys_needs_no_network(binary, tenant, tmp_path):
    _, line, _ = run("keys", JWKS_URI=tenant.jwks_uri)
    nobody = {"PINNED_JWKS": line, "JWKS_URI": f"http://127.0.0.1:{functions.free_port()}/"}
    event = json.loads((ROOT / "events/private.json").read_text())
    event["headers"]["authorization"] = f"Bearer {tenant.token('valid')}"
    with functions.running(binary, tmp_path / "log", tenant.environment() | nobody) as function:
        # The first one starts a fetch, which nobody waits for.
        assert [function.invoke(event)["statusCode"] for _ in range(2)] == [200, 200]


def encoded(number):
    return base64.urlsafe_b64encode(number).decode().rstrip("=")


def decoded(number):
    return base64.urlsafe_b64decode(number + "==")


@pytest.fixture
def publish():
    """Serves a JWKS; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(self.server.status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", str(len(self.server.body)))
            self.end_headers()
            self.wfile.write(self.server.body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()

    def publish(body, status=200):
        server.body, server.status = body.encode(), status
        return f"http://127.0.0.1:{server.server_port}/jwks"

    yield publish
    server.shutdown()
    server.server_close()


def test_keys_leaves_out_what_the_function_does(publish, tenant, binary, tmp_path):
    with functions.HTTP.open(tenant.jwks_uri, timeout=30) as answer:
        (good,) = json.load(answer)["keys"]
    good |= {"kid": "good", "x5t": "A", "x5c": ["A"]}
    bare = {name: good[name] for name in ("kty", "n", "e")} | {"kid": "bare"}
    odd = [
        7,
        {},
        good | {"kty": "EC"},
        good | {"use": "enc"},
        good | {"alg": "RS512"},
        good | {"key_ops": ["sign"]},
        good | {"key_ops": "verify"},
        good | {"key_ops": ["verify", 1]},
        good | {"d": "AQAB"},
        good | {"kid": None},
        good | {"kid": ""},
        good | {"kid": "k" * 257},
        good | {"kid": "\ud800"},
        good | {"n": None},
        good | {"n": good["n"] + "="},
        good | {"n": good["n"][:200]},
        good | {"n": encoded(b"\1" + b"\xff" * 1024)},
        good | {"n": good["n"][:-4] + "AAAA"},
        good | {"n": "!"},
        good | {"e": ""},
        good | {"e": "AQ"},
        good | {"e": "AQAA"},
        good | {"e": encoded(b"\2\0\0\0\1")},
        good | {"e": None},
    ]
    # As many oddities a key as it may have: all four must fit into the line.
    plain = [
        good | {"kid": "k" * 256, "key_ops": ["verify"], "use": None, "alg": None, "d": None, "e": "Aw"},
        good | {"kid": "zeros", "n": encoded(b"\0\0\0" + decoded(good["n"])), "e": encoded(b"\0\1\xff\xff\xff\xff")},
        bare | {"kid": "8192", "n": encoded(b"\xff" * 1024), "note": "\ud800"},
    ]
    repeated = ['{"%s":1,%s' % (name, json.dumps(bare)[1:]) for name in ("kid", "note")]
    repeated[1] = repeated[1].replace("{", '{"note":2,')
    repeated.append('{"d":null,"d":null,%s' % json.dumps(bare)[1:])
    uri = publish('{"keys":[%s]}' % ",".join([*map(json.dumps, plain + odd), *repeated]))

    status, line, err = run("keys", JWKS_URI=uri)
    assert status == 0, err
    kept = ["k" * 256, "zeros", "8192", "bare"]
    assert [key["kid"] for key in json.loads(line)["keys"]] == kept
    assert list(json.loads(line)["keys"][0]) == list(json.loads(line)["keys"][3]) == ["kty", "kid", "n", "e"]
    left_out = [line for line in err.splitlines() if line.startswith("Left out key ")]
    assert len(left_out) == len(odd) + 2

    event = json.loads((ROOT / "events/public.json").read_text())
    with functions.running(binary, tmp_path / "log", tenant.environment() | {"JWKS_URI": uri}) as function:
        function.invoke(event)
        lines = [json.loads(line)["fields"] for line in function.lines() if line.startswith("{")]
    skipped = [line["index"] for line in lines if line["message"] == "JWKS: key skipped"]
    assert [f"Left out key {index}" for index in skipped] == [line.partition(":")[0] for line in left_out]
    assert [line["keys"] for line in lines if line["message"] == "JWKS fetched"] == [len(kept)]


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ("<html>", 200, "What is there is no JWKS: a JSON object with a list of keys."),
        ("[]", 200, "What is there is no JWKS: a JSON object with a list of keys."),
        ('{"keys":{}}', 200, "What is there is no JWKS: a JSON object with a list of keys."),
        ('{"keys":[],"keys":[]}', 200, "What is there is no JWKS: a JSON object with a list of keys."),
        ('{"keys":[]}', 200, "It has no key that the function could use."),
        (JWKS, 302, "gives no keys: status 302"),
        (JWKS, 404, "404"),
        (json.dumps({"keys": [{}] * 501}), 200, "There are more than 500 keys, of which the function takes none."),
        (" " * 524289, 200, "gives no keys: "),
    ],
)
def test_keys_says_why_there_are_none(publish, body, status, sentence):
    code, out, err = run("keys", JWKS_URI=publish(body, status))
    assert (code, out) == (1, "")
    assert sentence in err and "Traceback" not in err


def test_keys_says_when_they_are_too_many(publish, tenant):
    with functions.HTTP.open(tenant.jwks_uri, timeout=30) as answer:
        (key,) = json.load(answer)["keys"]
    code, out, err = run("keys", JWKS_URI=publish(json.dumps({"keys": [key | {"kid": f"{n}"} for n in range(9)]})))
    assert (code, out) == (1, "")
    assert "Lambda's 4 KB of environment have room for 3584: leave PINNED_JWKS empty" in err
    assert TEMPLATE["Parameters"]["PinnedJwks"]["MaxLength"] == 3584


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "AUTH0_DOMAIN is missing: make keys AUTH0_DOMAIN=your-tenant.us.auth0.com"),
        ({"JWKS_URI": "http://example.com/jwks"}, "http://example.com/jwks is no https URL"),
        ({"JWKS_URI": "file:///etc/passwd"}, "file:///etc/passwd is no https URL"),
        ({"JWKS_URI": "https://["}, "https://[ is no https URL"),
        ({"AUTH0_DOMAIN": "127.0.0.1:1"}, "https://127.0.0.1:1/.well-known/jwks.json gives no keys: curl: (7)"),
        ({"JWKS_URI": "http://127.0.0.1:1/"}, "http://127.0.0.1:1/ gives no keys: curl: (7)"),
    ],
)
def test_keys_says_what_is_wrong_with_where_they_are(environment, sentence):
    code, out, err = run("keys", **environment)
    assert (code, out) == (1, "")
    assert sentence in err and "Traceback" not in err
