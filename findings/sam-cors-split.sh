#!/usr/bin/env bash
# PyPI aws-sam-translator 1.115.0 (what `sam deploy` and CloudFormation's transform are made of): where AllowOrigins of an
# AWS::Serverless::HttpApi is an intrinsic function (!Split, !If), all other members of CorsConfiguration vanish, and the
# function itself stands where the object should be. For AllowMethods and AllowHeaders the same functions work. With !If around
# the whole CorsConfiguration, all of it arrives.
# Why it matters: the template is accepted, and the API lets no page send `Authorization`, or has no CORS at all.
#
# Seen (AllowMethods and AllowHeaders were given in all three):
#   AllowOrigins: [...]      {"allowOrigins": ["https://app.example"], "allowHeaders": ["authorization"], "allowMethods": ["GET"]}
#   AllowOrigins: !Split     {"Fn::Split": [",", "https://app.example,https://other.example"]}
#   !If around the whole     {"Fn::If": ["Yes", {"allowMethods": ["GET"], "allowHeaders": ["authorization"], "allowOrigins": {"Fn::Split": [",", "https://app.example,https://other.example"]}}, {"Ref": "AWS::NoValue"}]}
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet aws-sam-translator==1.115.0
AWS_DEFAULT_REGION=eu-central-1 "$work/venv/bin/python" - 2>/dev/null <<'PYTHON' ||
import json
import sys
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    def load(self):
        return {}


def cors(configuration):
    """What API Gateway is told of CORS."""
    template = {
        "Parameters": {"Origins": {"Type": "String", "Default": "https://app.example,https://other.example"}},
        "Conditions": {"Yes": {"Fn::Equals": ["yes", "yes"]}},
        "Resources": {
            "Api": {"Type": "AWS::Serverless::HttpApi", "Properties": {"CorsConfiguration": configuration}},
            "Function": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "Handler": "bootstrap",
                    "Runtime": "provided.al2023",
                    "CodeUri": "s3://bucket/key",
                    "Events": {
                        "Get": {
                            "Type": "HttpApi",
                            "Properties": {"ApiId": {"Ref": "Api"}, "Method": "GET", "Path": "/"},
                        }
                    },
                },
            },
        },
    }
    body = transform(template, {}, NoManagedPolicies())["Resources"]["Api"]["Properties"]["Body"]
    return body["x-amazon-apigateway-cors"]


others = {"AllowMethods": ["GET"], "AllowHeaders": ["authorization"]}
split = {"Fn::Split": [",", {"Ref": "Origins"}]}
listed = cors({**others, "AllowOrigins": ["https://app.example"]})
by_split = cors({**others, "AllowOrigins": split})
around = cors({"Fn::If": ["Yes", {**others, "AllowOrigins": split}, {"Ref": "AWS::NoValue"}]})
for name, seen in [("AllowOrigins: [...]", listed), ("AllowOrigins: !Split", by_split), ("!If around the whole", around)]:
    print(f"{name:24} {json.dumps(seen)}")

members = {"allowOrigins", "allowHeaders", "allowMethods"}
as_stated = set(listed) == members and set(by_split) == {"Fn::Split"} and set(around["Fn::If"][1]) == members
sys.exit(0 if as_stated else 1)
PYTHON
    { echo "Changed: !Split in AllowOrigins no longer costs the other members of CorsConfiguration." >&2; exit 1; }
