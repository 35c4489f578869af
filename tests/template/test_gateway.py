"""What a caller gets through the routes and the CORS of template.yaml, from the function as `sam build` makes it."""

import json
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

import function as functions
import gateway
from expanded import TEMPLATE, resources

ORIGINS = "https://app.example.com,http://localhost:3000"
BEARER = 'Bearer realm="api"'
GREETING = {
    "/api/public": "Hello from a public endpoint! You don't need to be authenticated to see this.",
    "/api/private": "Hello from a private endpoint! You need to be authenticated to see this.",
    "/api/private-scoped": "Hello from a private endpoint! "
    "You need to be authenticated and have a scope of read:messages to see this.",
}


@pytest.fixture(scope="module")
def function(artefact, tenant, tmp_path_factory):
    environment = tenant.environment() | {"ALLOWED_ORIGINS": ORIGINS}
    with functions.running(artefact, tmp_path_factory.mktemp("artefact") / "log", environment) as function:
        yield function


@pytest.fixture(scope="module")
def call(function, tmp_path_factory):
    with calling(function, tmp_path_factory.mktemp("gateway"), AllowedOrigins=ORIGINS) as call:
        yield call


@contextmanager
def calling(function, folder, **parameters):
    """What sends a request to the gateway of a stack with these parameters, until the block ends."""
    with gateway.serving(function, folder, **parameters) as url:

        def call(method, path, **headers):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            request = urllib.request.Request(url + path, method=method, headers=headers)
            try:
                answer = functions.HTTP.open(request, timeout=30)
            except urllib.error.HTTPError as refusal:
                answer = refusal
            with answer:
                return answer.status, answer.headers, answer.read().decode()

        yield call


@pytest.mark.parametrize(
    ("path", "kind", "status", "code", "challenge"),
    [
        ("/api/public", None, 200, None, None),
        ("/api/public", "expired", 200, None, None),
        ("/api/private", None, 401, "authorization_header_missing", BEARER),
        ("/api/private", "valid", 200, None, None),
        ("/api/private", "expired", 401, "token_expired", 'error="invalid_token"'),
        ("/api/private", "wrong-audience", 401, "invalid_claims", 'error="invalid_token"'),
        ("/api/private", "bad-signature", 401, "invalid_header", 'error="invalid_token"'),
        ("/api/private-scoped", None, 401, "authorization_header_missing", BEARER),
        ("/api/private-scoped", "valid", 403, "Unauthorized", 'scope="read:messages"'),
        ("/api/private-scoped", "scoped", 200, None, None),
    ],
)
def test_each_endpoint_answers(call, tenant, path, kind, status, code, challenge):
    headers = {"Authorization": f"Bearer {tenant.token(kind)}"} if kind else {}
    actual, answer, body = call("GET", path, **headers)
    assert (actual, json.loads(body).get("code")) == (status, code)
    assert answer["content-type"] == "application/json"
    assert answer["cache-control"] == "no-store"
    if challenge:
        assert challenge in answer["www-authenticate"]
    else:
        assert answer["www-authenticate"] is None
        assert json.loads(body) == {"message": GREETING[path]}


@pytest.mark.parametrize("origin", ORIGINS.split(","))
@pytest.mark.parametrize("path", GREETING)
def test_a_preflight_is_answered_by_the_gateway(call, function, path, origin):
    before = len(function.lines())
    asks = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "authorization"}
    status, answer, body = call("OPTIONS", path, Origin=origin, **asks)
    assert (status, body) == (200, "")
    assert answer["access-control-allow-origin"] == origin
    assert set(answer["access-control-allow-methods"].split(",")) >= {"GET", "HEAD"}
    assert answer["access-control-allow-headers"] == TEMPLATE["Parameters"]["AllowedHeaders"]["Default"]
    assert answer["access-control-max-age"] == "600"
    assert answer["access-control-allow-credentials"] is None
    assert len(function.lines()) == before, "it woke the function"


def test_a_preflight_of_a_stranger_allows_nothing(call):
    asks = {"Access_Control_Request_Method": "GET"}
    status, answer, _ = call("OPTIONS", "/api/private", Origin="https://evil.example", **asks)
    assert (status, answer["access-control-allow-origin"]) == (200, None)


def test_subdomains_and_apps_are_the_function_s_to_allow(artefact, tenant, tmp_path):
    allowed = {"AllowedOrigins": "https://*.example.com, capacitor://localhost", "AllowedHeaders": "*"}
    variables = resources(**allowed)["Function"]["Properties"]["Environment"]["Variables"]
    environment = {name: variables[name] for name in ("ALLOWED_ORIGINS", "ALLOWED_HEADERS")} | tenant.environment()
    asks = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "authorization,x-of-ours"}
    with (
        functions.running(artefact, tmp_path / "log", environment) as function,
        calling(function, tmp_path, **allowed) as call,
    ):
        for origin, expected in [
            ("https://a.example.com", "https://a.example.com"),
            ("https://a.b.example.com", "https://a.b.example.com"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("https://example.com", None),
            ("https://a.example.com.evil.example", None),
            ("http://a.example.com", None),
            ("ionic://localhost", None),
        ]:
            status, answer, body = call("OPTIONS", "/api/private", Origin=origin, **asks)
            assert (status, body, answer["access-control-allow-origin"]) == (200, "", expected), origin
            assert answer["access-control-allow-headers"] == "authorization,x-of-ours", origin
            status, answer, _ = call("GET", "/api/private", Origin=origin)
            assert (status, answer["access-control-allow-origin"]) == (401, expected), origin


@pytest.mark.parametrize("kind", [None, "valid"])
def test_a_page_may_read_answers_and_refusals(call, tenant, kind):
    headers = {"Authorization": f"Bearer {tenant.token(kind)}"} if kind else {}
    _, answer, _ = call("GET", "/api/private", Origin="http://localhost:3000", **headers)
    assert answer["access-control-allow-origin"] == "http://localhost:3000"
    assert answer["vary"] == "origin"
    _, answer, _ = call("GET", "/api/private", Origin="https://evil.example", **headers)
    assert answer["access-control-allow-origin"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api"),
        ("GET", "/api/nowhere"),
        ("GET", "/api/Private"),
        ("POST", "/api/private"),
        ("PUT", "/api/public"),
        ("DELETE", "/api/private-scoped"),
    ],
)
def test_what_is_not_routed_never_wakes_the_function(call, function, method, path):
    before = len(function.lines())
    status, _, body = call(method, path)
    assert (status, json.loads(body)) == (403, {"message": "Missing Authentication Token"})
    assert len(function.lines()) == before, "it woke the function"


def test_nothing_of_the_playground_is_in_what_is_deployed(artefact):
    binary = artefact.read_bytes()
    assert b"Unable to parse authentication token." in binary
    assert b"Playground of api-authorization" not in binary


def test_it_was_one_cold_start_and_one_fetch(call, function, tenant):
    call("GET", "/api/public")
    call("GET", "/api/private", Authorization=f"Bearer {tenant.token('valid')}")
    lines = [json.loads(line) for line in function.lines() if line.startswith("{")]
    requests = [line["fields"] for line in lines if line["fields"]["message"] == "request"]
    assert [request["cold_start"] for request in requests] == [True] + [False] * (len(requests) - 1)
    assert len([line for line in lines if line["fields"]["message"] == "JWKS fetched"]) == 1
    assert all(request["api_request_id"] for request in requests)
