"""What CloudFormation gets to see of examples/mcp/template.yaml."""

import copy
import re

import pytest
from boto3 import Session
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from expanded import REQUIRED, ROOT, TEMPLATE

EXAMPLE = yaml_parse((ROOT / "examples/mcp/template.yaml").read_text())
WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.fixture(scope="module")
def resources():
    """All resources, as SAM's translator makes them."""
    template = copy.deepcopy(EXAMPLE)
    # The translator takes code from S3 alone, where `sam deploy` puts it.
    template["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/key"
    parameters = {"Auth0Domain": REQUIRED["Auth0Domain"], "ResourceUrl": "https://tools.example.com/mcp"}
    translator = Translator({}, Parser(), boto_session=Session(region_name="eu-central-1"))
    return translator.translate(template, parameters)["Resources"]


def test_the_gateway_routes_mcp_and_the_metadata(resources):
    paths = resources["Api"]["Properties"]["Body"]["paths"]
    assert {path: sorted(methods) for path, methods in paths.items()} == {
        "/mcp": ["get", "post"],
        "/{proxy+}": ["options"],
        WELL_KNOWN: ["get"],
        WELL_KNOWN + "/{proxy+}": ["get"],
    }


def test_gateway_and_function_allow_the_same_headers(resources):
    variables = resources["Function"]["Properties"]["Environment"]["Variables"]
    cors = resources["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"]
    assert cors["allowHeaders"] == variables["ALLOWED_HEADERS"].split(",")
    assert {"mcp-protocol-version", "mcp-session-id", "last-event-id"} < set(cors["allowHeaders"])
    assert cors["exposeHeaders"][0] == "www-authenticate"


def test_the_resource_is_the_audience(resources):
    variables = resources["Function"]["Properties"]["Environment"]["Variables"]
    assert variables["RESOURCE_URL"] == variables["API_AUDIENCE"] == {"Ref": "ResourceUrl"}


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://tools.example.com/mcp", True),
        ("https://tools.example.com/v1/mcp", True),
        ("https://tools.example.com", False),
        ("https://tools.example.com/mcp/", False),
        ("http://tools.example.com/mcp", False),
        ("https://tools.example.com/m cp/mcp", False),
    ],
)
def test_a_resource_is_an_https_url_of_the_endpoint(url, fits):
    assert bool(re.match(EXAMPLE["Parameters"]["ResourceUrl"]["AllowedPattern"], url)) == fits


def test_the_function_may_write_its_log_alone(resources):
    assert [name for name, one in resources.items() if one["Type"] == "AWS::IAM::Role"] == ["FunctionRole"]
    role = resources["FunctionRole"]["Properties"]
    statements = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    assert "ManagedPolicyArns" not in role
    assert statements == [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": ["FunctionLogs", "Arn"]},
        }
    ]


def test_its_other_parameters_are_those_of_the_repository_s_template():
    for name in set(EXAMPLE["Parameters"]) - {"ResourceUrl"}:
        expected = dict(TEMPLATE["Parameters"][name])
        if name == "Auth0Domain":
            del expected["Default"]  # here there is nothing in its place
        assert EXAMPLE["Parameters"][name] == expected
