"""The scripts that talk to AWS and to a tenant, with something else in AWS's place."""

import base64
import json
import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from samcli.cli.types import CfnParameterOverridesType

import function as functions
from expanded import ROOT, TEMPLATE
from test_parameters import takes

JWKS = '{"keys":[{"kty":"RSA","kid":"a kid","use":"sig","n":"x-_","e":"AQAB"}]}'
# With no keys pinned, for nothing here leaves this machine.
REQUIRED = {"AUTH0_DOMAIN": "example.eu.auth0.com", "API_AUDIENCE": "https://quickstarts/api", "PINNED_JWKS": ""}
CLAIMS = '{"org_id":["org_a","org_b"], "azp":"client", "level":2, "https://example.com/beta":true, "plan":"two, three"}'


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
        "Issuers": "",
        "JwksUri": "",
        "PinnedJwks": "",
        "ApiAudience": "https://quickstarts/api",
        "Architecture": "arm64",
    }


@pytest.mark.parametrize(
    ("variable", "parameter", "value"),
    [
        ("AUTH0_DOMAIN", "Auth0Domain", "https://login.example.com/, example.eu.auth0.com"),
        ("API_AUDIENCE", "ApiAudience", "https://quickstarts/api, urn:my-api"),
        ("ARCH", "Architecture", "x86_64"),
        ("ISSUERS", "Issuers", "https://login.example.com/realms/a, https://b.example"),
        ("JWKS_URI", "JwksUri", "https://login.example.com/keys?tenant=a"),
        ("GRANTS", "Grants", "scope, permissions"),
        ("EXPECTED_CLAIMS", "ExpectedClaims", CLAIMS),
        ("EXPECTED_CLAIMS", "ExpectedClaims", ""),
        ("PINNED_JWKS", "PinnedJwks", '{"https://a.example/":%s, "https://b.example":%s}' % (JWKS, JWKS)),
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
        ("RESOURCE_URL", "ResourceUrl", "https://api.example.com/mcp"),
        ("RESOURCE_URL", "ResourceUrl", "off"),
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
    assert takes(parameter, value)


def test_deploy_leaves_as_it_is_what_cannot_be_empty(sam):
    status, _, (_, deploy) = sam("deploy", **REQUIRED, ALLOWED_ORIGINS="", ALLOWED_HEADERS="", GRANTS="")
    assert (status, {"AllowedOrigins", "AllowedHeaders", "Grants"} & given(deploy).keys()) == (0, set())


def test_deploy_takes_issuers_in_the_place_of_a_domain(sam):
    environment = {"ISSUERS": "https://a.example", "API_AUDIENCE": "a", "PINNED_JWKS": ""}
    status, _, (_, deploy) = sam("deploy", **environment)
    # The domain of an earlier deployment is trusted no more.
    assert (status, given(deploy)["Auth0Domain"], given(deploy)["Issuers"]) == (0, "", "https://a.example")


@pytest.mark.parametrize(
    ("given_as", "status"),
    [
        ({"AUTH0_AUDIENCE": "a"}, 0),
        ({"AUTH0_AUDIENCE": "a", "API_AUDIENCE": ""}, 0),
        ({"AUTH0_AUDIENCE": "", "API_AUDIENCE": "a"}, 0),
        ({"AUTH0_AUDIENCE": "a", "API_AUDIENCE": "a"}, 0),
        ({"AUTH0_AUDIENCE": "b", "API_AUDIENCE": "a"}, 1),
    ],
)
def test_deploy_knows_the_audience_by_two_names(sam, given_as, status):
    code, printed, calls = sam("deploy", AUTH0_DOMAIN="a.example", PINNED_JWKS="", **given_as)
    assert code == status
    assert [given(call)["ApiAudience"] for call in calls] == ([] if status else ["a", "a"])
    assert ("API_AUDIENCE is a and AUTH0_AUDIENCE is b: they are two names for one" in printed) == bool(status)


def test_deploy_pins_the_keys_of_today(sam, tenant):
    unset = {name: value for name, value in REQUIRED.items() if name != "PINNED_JWKS"}
    status, printed, (build, deploy) = sam("deploy", **unset, JWKS_URI=tenant.jwks_uri)
    assert status == 0
    assert "Pinned the signing keys of today (1), so that a cold start needs no network." in printed
    _, line, _ = run("keys", JWKS_URI=tenant.jwks_uri)
    assert given(build)["PinnedJwks"] == given(deploy)["PinnedJwks"] == line.strip()


def test_deploy_pins_the_keys_of_each_issuer(sam, tenant):
    # Two domains that share their keys, and an issuer that nobody can reach.
    domains = {"AUTH0_DOMAIN": "a.example, b.example", "API_AUDIENCE": "a"}
    status, printed, (_, deploy) = sam("deploy", **domains, JWKS_URI=tenant.jwks_uri)
    assert (status, "keys of today (2)" in printed) == (0, True)
    assert json.loads(given(deploy)["PinnedJwks"]).keys() == {"https://a.example/", "https://b.example/"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (None, "gives no keys: curl: (7)"),
        ("<html>", "What is there is no JWKS"),
        (JWKS, "It has no key that the function could use."),
    ],
)
def test_deploy_goes_on_without_keys_that_it_cannot_pin(sam, publish, body, sentence):
    unset = {name: value for name, value in REQUIRED.items() if name != "PINNED_JWKS"}
    uri = publish(body) if body else f"http://127.0.0.1:{functions.free_port()}/"
    status, printed, (_, deploy) = sam("deploy", **unset, JWKS_URI=uri)
    # Empty, not left out: the stack may hold keys that have been withdrawn since.
    assert (status, given(deploy)["PinnedJwks"]) == (0, "")
    assert sentence in printed and "Pinned no signing keys: the function fetches them itself." in printed


def test_deploy_goes_on_without_keys_that_do_not_fit(sam, publish, tenant):
    with functions.HTTP.open(tenant.jwks_uri, timeout=30) as answer:
        (key,) = json.load(answer)["keys"]
    uri = publish(json.dumps({"keys": [key | {"kid": f"{n}"} for n in range(9)]}))
    unset = {name: value for name, value in REQUIRED.items() if name != "PINNED_JWKS"}
    status, printed, (_, deploy) = sam("deploy", **unset, JWKS_URI=uri)
    assert (status, given(deploy)["PinnedJwks"]) == (0, "")
    assert "Lambda's 4 KB of environment have room for" in printed and "Pinned no signing keys" in printed


def test_deploy_reaches_every_parameter():
    script = (ROOT / "scripts/deploy").read_text()
    assert [name for name in TEMPLATE["Parameters"] if f"parameter {name} " not in script] == []


def test_routes_prints_what_the_function_does(binary):
    printed = subprocess.run([binary, "routes"], capture_output=True, text=True, check=True).stdout
    made = subprocess.run(["make", "--silent", "routes"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert made == printed


@pytest.mark.parametrize(
    ("words", "unknown"),
    [
        (["EXPECTED_CLAIM={}"], "EXPECTED_CLAIM"),
        (["GRANTS=scope", "Grants=scope"], "Grants"),
        (["EXPECTED_CLAIMS={}", "GRANTS=scope", "PINNED_JWKS="], ""),
        ([], ""),
    ],
)
def test_make_knows_its_settings(words, unknown):
    # By itself: what a make that runs these tests hands on would count, too.
    environment = {"PATH": os.environ["PATH"]}
    made = subprocess.run(
        ["make", "--dry-run", "deploy", *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (made.returncode, made.stdout) == ((2, "") if unknown else (0, "scripts/deploy\n"))
    assert f"no setting of that name: {unknown}." in made.stderr if unknown else made.stderr == ""


def test_make_knows_all_settings():
    settings = (ROOT / "Makefile").read_text().replace("\\\n", " ").split("\nsettings = ")[1].split("\n")[0].split()
    readme = re.findall(r"^\| `([A-Z][A-Z0-9_]+)`", (ROOT / "README.md").read_text(), re.MULTILINE)
    scripts = "".join(path.read_text() for path in (ROOT / "scripts").iterdir() if path.is_file())
    scripts = re.findall(r"\$\{([A-Z][A-Z0-9_]+):?[-+]", scripts)
    assert [name for name in readme + scripts if name not in settings] == []


def test_deploy_to_another_stack(sam):
    _, _, (_, deploy) = sam("deploy", **REQUIRED, STACK="staging")
    assert deploy[:3] == ["deploy", "--stack-name", "staging"]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"API_AUDIENCE": "a"}, "AUTH0_DOMAIN is missing: make deploy AUTH0_DOMAIN="),
        ({"AUTH0_DOMAIN": "a.b"}, "API_AUDIENCE is missing: make deploy AUTH0_DOMAIN="),
        (REQUIRED | {"PINNED_JWKS": "a\\b"}, "PinnedJwks must not have a backslash in it: a\\b"),
        (REQUIRED | {"EXPECTED_CLAIMS": '{"a":"\\n"}'}, "ExpectedClaims must not have a backslash in it: "),
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


@pytest.mark.parametrize("more", ["", ",login.example.com"])
def test_a_function_with_pinned_keys_needs_no_network(binary, tenant, tmp_path, more):
    domains = {"AUTH0_DOMAIN": tenant.domain + more}
    _, line, _ = run("keys", **domains, JWKS_URI=tenant.jwks_uri)
    nobody = domains | {"PINNED_JWKS": line, "JWKS_URI": f"http://127.0.0.1:{functions.free_port()}/"}
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
def site():
    """A site on this machine: `site.url`, and `site.pages`, a body for each path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = self.server.pages.get(self.path, (404, ""))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url, server.pages = f"http://127.0.0.1:{server.server_port}", {}
    threading.Thread(target=server.serve_forever).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def publish(site):
    """Serves a JWKS; its address."""

    def publish(body, status=200):
        site.pages["/jwks"] = (status, body)
        return f"{site.url}/jwks"

    return publish


@pytest.fixture
def published(site, publish, tenant):
    """Keys that can be used, at the site's /jwks; the line for them."""
    with functions.HTTP.open(tenant.jwks_uri, timeout=30) as answer:
        publish(answer.read().decode())
    _, line, _ = run("keys", JWKS_URI=f"{site.url}/jwks")
    return json.loads(line)


def metadata(site, path, **members):
    members = {"issuer": site.url, "jwks_uri": f"{site.url}/jwks"} | members
    site.pages[path] = (200, json.dumps({name: value for name, value in members.items() if value is not None}))


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
    ("issuer", "path"),
    [
        ("", "/.well-known/oauth-authorization-server"),
        ("", "/.well-known/openid-configuration"),
        ("/", "/.well-known/openid-configuration"),
        ("/realms/a", "/.well-known/oauth-authorization-server/realms/a"),
        ("/realms/a", "/.well-known/openid-configuration/realms/a"),
        ("/realms/a", "/realms/a/.well-known/openid-configuration"),
        ("/realms/a/", "/.well-known/oauth-authorization-server/realms/a"),
        ("/realms/a/", "/realms/a/.well-known/openid-configuration"),
    ],
)
def test_keys_of_an_issuer_are_where_its_metadata_say(site, published, issuer, path):
    metadata(site, path, issuer=site.url + issuer)
    status, line, err = run("keys", ISSUERS=site.url + issuer)
    assert (status, err, json.loads(line)) == (0, "", published)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"issuer": "http://127.0.0.1"}, "is not of the issuer"),
        ({"issuer": None}, "is not of the issuer"),
        ({"issuer": "https://b.example/"}, "is not of the issuer"),
        ({"jwks_uri": None}, "/.well-known/openid-configuration has no jwks_uri."),
        ({"jwks_uri": 7}, "/.well-known/openid-configuration has no jwks_uri."),
        ({"jwks_uri": "http://b.example/jwks"}, "http://b.example/jwks is no https URL"),
    ],
)
def test_keys_says_what_is_wrong_with_metadata(site, published, members, sentence):
    metadata(site, "/.well-known/openid-configuration", **members)
    status, out, err = run("keys", ISSUERS=site.url)
    assert (status, out) == (1, "")
    assert sentence in err and "Traceback" not in err


