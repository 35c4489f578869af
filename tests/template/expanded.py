"""template.yaml and values for its parameters -> the resources that CloudFormation gets to see.

SAM's own translator expands what is short for several resources; conditions and references are resolved here.
"""

import copy
import re
from pathlib import Path

from boto3 import Session
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())
REQUIRED = {"Auth0Domain": "example.eu.auth0.com", "ApiAudience": "https://quickstarts/api"}
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "the-stack",
    "AWS::URLSuffix": "amazonaws.com",
}


def resources(**parameters):
    """All resources of a stack with these parameters."""
    template = copy.deepcopy(TEMPLATE)
    # The translator takes code from S3 alone, where `sam deploy` puts it.
    template["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/key"
    given = REQUIRED | {name: str(value) for name, value in parameters.items()}
    # It asks for a region, and does nothing there.
    translator = Translator({}, Parser(), boto_session=Session(region_name=PSEUDO["AWS::Region"]))
    return resolved(translator.translate(template, given), **parameters)["Resources"]


def resolved(template, **parameters):
    """The template without conditions, and with a value for every reference."""
    declared = template["Parameters"]
    values = {name: str(parameter["Default"]) for name, parameter in declared.items() if "Default" in parameter}
    values |= PSEUDO | REQUIRED | {name: str(value) for name, value in parameters.items()}
    unknown = parameters.keys() - declared.keys()
    assert not unknown, f"template.yaml has no parameter {unknown}"
    # Not the parameters themselves: SAM CLI wants to read their declarations.
    sections = {name: section for name, section in template.items() if name in ("Resources", "Outputs")}
    return template | value(sections, template["Conditions"], values)


def value(node, conditions, values):
    """One node of a template, and all below it."""
    if isinstance(node, list):
        return [item for item in (value(item, conditions, values) for item in node) if item is not NO_VALUE]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        (function, argument), = node.items()
        if function == "Ref":
            return NO_VALUE if argument == "AWS::NoValue" else values.get(argument, argument)
        if function == "Fn::GetAtt":
            return ".".join(argument) if isinstance(argument, list) else argument
        if function == "Fn::Sub":
            return substituted(argument, conditions, values)
        if function == "Fn::If":
            name, then, otherwise = argument
            return value(then if holds(conditions[name], conditions, values) else otherwise, conditions, values)
        if function == "Fn::Split":
            separator, text = argument
            return value(text, conditions, values).split(separator)
        if function == "Fn::Join":
            separator, items = argument
            return separator.join(value(items, conditions, values))
        assert not function.startswith("Fn::"), f"{function} is new in template.yaml: resolve it here"
    items = {name: value(child, conditions, values) for name, child in node.items()}
    return {name: child for name, child in items.items() if child is not NO_VALUE}


def holds(condition, conditions, values):
    (function, argument), = condition.items()
    if function == "Fn::Not":
        return not holds(argument[0], conditions, values)
    if function == "Fn::And":
        return all(holds(one, conditions, values) for one in argument)
    if function == "Fn::Or":
        return any(holds(one, conditions, values) for one in argument)
    if function == "Condition":
        return holds(conditions[argument], conditions, values)
    assert function == "Fn::Equals", f"{function} is new in template.yaml: resolve it here"
    left, right = (value(side, conditions, values) for side in argument)
    return left == right


def substituted(argument, conditions, values):
    text, own = (argument, {}) if isinstance(argument, str) else argument
    own = {name: value(child, conditions, values) for name, child in own.items()}

    def one(match):
        name = match[1]
        return "${" + name[1:] + "}" if name.startswith("!") else str((values | own).get(name, name))

    return re.sub(r"\$\{([^}]*)\}", one, text)


NO_VALUE = object()
