"""What CloudFormation gets to see of template.yaml."""

import json
import re
import subprocess

import pytest
import yaml
from samcli.yamlhelper import yaml_parse

from expanded import ROOT, TEMPLATE, resolved, resources
from test_parameters import takes

DEFAULT_HEADERS = TEMPLATE["Parameters"]["AllowedHeaders"]["Default"].split(",")


def of_type(kind, **parameters):
    return {name: one["Properties"] for name, one in resources(**parameters).items() if one["Type"] == kind}


@pytest.fixture(scope="module")
def printed(binary):
    """What the program prints of its table: what CORS allows, and the events."""
    routes = subprocess.run([binary, "routes"], capture_output=True, text=True, check=True).stdout
    methods, _, events = routes.partition("\n")
    return yaml_parse(methods.removeprefix("# CorsConfiguration: ")), yaml_parse(events)


def test_the_events_and_the_methods_are_what_the_program_prints(printed):
    methods, events = printed
    assert events and TEMPLATE["Resources"]["Function"]["Properties"]["Events"] == events, "see make routes"
    _, _, cors = TEMPLATE["Resources"]["Api"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert methods.items() <= cors.items(), "see make routes"


def test_the_api_routes_what_the_function_answers_and_nothing_else(printed):
    body = resources()["Api"]["Properties"]["Body"]
    routed = {(method.upper(), path) for path, methods in body["paths"].items() for method in methods}
    assert routed == {(event["Properties"]["Method"], event["Properties"]["Path"]) for event in printed[1].values()}
    for route in (route for methods in body["paths"].values() for route in methods.values()):
        integration = route["x-amazon-apigateway-integration"]
        assert (integration["type"], integration["payloadFormatVersion"]) == ("aws_proxy", "2.0")
        assert "security" not in route, "the function decides, not the gateway"
    stage = of_type("AWS::ApiGatewayV2::Stage")["ApiApiGatewayDefaultStage"]
    assert stage["StageName"] == "$default"
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": "100", "ThrottlingBurstLimit": "200"}


def test_the_gateway_may_invoke_the_function_for_these_routes_alone(printed):
    permissions = of_type("AWS::Lambda::Permission").values()
    routes = [event["Properties"] for event in printed[1].values()]
    # A permission knows no parameters: SAM writes an asterisk for each.
    ends = [f"{route['Method']}{re.sub(r'{[^}]*}', '*', route['Path'])}" for route in routes]
    sources = sorted(permission["SourceArn"] for permission in permissions)
    assert sources == sorted(f"arn:aws:execute-api:eu-central-1:123456789012:Api/*/{end}" for end in ends)
    assert {permission["Principal"] for permission in permissions} == {"apigateway.amazonaws.com"}


# SAM drops all but AllowOrigins where that is an intrinsic function and stands there by itself.
@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("*", ["*"]),
        (" * ", ["*"]),
        ("https://app.example.com", ["https://app.example.com"]),
        ("https://a.example,http://localhost:3000", ["https://a.example", "http://localhost:3000"]),
        (" http://a.example ,  https://b.example:8443 ", ["http://a.example", "https://b.example:8443"]),
    ],
)
def test_cors_as_the_gateway_gets_it(given, origins, printed):
    assert resources(AllowedOrigins=given)["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"] == {
        "allowOrigins": origins,
        "allowMethods": printed[0]["AllowMethods"],
        "allowHeaders": DEFAULT_HEADERS,
        "exposeHeaders": ["www-authenticate", "retry-after", "location"],
        "maxAge": 600,
    }
    function = resources(AllowedOrigins=given)["Function"]["Properties"]
    assert function["Environment"]["Variables"]["ALLOWED_ORIGINS"] == given, "the function's own CORS differs"


@pytest.mark.parametrize(
    "given",
    [
        "https://*.example.com",
        "http://*.localhost:3000",
        "https://a.example,https://*.example.com",
        "https://a.example, https://*.example.com ,http://localhost:3000",
        "capacitor://localhost",
        "https://a.example,capacitor://localhost",
        "https://a.example , app://a.example , http://b.example",
        # They end as a web page's begin.
        "xhttps://a.example",
        "https://a.example,x-http://a.example",
    ],
)
def test_what_the_gateway_does_not_know_is_the_function_s_to_answer(given):
    assert takes("AllowedOrigins", given)
    made = resources(AllowedOrigins=given)
    body = made["Api"]["Properties"]["Body"]
    assert "allowOrigins" not in json.dumps(body)
    assert body["paths"]["/{proxy+}"].keys() == {"options"}
    assert made["Function"]["Properties"]["Environment"]["Variables"]["ALLOWED_ORIGINS"] == given


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ("x-a", ["x-a"]),
        (" X-A , x_b,x.c ", ["X-A", "x_b", "x.c"]),
        # The gateway's own * would not cover Authorization.
        ("*", DEFAULT_HEADERS),
        (" * ", DEFAULT_HEADERS),
    ],
)
def test_the_headers_that_the_gateway_lets_a_page_send(given, headers):
    assert takes("AllowedHeaders", given)
    made = resources(AllowedHeaders=given)
    assert made["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"]["allowHeaders"] == headers
    assert made["Function"]["Properties"]["Environment"]["Variables"]["ALLOWED_HEADERS"] == given


