"""authorizer.yaml as CloudFormation gets to see it, and the authorizer behind AWS's emulator and SAM CLI's local gateway.

That gateway answers 502 to every failed invocation, Unauthorized among them, where AWS documents 401 for REST APIs: so each test
asserts the emulator's answer beside it. It keeps no answers, and cannot read a policy for the stage $default.
"""

import copy
import json
import re
import urllib.error
import urllib.request

import pytest
from boto3 import Session
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

import function as functions
import gateway
from expanded import PSEUDO, REQUIRED, ROOT, resolved
from expanded import TEMPLATE as OF_THE_API
from test_scripts import given, sam  # noqa: F401 (a fixture)

TEMPLATE = yaml_parse((ROOT / "authorizer.yaml").read_text())
SCOPES = '{"GET /pets/{id}":["read:messages"],"*":["read:messages"]}'
EVENTS = ["token", "request", "http-1", "http-2", "appsync"]


# --- The template


def resources(changed=None, **parameters):
    """All resources of a stack with these parameters, and with other members in the `Identity` of a gateway."""
    template = copy.deepcopy(TEMPLATE)
    # The translator takes code from S3 alone, where `sam deploy` puts it.
    template["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/key"
    for name, identity in (changed or {}).items():
        template["Resources"][name]["Properties"]["Auth"]["Authorizers"]["AccessTokens"]["Identity"] = identity
    translator = Translator({}, Parser(), boto_session=Session(region_name=PSEUDO["AWS::Region"]))
    translated = translator.translate(template, REQUIRED | {"RouteScopes": SCOPES} | parameters)
    return resolved(translated, **{"RouteScopes": SCOPES} | parameters)["Resources"]


def of_http_api(stack):
    """The authorizer that the HTTP API is told of."""
    (scheme,) = stack["HttpApi"]["Properties"]["Body"]["components"]["securitySchemes"].values()
    return scheme["x-amazon-apigateway-authorizer"]


def of_rest_api(stack):
    (scheme,) = stack["RestApi"]["Properties"]["Body"]["securityDefinitions"].values()
    return scheme["x-amazon-apigateway-authorizer"]


@pytest.mark.parametrize(("form", "simple"), [("simple", True), ("iam", False)])
def test_the_http_api_keeps_no_answer_and_reads_the_form_that_the_function_gives(form, simple):
    stack = resources(ResponseFormat=form)
    authorizer = of_http_api(stack)
    assert authorizer["authorizerResultTtlInSeconds"] == 0
    assert authorizer["enableSimpleResponses"] is simple
    assert authorizer["authorizerPayloadFormatVersion"] == "2.0"
    assert authorizer["identitySource"] == ["$request.header.Authorization"]
    assert stack["Function"]["Properties"]["Environment"]["Variables"]["RESPONSE_FORMAT"] == form


def test_the_rest_api_keeps_no_answer_and_tells_the_reason():
    stack = resources()
    authorizer = of_rest_api(stack)
    assert (authorizer["type"], authorizer["authorizerResultTtlInSeconds"]) == ("request", 0)
    denied = stack["RestApi"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]["ACCESS_DENIED"]
    assert "$context.authorizer.reason" in denied["responseTemplates"]["application/json"]


def test_a_ttl_of_0_is_written_out():
    for gateway_name in ("HttpApi", "RestApi"):
        (authorizer,) = TEMPLATE["Resources"][gateway_name]["Properties"]["Auth"]["Authorizers"].values()
        assert authorizer["Identity"]["ReauthorizeEvery"] == 0
    # Left out, SAM writes none: AWS then keeps answers for 300 s on a REST API.
    stack = resources({"RestApi": {"Headers": ["Authorization"]}})
    assert "authorizerResultTtlInSeconds" not in of_rest_api(stack)


def test_the_way_to_keep_answers_by_route_is_one_that_sam_knows():
    identity = {"Headers": ["Authorization"], "Context": ["routeKey"], "ReauthorizeEvery": 60}
    authorizer = of_http_api(resources({"HttpApi": identity}))
    assert sorted(authorizer["identitySource"]) == ["$context.routeKey", "$request.header.Authorization"]


def test_every_route_asks_the_authorizer():
    stack = resources()
    for name in ("HttpApi", "RestApi"):
        routes = [route for path in stack[name]["Properties"]["Body"]["paths"].values() for route in path.values()]
        assert routes and all(route["security"] == [{"AccessTokens": []}] for route in routes), name


@pytest.mark.parametrize("name", ["HttpApi", "RestApi"])
def test_the_gateway_may_call_the_authorizer(name):
    permission = resources()[f"{name}AccessTokensAuthorizerPermission"]
    assert permission["Type"] == "AWS::Lambda::Permission"
    assert permission["Properties"] == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "Function.Arn",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": f"arn:aws:execute-api:eu-central-1:123456789012:{name}/authorizers/*",
    }


def test_the_alarms_look_at_the_log():
    stack = resources()
    filters = [one["Properties"] for one in stack.values() if one["Type"] == "AWS::Logs::MetricFilter"]
    metrics = {transformation["MetricName"] for one in filters for transformation in one["MetricTransformations"]}
    alarms = [one["Properties"] for one in stack.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert {alarm["MetricName"] for alarm in alarms} == {"KeysUnavailable", "StaleKeysServed"} <= metrics
    assert {alarm["Namespace"] for alarm in alarms} == {"the-stack"}, "an Unauthorized is an error of Lambda's, too"


def test_the_function():
    function = resources()["Function"]["Properties"]
    assert (function["Runtime"], function["MemorySize"], function["Timeout"]) == ("provided.al2023", 128, 10)
    assert TEMPLATE["Resources"]["Function"]["Metadata"]["BuildProperties"] == {"Binary": "authorizer"}
    assert OF_THE_API["Resources"]["Function"]["Metadata"]["BuildProperties"] == {"Binary": "api-authorization"}


def test_each_variable_has_its_parameter():
    variables = TEMPLATE["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    for name, value in variables.items():
        assert value["Ref"].lower() == name.replace("_", "").lower() and value["Ref"] in TEMPLATE["Parameters"]
    sources = "".join(path.read_text() for path in [*(ROOT / "src").glob("config/*.rs"), ROOT / "src/config.rs"])
    read = set(re.findall(r'(?:optional|variable)\("([A-Z0-9_]+)"', sources))
    of_callers = {"ALLOWED_ORIGINS", "ALLOWED_HEADERS", "BASE_PATH", "RESOURCE_URL"}
    assert read - of_callers - {"SSL_CERT_FILE", "AUTH0_AUDIENCE"} == variables.keys() - {"ROUTE_SCOPES", "RESPONSE_FORMAT"}


def test_each_parameter_explains_itself():
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    for name, parameter in TEMPLATE["Parameters"].items():
        assert parameter["Description"] and parameter["ConstraintDescription"].startswith("must be "), name
        assert sum(group["Parameters"].count(name) for group in groups) == 1, name


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ('{"*":[]}', True),
        (SCOPES, True),
        (' {"$default" : ["a"]} ', True),
        ("", False),
        ("{}", False),
        ("[]", False),
        ('{"*":"a"}', False),
        ("GET /pets", False),
    ],
)
def test_what_route_scopes_may_be(value, fits):
    assert (re.fullmatch(TEMPLATE["Parameters"]["RouteScopes"]["AllowedPattern"], value) is not None) == fits


# --- The script


def test_deploy_authorizer_hands_on_each_variable_as_it_is(sam):  # noqa: F811
    values = {"ROUTE_SCOPES": SCOPES, "AUTH0_DOMAIN": "a.eu.auth0.com", "API_AUDIENCE": "https://quickstarts/api"}
    status, _, (build, deploy) = sam("deploy-authorizer", **values)
    assert (status, build[:3], deploy[0]) == (0, ["build", "--template-file", "authorizer.yaml"], "deploy")
    assert deploy[deploy.index("--stack-name") + 1] == "api-authorizer"
    built = build[build.index("--build-dir") + 1]
    assert deploy[deploy.index("--template-file") + 1] == f"{built}/template.yaml"
    expected = {"RouteScopes": SCOPES, "Auth0Domain": "a.eu.auth0.com", "ApiAudience": "https://quickstarts/api"}
    always = {"Issuers": "", "JwksUri": "", "PinnedJwks": "", "Architecture": "arm64"}
    assert given(build) == given(deploy) == expected | always
    variables = {re.sub(r"(?<=[a-z0])(?=[A-Z])", "_", name).upper(): name for name in TEMPLATE["Parameters"]}
    variables["ARCH"] = variables.pop("ARCHITECTURE")
    for variable, parameter in variables.items():
        _, _, (_, deploy) = sam("deploy-authorizer", **values | {variable: 'a "b" c'})
        assert given(deploy)[parameter] == 'a "b" c', variable


@pytest.mark.parametrize("missing", ["AUTH0_DOMAIN", "API_AUDIENCE", "ROUTE_SCOPES"])
def test_deploy_authorizer_says_what_is_missing(sam, missing):  # noqa: F811
    values = {"ROUTE_SCOPES": SCOPES, "AUTH0_DOMAIN": "a.eu.auth0.com", "API_AUDIENCE": "a"}
    status, printed, calls = sam("deploy-authorizer", **{name: values[name] for name in values if name != missing})
    assert (status, calls) == (1, [])
    assert f"{missing} is missing: make deploy-authorizer AUTH0_DOMAIN=" in printed


# --- The binary in AWS's emulator


@pytest.fixture(scope="module")
def authorizer(tenant, tmp_path_factory):
    """Runs it with these settings; what it was started with is shared by the tests that ask for the same."""
    started, ends = {}, []

    def authorizer(**environment):
        key = tuple(sorted(environment.items()))
        if key not in started:
            settings = tenant.environment() | {"ROUTE_SCOPES": SCOPES} | environment
            log = tmp_path_factory.mktemp("authorizer") / "log"
            running = functions.running(functions.DEBUG / "authorizer", log, settings)
            started[key] = running.__enter__()
            ends.append(running)
        return started[key]

    yield authorizer
    for running in ends:
        running.__exit__(None, None, None)


def event(name, token):
    text = (ROOT / f"events/authorizer/{name}.json").read_text()
    return json.loads(text.replace("ACCESS_TOKEN", token))


def effect(answer):
    """What the gateway gets: Allow, Deny, true, false, or the message of a failed invocation."""
    if "policyDocument" in answer:
        (statement,) = answer["policyDocument"]["Statement"]
        return statement["Effect"]
    return answer.get("errorMessage", answer.get("isAuthorized"))


@pytest.mark.parametrize("form", ["simple", "iam"])
@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize(
    ("kind", "policy", "boolean", "reason"),
    [
        ("scoped", "Allow", True, None),
        ("valid", "Deny", False, "insufficient_scope"),
        ("expired", "Unauthorized", False, "expired"),
        ("wrong-audience", "Unauthorized", False, "wrong_audience"),
        ("bad-signature", "Unauthorized", False, "bad_signature"),
    ],
)
def test_each_event_in_the_emulator(authorizer, tenant, name, form, kind, policy, boolean, reason):
    asked = event(name, tenant.token(kind))
    answer = authorizer(RESPONSE_FORMAT=form).invoke(asked)
    is_boolean = name == "appsync" or (name == "http-2" and form == "simple")
    assert effect(answer) == (boolean if is_boolean else policy)
    context = answer.get("resolverContext" if name == "appsync" else "context")
    if kind == "scoped":
        assert context["sub"] and "read:messages" in context["scope"] and "reason" not in context
        assert all(isinstance(value, str) for value in context.values())
    elif context is not None:
        assert context == {"reason": reason}
    if name == "appsync":
        assert answer["ttlOverride"] == 0
    if "policyDocument" in answer:
        arn = asked.get("methodArn", asked.get("routeArn"))
        assert answer["policyDocument"]["Statement"][0]["Resource"] == arn
        assert answer["principalId"] == (context["sub"] if kind == "scoped" else "-")


@pytest.mark.parametrize("form", ["simple", "iam"])
@pytest.mark.parametrize("name", EVENTS)
def test_an_outage_is_a_failed_invocation(authorizer, tenant, name, form):
    nobody = f"http://127.0.0.1:{functions.free_port()}/"
    answer = authorizer(RESPONSE_FORMAT=form, JWKS_URI=nobody).invoke(event(name, tenant.token("scoped")))
    assert answer["errorMessage"] == "Signing keys are temporarily unavailable"


def test_any_other_event_is_a_failed_invocation(authorizer):
    for other in ({}, {"key1": "value1"}, json.loads((ROOT / "events/private.json").read_text())):
        answer = authorizer().invoke(other)
        assert answer["errorMessage"].startswith("no event of a Lambda authorizer")


def test_one_line_a_decision_and_no_token_in_it(authorizer, tenant):
    function = authorizer(RUST_LOG="info")  # one of its own
    sent = [tenant.token(kind) for kind in ("scoped", "valid", "expired", "bad-signature")]
    for token in sent:
        for name in EVENTS:
            function.invoke(event(name, token))
    lines = [json.loads(line)["fields"] for line in function.lines() if line.startswith("{")]
    assert len([line for line in lines if line["message"] == "request"]) == len(sent) * len(EVENTS)
    assert {line["message"] for line in lines} == {"request", "JWKS fetched"}
    log = "\n".join(function.lines())
    assert not any(part in log for token in sent for part in token.split("."))


# --- Behind SAM CLI's local gateway


class Runner:
    """What SAM CLI calls to invoke the authorizer, and what stands behind it."""

    def __init__(self, authorizer):
        self.authorizer = authorizer
        self.answers = []

    def is_debugging(self):
        return False

    def invoke(self, name, event, stdout, stderr, tenant_id=None):
        event = json.loads(event)
        if name == "Function":
            answer = self.authorizer.invoke(event)
            self.answers.append(answer)
        else:
            # As the function in the template's InlineCode.
            handed_on = event["requestContext"]["authorizer"]
            answer = {"statusCode": 200, "body": json.dumps(handed_on.get("lambda", handed_on))}
        stdout.write_str(json.dumps(answer))


def alone(name, **parameters):
    """The template with this gateway alone, which has a stage that SAM CLI can read a policy for."""
    template = resolved(TEMPLATE, **{"RouteScopes": SCOPES} | parameters)
    template = json.loads(json.dumps(template))
    other, event = {"HttpApi": ("RestApi", "Rest"), "RestApi": ("HttpApi", "Http")}[name]
    del template["Resources"][other], template["Outputs"]
    del template["Resources"]["Example"]["Properties"]["Events"][event]
    properties = template["Resources"][name]["Properties"]
    properties["StageName"] = "test"
    properties["Auth"]["Authorizers"]["AccessTokens"]["FunctionArn"] = {"Fn::GetAtt": ["Function", "Arn"]}
    return template


@pytest.mark.parametrize(("name", "form"), [("HttpApi", "simple"), ("HttpApi", "iam"), ("RestApi", "simple")])
def test_behind_the_local_gateway(authorizer, tenant, tmp_path, name, form):
    runner = Runner(authorizer(RESPONSE_FORMAT=form))
    expired = (403, False) if (name, form) == ("HttpApi", "simple") else (502, "Unauthorized")
    denied = False if (name, form) == ("HttpApi", "simple") else "Deny"
    allowed = True if (name, form) == ("HttpApi", "simple") else "Allow"
    with gateway.serving_resolved(alone(name, ResponseFormat=form), runner, tmp_path) as url:

        def call(**headers):
            try:
                answer = functions.HTTP.open(urllib.request.Request(f"{url}/pets/7", headers=headers), timeout=30)
            except urllib.error.HTTPError as refusal:
                answer = refusal
            with answer:
                return answer.status, json.loads(answer.read())

        def bearer(kind):
            return {"Authorization": f"Bearer {tenant.token(kind)}"}

        status, body = call(**bearer("scoped"))
        assert (status, effect(runner.answers[-1])) == (200, allowed)
        assert body["sub"] and "read:messages" in body["scope"].split()
        for kind, expected in (("valid", (403, denied)), ("expired", expired)):
            status, _ = call(**bearer(kind))
            assert (status, effect(runner.answers[-1])) == expected, kind
        asked = len(runner.answers)
        assert (call()[0], len(runner.answers)) == (401, asked), "without the header, the gateway answers by itself"

    nobody = f"http://127.0.0.1:{functions.free_port()}/"
    runner = Runner(authorizer(RESPONSE_FORMAT=form, JWKS_URI=nobody))
    with gateway.serving_resolved(alone(name, ResponseFormat=form), runner, tmp_path) as url:
        assert call(**bearer("scoped"))[0] == 502
        assert effect(runner.answers[-1]) == "Signing keys are temporarily unavailable"
