#!/usr/bin/env bash
# PyPI aws-lambda-powertools 3.37.0, utilities/auth_alpha: `JWTVerifier.authorize` takes events of type REQUEST, and raises
# ValueError for those of a WebSocket API, whose authorizers get the same type. Such an event's ARN ends in a route key,
# `$connect`, where that of a REST API ends in method and path; the library wants a method in capital letters there.
# Why it matters: the failed invocation is a 500 for the client, with a valid token, too. REST and HTTP APIs work.
#
# Seen, with the same valid token:
#   arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/GET/messages    Allow
#   arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/$connect        ValueError: A concrete API Gateway method or route ARN of at most 512 characters is required
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'aws-lambda-powertools[jwt]==3.37.0'
"$work/venv/bin/python" - <<'PYTHON' ||
import sys
import time
import jwt
from aws_lambda_powertools.utilities.auth_alpha import JWTVerifier
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER, AUDIENCE = "https://tenant.example/", "https://api.example"
private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
jwk = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
jwks = {"keys": [{"kty": "RSA", "kid": "key", "use": "sig", "alg": "RS256", "n": jwk["n"], "e": jwk["e"]}]}
verifier = JWTVerifier(issuer=ISSUER, audience=AUDIENCE, algorithms=["RS256"], jwks=jwks)
now = int(time.time())
claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user", "iat": now, "exp": now + 600}
token = jwt.encode(claims, private, "RS256", {"kid": "key"})


def authorized(resource, context):
    arn = f"arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/{resource}"
    event = {
        "type": "REQUEST",
        "methodArn": arn,
        "headers": {"Authorization": f"Bearer {token}"},
        "multiValueHeaders": {"Authorization": [f"Bearer {token}"]},
        "requestContext": {"stage": "prod", "apiId": "abcdef1234", **context},
    }
    try:
        outcome = verifier.authorize(event)["policyDocument"]["Statement"][0]["Effect"]
    except ValueError as error:
        outcome = f"ValueError: {error}"
    print(f"{arn:77} {outcome}")
    return outcome.split(":")[0]


rest = authorized("GET/messages", {"httpMethod": "GET", "resourcePath": "/messages"})
web_socket = authorized("$connect", {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "connection="})
sys.exit(0 if (rest, web_socket) == ("Allow", "ValueError") else 1)
PYTHON
    { echo "Changed: the event of a WebSocket API is answered in another way." >&2; exit 1; }
