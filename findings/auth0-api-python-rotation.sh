#!/usr/bin/env bash
# PyPI auth0-api-python 1.0.0b10 (Auth0's own library for APIs): a token whose `kid` is not among the cached keys does not make
# it fetch the JWKS. So after a rotation of signing keys, all new tokens are refused until the cache runs out, by default for
# up to ten minutes, or for as long as the tenant's Cache-Control says if that is less.
# Why it matters: tenants sign with the new key at once. (Peers fetch once more for a key that they do not know.)
#
# Seen, with a token of the old key, then a rotation, then a token of the new key that the JWKS has:
#   old key                  accepted    2 fetches: openid-configuration, jwks.json
#   new key                  refused: No matching key found in JWKS    0 fetches
#   new key, a new client    accepted    2 fetches: openid-configuration, jwks.json
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet auth0-api-python==1.0.0b10 PyJWT==2.15.1
"$work/venv/bin/python" - 2>/dev/null <<'PYTHON' ||
import asyncio
import sys
import time
import jwt
from auth0_api_python import ApiClient, ApiClientOptions
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER, AUDIENCE = "https://tenant.example/", "https://api.example"
published, fetched = [], []


def rotate(kid):
    """Publishes a new key beside the old ones, and gives a token that it signed."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    published.append({"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": jwk["n"], "e": jwk["e"]})
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user", "iat": now, "exp": now + 600}
    return jwt.encode(claims, private, "RS256", {"kid": kid})


async def tenant(url):
    fetched.append(url.rsplit("/", 1)[1])
    if fetched[-1] == "jwks.json":
        return {"keys": list(published)}
    return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}.well-known/jwks.json"}


def client():
    return ApiClient(ApiClientOptions(domain="tenant.example", audience=AUDIENCE, custom_fetch=tenant))


def verified(name, by, token):
    fetched.clear()
    try:
        asyncio.run(by.verify_access_token(token))
        outcome = "accepted"
    except Exception as refusal:
        outcome = f"refused: {refusal}"
    print(f"{name:24} {outcome}    {len(fetched)} fetches{': ' if fetched else ''}{', '.join(fetched)}")
    return outcome == "accepted", len(fetched)


api = client()
old = verified("old key", api, rotate("old"))
token = rotate("new")
new = verified("new key", api, token)
elsewhere = verified("new key, a new client", client(), token)
sys.exit(0 if (old, new, elsewhere) == ((True, 2), (False, 0), (True, 2)) else 1)
PYTHON
    { echo "Changed: an unknown key is fetched." >&2; exit 1; }
