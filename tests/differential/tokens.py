"""A seed -> tokens that are good but for a few deviations, each signed for real."""

import base64
import json
import random
import time

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

AUDIENCE = "https://quickstarts/api"


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Tenant:
    """Its keys: one that counts, and some that a careless reader might take."""

    def __init__(self) -> None:
        self.good = rsa.generate_private_key(65537, 2048)
        self.small = rsa.generate_private_key(65537, 1024)
        self.stranger = rsa.generate_private_key(65537, 2048)
        self.curve = ec.generate_private_key(ec.SECP256R1())

    def jwks(self) -> dict:
        point = self.curve.public_key().public_numbers()
        return {
            "keys": [
                jwk(self.good, kid="good", use="sig", alg="RS256"),
                jwk(self.good, kid="for-encryption", use="enc"),
                jwk(self.good, kid="for-wrapping", key_ops=["wrapKey"]),
                jwk(self.good, kid="of-another-algorithm", alg="RS512"),
                jwk(self.small, kid="small"),
                {
                    "kty": "EC",
                    "crv": "P-256",
                    "kid": "curve",
                    "x": encode(point.x.to_bytes(32, "big")),
                    "y": encode(point.y.to_bytes(32, "big")),
                },
            ]
        }

    def signature(self, how: str, data: bytes) -> bytes:
        pkcs1 = padding.PKCS1v15()
        sha256 = hashes.SHA256()
        match how:
            case "RS256":
                return self.good.sign(data, pkcs1, sha256)
            case "RS512":
                return self.good.sign(data, pkcs1, hashes.SHA512())
            case "PS256":
                pss = padding.PSS(padding.MGF1(sha256), padding.PSS.DIGEST_LENGTH)
                return self.good.sign(data, pss, sha256)
            case "small":
                return self.small.sign(data, pkcs1, sha256)
            case "stranger":
                return self.stranger.sign(data, pkcs1, sha256)
            case "ES256":
                return self.curve.sign(data, ec.ECDSA(sha256))
            case "HS256":
                public = self.good.public_key()
                pem = public.public_bytes(
                    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
                )
                mac = hmac.HMAC(pem, sha256)
                mac.update(data)
                return mac.finalize()
            case "zeros":
                return bytes(256)
        raise ValueError(how)