def test_the_function():
    function = resources()["Function"]["Properties"]
    assert function["Runtime"] == "provided.al2023"
    assert function["Architectures"] == ["arm64"]
    assert (function["MemorySize"], function["Timeout"]) == (128, 10)
    assert function["TracingConfig"] == {"Mode": "PassThrough"}
    assert "ReservedConcurrentExecutions" not in function
    assert function["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "LogGroup": "FunctionLogs",
    }


def test_the_function_s_options():
    options = {"Architecture": "x86_64", "ReservedConcurrency": 0, "Tracing": "Active", "LogLevel": "DEBUG"}
    function = resources(**options)["Function"]["Properties"]
    assert function["Architectures"] == ["x86_64"]
    assert function["ReservedConcurrentExecutions"] == "0"
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"


def test_each_variable_that_the_function_reads_can_be_set():
    function = resources()["Function"]["Properties"]
    source = "".join(file.read_text() for file in [ROOT / "src/config.rs", *ROOT.glob("src/config/*.rs")])
    read = set(re.findall(r'(?:optional|variable|required)\("([A-Z0-9_]+)"', source))
    assert "AUTH0_DOMAIN" in read, "src/config.rs is no longer written as this test reads it"
    # The last one's parameter comes with the routes that it wants.
    assert function["Environment"]["Variables"].keys() >= read - {"AUTH0_AUDIENCE", "SSL_CERT_FILE", "RESOURCE_URL"}


# X-Ray knows no narrower resource. Nothing else may have a wildcard.
TRACES = {"Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "Resource": "*"}


@pytest.mark.parametrize(("tracing", "expected"), [("PassThrough", []), ("Active", [TRACES])])
def test_no_wildcard_in_what_the_function_may_do(tracing, expected):
    role = of_type("AWS::IAM::Role", Tracing=tracing)["FunctionRole"]
    assert resources()["Function"]["Properties"]["Role"] == "FunctionRole.Arn"
    statements = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    log = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "FunctionLogs.Arn"}
    assert log in statements
    assert [one for one in statements if "*" in json.dumps([one["Action"], one["Resource"]])] == expected
    # SAM's managed policies are full of them, and other resources could bring some.
    assert "ManagedPolicyArns" not in role
    assert of_type("AWS::IAM::Role").keys() == {"FunctionRole"}
    assert of_type("AWS::IAM::Policy") == of_type("AWS::IAM::ManagedPolicy") == {}


def test_logs_are_kept_as_long_as_asked():
    groups = of_type("AWS::Logs::LogGroup", LogRetentionDays=90)
    assert {name: (group["LogGroupName"], group["RetentionInDays"]) for name, group in groups.items()} == {
        "FunctionLogs": ("/aws/lambda/the-stack", "90"),
        "ApiLogs": ("/aws/vendedlogs/the-stack", "90"),
    }


def test_the_gateway_s_log_holds_nothing_that_a_caller_can_put_a_token_into():
    settings = of_type("AWS::ApiGatewayV2::Stage")["ApiApiGatewayDefaultStage"]["AccessLogSettings"]
    assert settings["DestinationArn"] == "ApiLogs.Arn"
    assert set(json.loads(settings["Format"]).values()) == {
        "$context.error.message",
        "$context.identity.sourceIp",
        "$context.integration.latency",
        "$context.integrationErrorMessage",
        "$context.integrationStatus",
        "$context.requestId",
        "$context.requestTime",
        "$context.responseLatency",
        "$context.routeKey",
        "$context.status",
    }


def test_outputs():
    outputs = {name: output["Value"] for name, output in resolved(TEMPLATE)["Outputs"].items()}
    assert outputs["ApiUrl"] == "https://Api.execute-api.eu-central-1.amazonaws.com"
    assert outputs["Curl"] == f"curl -i {outputs['ApiUrl']}/api/public"
    assert outputs["DashboardUrl"].endswith("region=eu-central-1#dashboards/dashboard/Dashboard")


def test_the_options_of_sam_cli():
    options = (ROOT / "samconfig.toml").read_text()
    assert "CAPABILITY_IAM" in options
    # Without a name of its own in the template, the role needs no wider consent.
    assert "RoleName" not in yaml.safe_dump(json.loads(json.dumps(resources())))
