#!/usr/bin/env bash
# PyPI aws-sam-cli 1.170.0 (with cfn-lint 1.58.0): `sam validate --lint` checks less than `sam validate`, not more. With
# --lint, cfn-lint alone judges, and it knows the shape of SAM's resources, but none of SAM's own rules. So a template that
# `sam deploy` will refuse is "a valid SAM Template". Both have to be run.
# The input is a template whose JWT authorizer lacks IdentitySource, which SAM demands.
#
# Seen:
#   sam validate         Error: [InvalidResourceException('Api', "Auth0 OAuth2 Authorizer must define 'IdentitySource'.")] ... (exit code 1)
#   sam validate --lint  template.yaml is a valid SAM Template (exit code 0)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
changed() { echo "Changed: $*" >&2; exit 1; }

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet aws-sam-cli==1.170.0 cfn-lint==1.58.0
cat >"$work/template.yaml" <<'YAML'
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Auth0
        Authorizers:
          Auth0:
            JwtConfiguration:
              issuer: https://tenant.example/
              audience: [https://api.example]
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Handler: bootstrap
      Runtime: provided.al2023
      CodeUri: s3://bucket/key
      Events:
        Get: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: / } }
YAML
cd "$work"
export AWS_DEFAULT_REGION=eu-central-1 SAM_CLI_TELEMETRY=0 HOME=$work

alone=0
venv/bin/sam validate -t template.yaml || alone=$?
with_lint=0
venv/bin/sam validate --lint -t template.yaml || with_lint=$?
printf '\nsam validate: exit code %s\nsam validate --lint: exit code %s\n' "$alone" "$with_lint"
[ "$alone" -eq 1 ] || changed "sam validate takes the template."
[ "$with_lint" -eq 0 ] || changed "sam validate --lint refuses the template, too."
