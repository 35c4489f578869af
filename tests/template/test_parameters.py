"""The parameters of template.yaml: what each takes, and what the function then says to it."""

import json
import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import function as functions
from expanded import ROOT, TEMPLATE, holds, resources

PARAMETERS = TEMPLATE["Parameters"]
INTERFACE = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]

BOTH, NEITHER = (True, True), (False, False)
# What the function takes as well: another way to spell the same, or a name that leads nowhere.
FUNCTION_ALONE = (False, True)
# What a pattern cannot tell. The function's log then tells how to mend it.
TEMPLATE_ALONE = (True, False)

# A parameter, a value, and whether the template and the function take it.
BECOMES_A_VARIABLE = [
    ("Auth0Domain", "example.eu.auth0.com", BOTH),
    ("Auth0Domain", "Login.Example.com", BOTH),
    ("Auth0Domain", "a-b.example", BOTH),
    ("Auth0Domain", "example.eu.auth0.com:8443", BOTH),
    ("Auth0Domain", "example.com/", BOTH),
    ("Auth0Domain", "https://example.com", BOTH),
    ("Auth0Domain", "https://example.com/", BOTH),
    ("Auth0Domain", "login.example.com,example.eu.auth0.com", BOTH),
    ("Auth0Domain", " https://login.example.com/ ,  example.eu.auth0.com ", BOTH),
    ("Auth0Domain", "", TEMPLATE_ALONE),  # but for its rules, see below
    ("Auth0Domain", "YOUR_DOMAIN", NEITHER),
    ("Auth0Domain", "YOUR_AUTH0_DOMAIN", NEITHER),
    ("Auth0Domain", "your_domain.auth0.com", NEITHER),
    ("Auth0Domain", "{yourDomain}", NEITHER),
    ("Auth0Domain", "https://{yourDomain}/", NEITHER),
    ("Auth0Domain", "your-tenant.us.auth0.com", NEITHER),
    ("Auth0Domain", "https://your-domain.auth0.com", NEITHER),
    ("Auth0Domain", "example.com,{yourDomain}", NEITHER),
    ("Auth0Domain", '"example.com"', NEITHER),
    ("Auth0Domain", "'example.com'", NEITHER),
    ("Auth0Domain", "[example.com]", NEITHER),
    ("Auth0Domain", "http://example.com", NEITHER),
    ("Auth0Domain", "example.com/tenant", NEITHER),
    ("Auth0Domain", "example.com//", NEITHER),
    ("Auth0Domain", "user@example.com", NEITHER),
    ("Auth0Domain", "example.com?a", NEITHER),
    ("Auth0Domain", "exam ple.com", NEITHER),
    ("Auth0Domain", "example..com", NEITHER),
    ("Auth0Domain", "example.com,", NEITHER),
    ("Auth0Domain", ",example.com", NEITHER),
    ("Auth0Domain", "a.example,,b.example", NEITHER),
    ("Auth0Domain", "a.example b.example", NEITHER),
    ("Auth0Domain", "HTTPS://example.com", FUNCTION_ALONE),
    ("Auth0Domain", "localhost", FUNCTION_ALONE),
    ("Auth0Domain", "1.2.3.4.5", TEMPLATE_ALONE),
    ("Auth0Domain", "example.com,https://EXAMPLE.com/", TEMPLATE_ALONE),
    ("Issuers", "https://localhost:1/realms/main", BOTH),
    ("Issuers", "https://login.example.com", BOTH),
    ("Issuers", "https://login.example.com/", BOTH),
    ("Issuers", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_aB3", BOTH),
    ("Issuers", "https://login.example.com:8443/a%20b/c~d/", BOTH),
    ("Issuers", " https://localhost:1 ,https://localhost:2/a ", BOTH),
    ("Issuers", "", BOTH),
    ("Issuers", "login.example.com", NEITHER),
    ("Issuers", "http://login.example.com", NEITHER),
    ("Issuers", "https://Login.example.com", NEITHER),
    ("Issuers", "https://login.example.com?a", NEITHER),
    ("Issuers", "https://login.example.com/?a=b", NEITHER),
    ("Issuers", "https://login.example.com/#a", NEITHER),
    ("Issuers", "https://user@login.example.com", NEITHER),
    ("Issuers", "https://login.example.com:443", NEITHER),
    ("Issuers", "https://login.example.com/a b", NEITHER),
    ("Issuers", '"https://login.example.com"', NEITHER),
    ("Issuers", "https://{yourDomain}/", NEITHER),
    ("Issuers", "https://localhost:1,", NEITHER),
    ("Issuers", "https://localhost:1,,https://localhost:2", NEITHER),
    ("Issuers", "http://localhost:8000", FUNCTION_ALONE),
    ("Issuers", "https://login.example.com/a/../b", TEMPLATE_ALONE),
    ("Issuers", "https://localhost:1,https://localhost:1", TEMPLATE_ALONE),
    ("JwksUri", "", BOTH),
    ("JwksUri", "https://localhost:1", BOTH),
    ("JwksUri", " https://localhost:1/keys?tenant=a ", BOTH),
    ("JwksUri", "http://login.example.com/keys", NEITHER),
    ("JwksUri", "login.example.com/keys", NEITHER),
    ("JwksUri", "https://", NEITHER),
    ("JwksUri", '"https://login.example.com/keys"', NEITHER),
    ("JwksUri", "http://localhost:1/keys", FUNCTION_ALONE),
    ("ApiAudience", "https://quickstarts/api", BOTH),
    ("ApiAudience", "urn:my-api", BOTH),
    ("ApiAudience", "yours", BOTH),
    ("ApiAudience", "https://quickstarts/api,urn:my-api", BOTH),
    ("ApiAudience", "  https://quickstarts/api , urn:my-api ", BOTH),
    ("ApiAudience", "", NEITHER),
    ("ApiAudience", "YOUR_API_AUDIENCE", NEITHER),
    ("ApiAudience", "your_api_identifier", NEITHER),
    ("ApiAudience", "YOUR_API_AUDIENCE_2", NEITHER),
    ("ApiAudience", "https://quickstarts/api,YOUR_API_IDENTIFIER", NEITHER),
    ("ApiAudience", "{yourApiIdentifier}", NEITHER),
    ("ApiAudience", "{yourAudience}", NEITHER),
    ("ApiAudience", "<your-api>", NEITHER),
    ("ApiAudience", '"https://quickstarts/api"', NEITHER),
    ("ApiAudience", "'https://quickstarts/api'", NEITHER),
    ("ApiAudience", "`https://quickstarts/api`", NEITHER),
    ("ApiAudience", '["https://quickstarts/api"]', NEITHER),
    ("ApiAudience", "[https://quickstarts/api]", NEITHER),
    ("ApiAudience", "https://quickstarts/{api}", NEITHER),
    ("ApiAudience", "two words", NEITHER),
    ("ApiAudience", "https://quickstarts/api,", NEITHER),
    ("ApiAudience", "a,,b", NEITHER),
    ("Grants", "scope", BOTH),
    ("Grants", "permissions", BOTH),
    ("Grants", "scope,permissions", BOTH),
    ("Grants", " permissions , scope ", BOTH),
    ("Grants", "", FUNCTION_ALONE),
    ("Grants", "Scope", NEITHER),
    ("Grants", "scopes", NEITHER),
    ("Grants", "scope permissions", NEITHER),
    ("Grants", "scope,", NEITHER),
    ("Grants", "scope,roles", NEITHER),
    ("ExpectedClaims", "", BOTH),
    ("ExpectedClaims", '{"org_id":["org_a","org_b"],"azp":"client"}', BOTH),
    ("ExpectedClaims", ' { "level": 2, "https://example.com/beta": true } ', BOTH),
    ("ExpectedClaims", "{}", NEITHER),
    ("ExpectedClaims", "org_id", NEITHER),
    ("ExpectedClaims", "org_id=org_a", NEITHER),
    ("ExpectedClaims", '["org_a"]', NEITHER),
    ("ExpectedClaims", "{org_id:org_a}", NEITHER),
    ("ExpectedClaims", "{'org_id':'org_a'}", NEITHER),
    ("ExpectedClaims", '{"org_id":"org_a"', NEITHER),
    ("ExpectedClaims", '{"org_id":"org_a",}', TEMPLATE_ALONE),
    ("ExpectedClaims", '{"org_id":null}', TEMPLATE_ALONE),
    ("ExpectedClaims", '{"org_id":[]}', TEMPLATE_ALONE),
    ("ExpectedClaims", '{"org_id":{"a":"b"}}', TEMPLATE_ALONE),
    ("ExpectedClaims", '{"iss":"https://example.eu.auth0.com/"}', TEMPLATE_ALONE),
    ("ExpectedClaims", '{"org_id":"a","org_id":"b"}', TEMPLATE_ALONE),
    ("AllowedOrigins", "*", BOTH),
    ("AllowedOrigins", "https://example.com", BOTH),
    ("AllowedOrigins", "https://app.example.com,http://localhost:3000", BOTH),
    ("AllowedOrigins", "http://localhost:8080", BOTH),
    ("AllowedOrigins", "https://example.com:8443", BOTH),
    ("AllowedOrigins", "https://example.com:80", BOTH),
    ("AllowedOrigins", "http://example.com:443", BOTH),
    ("AllowedOrigins", "https://example.com:4430", BOTH),
    ("AllowedOrigins", "http://127.0.0.1:3000", BOTH),
    ("AllowedOrigins", "https://xn--bcher-kva.example", BOTH),
    ("AllowedOrigins", "", NEITHER),
    ("AllowedOrigins", "https://example.com:443", NEITHER),
    ("AllowedOrigins", "http://example.com:80", NEITHER),
    ("AllowedOrigins", "http://example.com:80,https://example.com", NEITHER),
    ("AllowedOrigins", "https://a.example,https://example.com:443", NEITHER),
    ("AllowedOrigins", "https://example.com/", NEITHER),
    ("AllowedOrigins", "https://example.com/app", NEITHER),
    ("AllowedOrigins", "https://Example.com", NEITHER),
    ("AllowedOrigins", "HTTPS://example.com", NEITHER),
    ("AllowedOrigins", "example.com", NEITHER),
    ("AllowedOrigins", "https://example.com,", NEITHER),
    ("AllowedOrigins", ",https://example.com", NEITHER),
    ("AllowedOrigins", "*,https://example.com", NEITHER),
    ("AllowedOrigins", "https://example.com,*", NEITHER),
    ("AllowedOrigins", "https://example.com:", NEITHER),
    ("AllowedOrigins", "https://example.com:0443", NEITHER),
    ("AllowedOrigins", "https://example.com:123456", NEITHER),
    ("AllowedOrigins", "https://user@example.com", NEITHER),
    ("AllowedOrigins", "null", NEITHER),
    ("AllowedOrigins", "https://a.example, https://b.example", BOTH),
    ("AllowedOrigins", " https://a.example  ,http://b.example ", BOTH),
    ("AllowedOrigins", " * ", BOTH),
    ("AllowedOrigins", "https://*.example.com", BOTH),
    ("AllowedOrigins", "http://*.example.com:3000,https://*.example.com:8443", BOTH),
    ("AllowedOrigins", "https://a.example, https://*.example.com", BOTH),
    ("AllowedOrigins", "capacitor://localhost", BOTH),
    ("AllowedOrigins", "ionic://localhost:8100,app://obsidian.md , https://a.example", BOTH),
    ("AllowedOrigins", "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb", BOTH),
    ("AllowedOrigins", "https://*", NEITHER),
    ("AllowedOrigins", "https://*example.com", NEITHER),
    ("AllowedOrigins", "https://a.*.example.com", NEITHER),
    ("AllowedOrigins", "https://*.*.example.com", NEITHER),
    ("AllowedOrigins", "https://*.example.com:443", NEITHER),
    ("AllowedOrigins", "https://*.example.com/", NEITHER),
    ("AllowedOrigins", "https://*.Example.com", NEITHER),
    ("AllowedOrigins", "*.example.com", NEITHER),
    ("AllowedOrigins", "*://example.com", NEITHER),
    ("AllowedOrigins", "capacitor://*.localhost", NEITHER),
    ("AllowedOrigins", "capacitor://localhost/", NEITHER),
    ("AllowedOrigins", "capacitor://", NEITHER),
    ("AllowedOrigins", "capacitor:localhost", NEITHER),
    ("AllowedOrigins", "Capacitor://localhost", NEITHER),
    ("AllowedOrigins", "https://a.example https://b.example", NEITHER),
    ("AllowedOrigins", "https://a.example, ", NEITHER),
    ("AllowedOrigins", "http://[::1]:3000", FUNCTION_ALONE),
    ("AllowedOrigins", "https://example.com:65536", TEMPLATE_ALONE),
    ("AllowedOrigins", "https://127.1", TEMPLATE_ALONE),
    ("AllowedHeaders", PARAMETERS["AllowedHeaders"]["Default"], BOTH),
    ("AllowedHeaders", "*", BOTH),
    ("AllowedHeaders", " * ", BOTH),
    ("AllowedHeaders", "authorization", BOTH),
    ("AllowedHeaders", " Authorization , x_a,x.b ", BOTH),
    ("AllowedHeaders", "", FUNCTION_ALONE),
    ("AllowedHeaders", "x!", NEITHER),
    ("AllowedHeaders", "authorization,", NEITHER),
    ("AllowedHeaders", "authorization,,x-a", NEITHER),
    ("AllowedHeaders", "authorization x-a", NEITHER),
    ("AllowedHeaders", "authorization,*", NEITHER),
    ("AllowedHeaders", "x-*", NEITHER),
    ("AllowedHeaders", "authorization: x", NEITHER),
    ("AllowedHeaders", '"authorization"', NEITHER),
    ("AnonymousSessions", "refused", BOTH),
    ("AnonymousSessions", "allowed", BOTH),
    ("AnonymousSessions", "", FUNCTION_ALONE),
    ("AnonymousSessions", "true", NEITHER),
    ("AnonymousSessions", "Allowed", NEITHER),
    ("BasePath", "", BOTH),
    ("BasePath", "/v1", BOTH),
    ("BasePath", "/orders/v1.2", BOTH),
    ("BasePath", "/v1/", BOTH),
    ("BasePath", "v1", BOTH),
    ("BasePath", "/", NEITHER),
    ("BasePath", "/a//b", NEITHER),
    ("BasePath", "/a b", NEITHER),
    ("BasePath", "/a?b", NEITHER),
    ("BasePath", "/a%20b", NEITHER),
    ("ResourceUrl", "auto", BOTH),
    ("ResourceUrl", "off", BOTH),
    ("ResourceUrl", "https://api.example.com", BOTH),
    ("ResourceUrl", "https://api.example.com/", BOTH),
    ("ResourceUrl", "https://api.example.com:8443/v1/mcp", BOTH),
    ("ResourceUrl", "", FUNCTION_ALONE),
    ("ResourceUrl", "http://127.0.0.1:8080", FUNCTION_ALONE),
    ("ResourceUrl", "https://api.example.com/a/../b", TEMPLATE_ALONE),
    ("ResourceUrl", "Auto", NEITHER),
    ("ResourceUrl", "api.example.com", NEITHER),
    ("ResourceUrl", "http://api.example.com", NEITHER),
    ("ResourceUrl", "https://API.example.com", NEITHER),
    ("ResourceUrl", "https://api.example.com:443", NEITHER),
    ("ResourceUrl", "https://api.example.com?a", NEITHER),
    ("ResourceUrl", "https://api.example.com/#a", NEITHER),
    ("ResourceUrl", "https://user@api.example.com", NEITHER),
    ("ResourceUrl", "https://{yourDomain}/", NEITHER),
    ("ResourceUrl", '"https://api.example.com"', NEITHER),
    ("PinnedJwks", "", BOTH),
    ("PinnedJwks", "JWKS", BOTH),  # stands for the tenant's own, see below
    ("PinnedJwks", '{"https://example.eu.auth0.com/":JWKS}', BOTH),
    ("PinnedJwks", ' { "https://example.eu.auth0.com/" : JWKS } ', BOTH),
    ("PinnedJwks", '{"https://example.eu.auth0.com":JWKS}', TEMPLATE_ALONE),
    ("PinnedJwks", '{"https://example.eu.auth0.com/":{"keys":[{}]}}', TEMPLATE_ALONE),
    ("PinnedJwks", '{"example.eu.auth0.com":JWKS}', NEITHER),
    ("PinnedJwks", "[JWKS]", NEITHER),
    ("PinnedJwks", "https://example.eu.auth0.com/.well-known/jwks.json", NEITHER),
    ("PinnedJwks", "{}", NEITHER),
    ("PinnedJwks", '{"keys":[]}', NEITHER),
    ("PinnedJwks", '{"keys":["a"', NEITHER),
    ("PinnedJwks", '{"keys":[{}]}', TEMPLATE_ALONE),
]

# The rest: a parameter, values that it takes, and values that it does not.
STAYS_IN_THE_TEMPLATE = {
    "Architecture": (["arm64", "x86_64"], ["", "ARM64", "x86"]),
    "LogLevel": (["INFO", "DEBUG"], ["", "TRACE", "WARN", "ERROR", "info"]),
    "LogRetentionDays": (["1", "30", "365", "3653"], ["", "0", "2", "31", "10000"]),
    "Tracing": (["PassThrough", "Active"], ["", "true", "active"]),
    "ReservedConcurrency": (["-1", "0", "100"], ["", "-2", "many"]),
    "ThrottlingRate": (["1", "100"], ["", "0", "-1", "fast"]),
    "ThrottlingBurst": (["1", "200"], ["", "0", "-1", "fast"]),
    "RefusalsAlarm": (["1", "100"], ["", "0", "-1", "many"]),
    "AlarmTopicArn": (
        ["", "arn:aws:sns:eu-central-1:123456789012:alarms", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a_b-c"],
        [
            "alarms",
            "arn:aws:sqs:eu-central-1:123456789012:alarms",
            "arn:aws:sns:eu-central-1:1234:alarms",
            "arn:aws:sns:eu-central-1:123456789012:alarms.fifo",  # an alarm cannot write to one
            "arn:aws:sns:eu-central-1:123456789012:alarms ",
        ],
    ),
}


def takes(name, value):
    """Whether CloudFormation takes the value."""
    parameter = PARAMETERS[name]
    if "AllowedValues" in parameter:
        return value in [str(allowed) for allowed in parameter["AllowedValues"]]
    if parameter["Type"] == "Number":
        return re.fullmatch(r"-?\d+", value) is not None and int(value) >= parameter["MinValue"]
    fits = len(value) <= parameter.get("MaxLength", 4096)
    return fits and re.fullmatch(parameter["AllowedPattern"], value) is not None


def test_each_parameter_is_in_a_table():
    tables = {name for name, _, _ in BECOMES_A_VARIABLE} | STAYS_IN_THE_TEMPLATE.keys()
    assert tables == PARAMETERS.keys()


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_explains_itself(name):
    parameter = PARAMETERS[name]
    assert parameter["Description"]
    assert parameter["ConstraintDescription"].startswith("must be "), "it follows the parameter's name"
    assert {"AllowedPattern", "AllowedValues", "MinValue"} & parameter.keys()
    assert "Default" not in parameter or takes(name, str(parameter["Default"]))
    assert ("Default" in parameter) == (name != "ApiAudience")
    assert sum(group["Parameters"].count(name) for group in INTERFACE["ParameterGroups"]) == 1
    assert INTERFACE["ParameterLabels"][name]["default"]


@pytest.mark.parametrize("name", STAYS_IN_THE_TEMPLATE)
def test_the_template_takes_good_values_alone(name):
    good, bad = STAYS_IN_THE_TEMPLATE[name]
    assert [value for value in good if not takes(name, value)] == []
    assert [value for value in bad if takes(name, value)] == []


@pytest.mark.parametrize(("name", "value", "expected"), BECOMES_A_VARIABLE)
def test_template_and_function_take_the_same(name, value, expected, accepts, tenant):
    if "JWKS" in value:
        with functions.HTTP.open(tenant.jwks_uri, timeout=30) as answer:
            value = value.replace("JWKS", json.dumps(json.load(answer)))
    assert (takes(name, value), accepts({name: value})) == expected


def test_keys_that_no_environment_could_hold_are_refused():
    key = '{"kty":"RSA","kid":"%s"}'
    most = PARAMETERS["PinnedJwks"]["MaxLength"]
    assert takes("PinnedJwks", '{"keys":[' + key % ("a" * (most - 33)) + "]}")
    assert not takes("PinnedJwks", '{"keys":[' + key % ("a" * (most - 32)) + "]}")


def test_pinned_keys_leave_room_for_the_other_variables():
    # Lambda measures all names and values as one JSON object. Its error message shows it.
    variables = resources()["Function"]["Properties"]["Environment"]["Variables"]
    room = 4096 - len(json.dumps(variables, separators=(",", ":"))) - 256
    assert room - 64 < PARAMETERS["PinnedJwks"]["MaxLength"] <= room
    assert f"MOST_BYTES = {PARAMETERS['PinnedJwks']['MaxLength']}\n" in (ROOT / "scripts/keys").read_text()


@pytest.mark.parametrize(
    ("parameters", "broken"),
    [
        ({}, ["Auth0Domain or Issuers must be given"]),
        ({"Auth0Domain": "a.example"}, []),
        ({"Issuers": "https://a.example"}, []),
        ({"Auth0Domain": "a.example,b.example", "JwksUri": "https://a.example/keys"}, []),
        ({"Issuers": "https://a.example", "JwksUri": "https://a.example/keys"}, []),
        ({"Auth0Domain": "a.example", "Issuers": "https://b.example"}, []),
        (
            {"Auth0Domain": "a.example", "Issuers": "https://b.example", "JwksUri": "https://a.example/keys"},
            ["JwksUri must be empty where both Auth0Domain and Issuers are given, for each has keys of its own"],
        ),
    ],
)
def test_the_template_s_rules(parameters, broken):
    values = {"Auth0Domain": "", "Issuers": "", "JwksUri": ""} | parameters
    assertions = [one for rule in TEMPLATE["Rules"].values() for one in rule["Assertions"]]
    assert [one["AssertDescription"] for one in assertions if not holds(one["Assert"], {}, values)] == broken
    # What a rule may call: fewer functions than a condition.
    used = set(re.findall(r"Fn::\w+", json.dumps(TEMPLATE["Rules"])))
    assert used <= {"Fn::And", "Fn::Contains", "Fn::Equals", "Fn::Not", "Fn::Or"}


@pytest.fixture(scope="module")
def accepts(binary):
    """Starts the function with these parameters: whether it asks for an event, or stops and says what is wrong."""
    with runtime_api() as (address, asked):

        def accepts(parameters):
            (name,) = parameters
            nobody = f"http://127.0.0.1:{functions.free_port()}/"  # which is known at once
            if parameters.get("Issuers"):
                parameters |= {"Auth0Domain": ""}
            if name != "JwksUri" and "," not in parameters.get("Issuers", ""):
                parameters |= {"JwksUri": nobody}
            variables = resources(**parameters)["Function"]["Properties"]["Environment"]["Variables"]
            environment = {
                "AWS_LAMBDA_RUNTIME_API": address,
                "AWS_LAMBDA_FUNCTION_NAME": "function",
                "AWS_LAMBDA_FUNCTION_VERSION": "1",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                "AWS_LAMBDA_LOG_FORMAT": "JSON",
            }
            asked.clear()
            with subprocess.Popen(
                [binary], env=environment | variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
            ) as process:
                deadline = time.monotonic() + 30
                while process.poll() is None and not asked.wait(0.005):
                    assert time.monotonic() < deadline, "it neither starts nor stops"
                process.kill()
                log = process.stdout.read()
            if not asked.is_set():
                variable = re.sub(r"(?<=[a-z0])(?=[A-Z])", "_", name).upper()
                how = "set it to|Auth0 dashboard|name each|AUTH0_DOMAIN, ISSUERS and|put its values"
                assert re.search(rf'"ERROR".*{variable} .*({how})', log), log
            return asked.is_set()

        yield accepts


class runtime_api:
    """Lambda's Runtime API, of which a function asks for its next event once it is ready. It gets none."""

    def __enter__(self):
        asked, done = threading.Event(), threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.set()
                done.wait()

            def log_message(self, *_):
                pass

        self.server, self.done = ThreadingHTTPServer(("127.0.0.1", 0), Handler), done
        threading.Thread(target=self.server.serve_forever).start()
        return f"127.0.0.1:{self.server.server_port}", asked

    def __exit__(self, *_):
        self.done.set()
        self.server.shutdown()
        self.server.server_close()