def test_keys_of_several_issuers_are_told_apart(site, published):
    metadata(site, "/.well-known/openid-configuration")
    metadata(site, "/a/.well-known/openid-configuration", issuer=f"{site.url}/a")
    status, line, err = run("keys", ISSUERS=f"{site.url} , {site.url}/a")
    assert (status, err) == (0, "")
    assert json.loads(line) == {site.url: published, f"{site.url}/a": published}
    assert takes("PinnedJwks", line.strip())


def test_keys_of_domains_that_share_them(site, published):
    domains = " https://Login.example.com/ ,example.eu.auth0.com:443"
    status, line, err = run("keys", AUTH0_DOMAIN=domains, JWKS_URI=f"{site.url}/jwks")
    assert (status, err) == (0, "")
    assert json.loads(line) == {"https://login.example.com/": published, "https://example.eu.auth0.com/": published}
    assert takes("PinnedJwks", line.strip())


def test_keys_leaves_out_an_issuer_that_is_down(site, published):
    metadata(site, "/.well-known/openid-configuration")
    status, line, err = run("keys", ISSUERS=f"{site.url},{site.url}/a", AUTH0_DOMAIN="127.0.0.1:1")
    assert (status, json.loads(line)) == (0, {site.url: published})
    assert "Left out https://127.0.0.1:1/: https://127.0.0.1:1/.well-known/jwks.json gives no keys: curl: (7)" in err
    assert f"Left out {site.url}/a: {site.url}/a has no metadata: " in err
    status, line, err = run("keys", ISSUERS=f"{site.url}/a,{site.url}/b")
    assert (status, line) == (1, "")
    assert "No issuer has keys that can be had." in err


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
    room = TEMPLATE["Parameters"]["PinnedJwks"]["MaxLength"]
    assert f"Lambda's 4 KB of environment have room for {room}: leave PINNED_JWKS empty" in err


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "AUTH0_DOMAIN is missing: make keys AUTH0_DOMAIN=your-tenant.us.auth0.com"),
        ({"ISSUERS": "https://a.example,https://b.example", "JWKS_URI": "https://c.example"}, "JWKS_URI is set for several"),
        ({"ISSUERS": "https://a.example", "AUTH0_DOMAIN": "b.example", "JWKS_URI": "https://c.example"}, "JWKS_URI is set for"),
        ({"ISSUERS": "http://a.example"}, "http://a.example is no https URL"),
        ({"ISSUERS": "http://127.0.0.1:1/a"}, "http://127.0.0.1:1/a has no metadata: neither oauth-authorization-server nor"),
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
