"""What CloudFormation gets to see of examples/messages/template.yaml."""

import copy

import pytest
from boto3 import Session
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from expanded import REQUIRED, ROOT, TEMPLATE

HERE = ROOT / "examples/messages"
EXAMPLE = yaml_parse((HERE / "template.yaml").read_text())


@pytest.fixture(scope="module")
def resources():
    """All resources, as SAM's translator makes them."""
    template = copy.deepcopy(EXAMPLE)
    # The translator takes code from S3 alone, where `sam deploy` puts it.
    template["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/key"
    translator = Translator({}, Parser(), boto_session=Session(region_name="eu-central-1"))
    return translator.translate(template, dict(REQUIRED))["Resources"]


def test_the_gateway_routes_its_events_and_nothing_else(resources):
    events = EXAMPLE["Resources"]["Function"]["Properties"]["Events"].values()
    wanted = {(event["Properties"]["Method"], event["Properties"]["Path"]) for event in events}
    body = resources["Api"]["Properties"]["Body"]
    assert {(method.upper(), path) for path, methods in body["paths"].items() for method in methods} == wanted
    assert body["x-amazon-apigateway-cors"]["allowMethods"] == ["GET", "HEAD", "POST", "DELETE"]


def test_the_function_may_do_four_things_with_its_table_and_write_its_log(resources):
    function = resources["Function"]["Properties"]
    assert function["Role"] == {"Fn::GetAtt": ["FunctionRole", "Arn"]}
    assert function["Environment"]["Variables"]["TABLE_NAME"] == {"Ref": "Messages"}
    assert [name for name, one in resources.items() if one["Type"] == "AWS::IAM::Role"] == ["FunctionRole"]
    role = resources["FunctionRole"]["Properties"]
    assert "ManagedPolicyArns" not in role
    statements = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    assert statements == [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": ["FunctionLogs", "Arn"]},
        },
        {
            "Effect": "Allow",
            "Action": ["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
            "Resource": {"Fn::GetAtt": ["Messages", "Arn"]},
        },
    ]


def test_the_table_is_on_demand_stays_and_has_the_key_of_the_store(resources):
    table = resources["Messages"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert table["Properties"] == {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("owner_id", "id")],
        "KeySchema": [{"AttributeName": "owner_id", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
    }


def test_its_parameters_are_those_of_the_repository_s_template():
    for name, parameter in EXAMPLE["Parameters"].items():
        expected = dict(TEMPLATE["Parameters"][name])
        if name == "Auth0Domain":
            del expected["Default"]  # here there is nothing in its place
        assert parameter == expected
