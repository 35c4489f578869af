"""An API Gateway event -> an answer, as the Auth0 quickstart for Python does it: the keys are fetched for each request."""

import functools
import json
import os

from apig_wsgi import make_lambda_handler
from flask import Flask, g, jsonify, request
from flask_cors import cross_origin
from jose import jwt
from six.moves.urllib.request import urlopen

ISSUER = f"https://{os.environ['AUTH0_DOMAIN']}/"
AUDIENCE = os.environ["API_AUDIENCE"]

app = Flask(__name__)


class Refused(Exception):
    def __init__(self, status, code, description):
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "description": description}


@app.errorhandler(Refused)
def refuse(refused):
    return jsonify(refused.body), refused.status


def bearer_token():
    header = request.headers.get("Authorization")
    if not header:
        raise Refused(401, "authorization_header_missing", "Authorization header is expected")
    words = header.split()
    if words[0].lower() != "bearer":
        raise Refused(401, "invalid_header", "Authorization header must start with Bearer")
    if len(words) == 1:
        raise Refused(401, "invalid_header", "Token not found")
    if len(words) > 2:
        raise Refused(401, "invalid_header", "Authorization header must be Bearer token")
    return words[1]


def verified(token):
    with urlopen(f"{ISSUER}.well-known/jwks.json") as response:
        jwks = json.load(response)
    kid = jwt.get_unverified_header(token)["kid"]
    key = next((key for key in jwks["keys"] if key["kid"] == kid), None)
    if key is None:
        raise Refused(401, "invalid_header", "Unable to find appropriate key")
    try:
        return jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
    except jwt.ExpiredSignatureError as error:
        raise Refused(401, "token_expired", "token is expired") from error
    except jwt.JWTClaimsError as error:
        description = "incorrect claims,please check the audience and issuer"
        raise Refused(401, "invalid_claims", description) from error
    except Exception as error:
        raise Refused(401, "invalid_header", "Unable to parse authentication token.") from error


def requires_auth(endpoint):
    @functools.wraps(endpoint)
    def with_claims(*args, **kwargs):
        g.claims = verified(bearer_token())
        return endpoint(*args, **kwargs)

    return with_claims


@app.get("/api/private")
@cross_origin(headers=["Content-Type", "Authorization"])
@requires_auth
def private():
    return jsonify(message="Hello from a private endpoint! You need to be authenticated to see this.")


handler = make_lambda_handler(app)