def jwk(key: rsa.RSAPrivateKey, **members) -> dict:
    modulus = key.public_key().public_numbers().n
    n = encode(modulus.to_bytes((modulus.bit_length() + 7) // 8, "big"))
    return {"kty": "RSA", "n": n, "e": "AQAB", **members}


class Mutator:
    """Draws tokens by chance. What lies close to a limit of time is left to tests that own the clock."""

    def __init__(self, tenant: Tenant, issuer: str, seed: int) -> None:
        self.tenant = tenant
        self.issuer = issuer
        self.random = random.Random(seed)

    def token(self) -> str:
        now = int(time.time())
        header = [("alg", "RS256"), ("typ", "JWT"), ("kid", "good")]
        claims = [
            ("iss", self.issuer),
            ("sub", "auth0|5f7c8ec7c33c6c004bbafe82"),
            ("aud", [AUDIENCE, f"{self.issuer}userinfo"]),
            ("iat", now - 60),
            ("exp", now + 86_400),
            ("scope", "openid read:messages"),
        ]
        header = [(json.dumps(name), json.dumps(value)) for name, value in header]
        claims = [(json.dumps(name), json.dumps(value)) for name, value in claims]
        signed_by = "RS256"
        for _ in range(self.random.choice([0, 1, 1, 1, 1, 2, 3])):
            match self.random.choices(["claim", "fitting", "expiry", "header", "key", "signature"], [48, 6, 6, 30, 6, 4])[0]:
                case "claim":
                    self.change(claims, CLAIMS, self.claim_values(now))
                case "fitting":
                    name, value = self.random.choice(FITTING)
                    self.put(claims, name, json.dumps(value))
                case "expiry":
                    self.put(claims, "exp", json.dumps(now - 60))
                    if self.random.random() < 0.3:
                        self.put(claims, *self.random.choice([("nbf", json.dumps(now + 60)), ("sub", "5")]))
                case "header":
                    self.change(header, HEADER, HEADER_VALUES)
                case "key":
                    signed_by, kid, algorithm = self.random.choice(KEYS)
                    self.put(header, "kid", json.dumps(kid))
                    self.put(header, "alg", json.dumps(algorithm))
                case "signature":
                    signed_by = self.random.choice(SIGNATURES)
        parts = [self.json(header), self.json(claims)]
        segments = [encode(part) for part in parts]
        if self.random.random() < 0.04:
            at = self.random.randrange(2)
            segments[at] += "=" * (-len(segments[at]) % 4) or "="
        signature = encode(self.tenant.signature(signed_by, ".".join(segments).encode()))
        token = ".".join([*segments, signature])
        return self.scratch(token) if self.random.random() < 0.06 else token

    def change(self, members: list, names: list, values: list) -> None:
        """One member set, left out, repeated, or named in another way."""
        name = self.random.choice(names)
        value = json.dumps(self.random.choice(values)) if self.random.random() < 0.85 else self.random.choice(RAW)
        match self.random.choices(["put", "drop", "repeat", "escape"], [70, 12, 10, 8])[0]:
            case "put":
                self.put(members, name, value)
            case "drop":
                members[:] = [member for member in members if member[0] != json.dumps(name)]
            case "repeat":
                members.insert(self.random.randrange(len(members) + 1), (json.dumps(name), value))
            case "escape":
                for at, (known, old) in enumerate(members):
                    if name and known == json.dumps(name):
                        members[at] = (f'"\\u{ord(name[0]):04x}{name[1:]}"', old)

    def put(self, members: list, name: str, value: str) -> None:
        members[:] = [member for member in members if member[0] != json.dumps(name)]
        members.insert(self.random.randrange(len(members) + 1), (json.dumps(name), value))

    def json(self, members: list) -> bytes:
        blank = self.random.choice(["", "", "", " ", "\n\t"])
        inside = f"{blank},{blank}".join(f"{name}{blank}:{blank}{value}" for name, value in members)
        text = f"{blank}{{{blank}{inside}{blank}}}{blank}"
        if self.random.random() < 0.96:
            return text.encode()
        return self.random.choice(
            [
                text.encode("utf-8-sig"),
                text.encode("utf-16"),
                text.encode("utf-32-le"),
                f"[{text}]".encode(),
                f"{text}{text}".encode(),
                f"{text}\0".encode(),
                text.replace("}", ",}").encode(),
                text.replace('"', "'").encode(),
                text.encode().replace(b"auth0|", b"auth0|\xff"),
                text.encode()[:-2],
                b"null",
                b"{}",
                json.dumps(text).encode(),
            ]
        )

    def scratch(self, token: str) -> str:
        """Changes a token after it was signed."""
        at = self.random.randrange(len(token))
        some = self.random.choice("Aa0-_=+/.~")
        header, payload, signature = token.split(".")
        return self.random.choice(
            [
                token[:at],
                token[:at] + some + token[at + 1 :],
                token[:at] + some + token[at:],
                token[:at] + token[at + 1 :],
                f"{token}.{signature}",
                f"{header}..{signature}",
                f"{header}.{payload}.",
                f"{payload}.{header}.{signature}",
                f"{header}.{payload}.{signature}=",
                token + "A" * 16_384,
            ]
        )

    def claim_values(self, now: int) -> list:
        return [
            *[now - 86_400, now - 60, now + 60, now + 86_400, now * 1_000, now + 60.5, now - 60.5],
            *[0, -1, 0.5, -0.0, 1, 2**53, 2**53 - 1, -(2**53), 2**63, 2**64, 10**40],
            *[str(now + 60), str(now - 60), "", " ", "x", "1.5", True, False, None, [], {}, [now + 60], {"exp": now}],
            *[self.issuer, self.issuer.rstrip("/"), self.issuer.upper(), [self.issuer], "https://evil.example/"],
            *[AUDIENCE, [AUDIENCE], [AUDIENCE, 5], [AUDIENCE, None], [[AUDIENCE]], AUDIENCE + "/", ["x"], {AUDIENCE: 1}],
            *["read:messages", "openid", ["read:messages"], ["openid", 5], "read:messages\ud800", "\U0001f600"],
            *["Bearer", "bearer", "ID", "refresh", "access", {"sub": "x"}, {"sub": 5}],
        ]


def actors(count: int) -> dict:
    return {"sub": "x", "act": actors(count - 1)} if count else {}


CLAIMS = ["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "scope", "cnf", "at_hash", "events", "azp", "EXP", ""]
CLAIMS += ["exp", "nbf", "iat", "sub", "scp", "act", "nonce", "c_hash", "s_hash", "token_use", "typ"]
# What each of these claims may well hold: chance would hardly bring them together.
FITTING = [("sub", "anon@x"), ("aud", [AUDIENCE, 5]), ("scope", ["openid"]), ("scp", "openid"), ("nonce", "n")]
FITTING += [("act", actors(5)), ("act", actors(6)), ("typ", "ID"), ("typ", "Bearer"), ("token_use", "access")]
FITTING += [("nbf", None), ("iat", None)]
HEADER = ["alg", "kid", "typ", "crit", "b64", "enc", "zip", "jku", "jwk", "x5c", "x5t", "cty", "x", ""]
HEADER_VALUES = [
    *["RS256", "rs256", "none", "HS256", "RS512", "PS256", "RS256 ", "good", "Good", "curve", "k" * 257, "no such"],
    *["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/jwt", "dpop+jwt", "JOSE", "logout+jwt", ["exp"], ["b64"], ["x"]],
    *[5, 0.5, True, False, None, "", [], {}, {"RS256": None}, ["RS256"], ["JWT"], "https://evil.example/", "A" * 12_000],
    *[{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "none"}, "\ud800", "\U0001f600", 2**64, 10**40],
]
RAW = ["NaN", "-Infinity", "1e400", "-1e400", "1e999", "-9e999", "1e15", "1.9e9", "01", "+1", "'x'", '"\t"', '"\\ud800"', '"\\x41"', "[" * 3_000]
RAW += ["[" * 100 + "]" * 100, "[" * 1_500 + "]" * 1_500, '{"a":1,"a":2}', "0x7fffffff", "1.", "/**/1", "9" * 5_000, "tru"]
# Signed with, the kid that is named, the algorithm that is named.
KEYS = [
    ("RS256", "for-encryption", "RS256"),
    ("RS256", "for-wrapping", "RS256"),
    ("RS256", "of-another-algorithm", "RS256"),
    ("RS512", "of-another-algorithm", "RS512"),
    ("small", "small", "RS256"),
    ("ES256", "curve", "ES256"),
    ("ES256", "curve", "RS256"),
    ("HS256", "good", "HS256"),
    ("RS512", "good", "RS512"),
    ("PS256", "good", "PS256"),
    ("stranger", "stranger", "RS256"),
]
SIGNATURES = ["RS512", "PS256", "small", "stranger", "ES256", "HS256", "zeros"]
