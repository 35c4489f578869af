"""A Lambda authorizer's event -> an IAM policy, by AWS's Powertools as its documentation shows it."""

import importlib
import os

from aws_lambda_powertools.utilities.auth_alpha.jwt import JWTVerifier

verifier = JWTVerifier(
    issuer=f"https://{os.environ['AUTH0_DOMAIN']}/",
    audience=os.environ["API_AUDIENCE"],
    algorithms=["RS256"],
    required_claims=["sub"],
)

if "HYDRATE" in os.environ:
    verifier.prefetch()
    # Powertools imports this no sooner than at the first event, and Lambda has little CPU for it then.
    importlib.import_module("aws_lambda_powertools.utilities.auth_alpha.jwt.integrations.api_gateway")


def handler(event, context):
    return verifier.authorize(event, response_format="iam", context_claims=["sub", "scope"])
