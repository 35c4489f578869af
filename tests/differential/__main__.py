"""10,000 mutated tokens -> the function and PyJWT, and a named rule for every difference. An unexplained one fails."""

import collections
import os
import random
import sys

import jwt
from function import Function
from rules import ACCEPTED, CLAIMS, CRASHED, EXPIRED, HEADER, RULES, Reading, broken, explain
from tokens import AUDIENCE, Mutator, Tenant


def main() -> int:
    count = int(os.environ.get("TOKENS") or 10_000)
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    tenant = Tenant()
    jwks = tenant.jwks()
    explained: collections.Counter = collections.Counter()
    agreed: collections.Counter = collections.Counter()
    wrong = unexplained = 0
    with Function(sys.argv[1], jwks) as function:
        mutator = Mutator(tenant, function.issuer, seed)
        for _ in range(count):
            token = mutator.token()
            ours, theirs = function.ask(token), pyjwt(token, jwks, function.issuer)
            reading = Reading(token)
            rules = explain(reading, ours, theirs)
            if broken(reading, ours):
                wrong += 1
                print(f"WRONG: the function accepts what {broken(reading, ours)} refuses:\n  {reading}")
            elif ours == theirs:
                agreed[ours] += 1
            elif rules:
                explained[rules[0]] += 1
            else:
                unexplained += 1
                print(f"UNEXPLAINED: the function says {ours}, PyJWT says {theirs}:\n  {reading}")

    print(f"\n{count} tokens of seed {seed}, by the function and by PyJWT {jwt.__version__}")
    for outcome in (ACCEPTED, HEADER, EXPIRED, CLAIMS):
        print(f"{agreed[outcome]:6}  {outcome}, both")
    for name, *_ in RULES:
        print(f"{explained[name]:6}  {name}")
    print(f"{unexplained:6}  unexplained\n{wrong:6}  accepted, but some rule refuses them")

    idle = [outcome for outcome in (ACCEPTED, HEADER, EXPIRED, CLAIMS) if count >= 10_000 and not agreed[outcome]]
    idle += [name for name, *_ in RULES if count >= 10_000 and not explained[name]]
    for name in idle:
        print(f"\nNothing came under {name!r}: mend the mutations, or take the rule out.")
    return 1 if unexplained or wrong or idle else 0


def pyjwt(token: str, jwks: dict, issuer: str) -> str:
    """As its documentation would have it used, with the key chosen by kid, and the claims required that we require."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = jwt.PyJWKSet.from_dict(jwks)[kid]
        required = {"require": ["exp", "iss", "aud"]}
        jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=issuer, leeway=5, options=required)
    except jwt.ExpiredSignatureError:
        return EXPIRED
    except (
        jwt.MissingRequiredClaimError,
        jwt.InvalidAudienceError,
        jwt.InvalidIssuerError,
        jwt.InvalidIssuedAtError,
        jwt.ImmatureSignatureError,
        jwt.exceptions.InvalidSubjectError,
        jwt.exceptions.InvalidJTIError,
    ):
        return CLAIMS
    except (jwt.PyJWTError, KeyError):  # KeyError: no such key in the set
        return HEADER
    except Exception:
        return CRASHED
    return ACCEPTED


sys.exit(main())
