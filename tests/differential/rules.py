"""A token -> the named rules that let two verifiers decide it differently. Each reads the token for itself."""

import base64
import json
import re
import time

ACCEPTED, HEADER, EXPIRED, CLAIMS, CRASHED = "accepted", "invalid_header", "token_expired", "invalid_claims", "crashed"


class Reading:
    """A token as the most patient of readers sees it."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.segments = token.split(".")
        self.header = Part(self.segments[0])
        self.claims = Part(self.segments[1] if len(self.segments) > 1 else "")

    def claim(self, name: str):
        """`None` where it is absent or null, which is the same."""
        return self.claims.last.get(name)

    def __str__(self) -> str:
        return f"{self.header.bytes[:500]!r} {self.claims.bytes[:1_000]!r}"


class Part:
    def __init__(self, segment: str) -> None:
        try:
            self.bytes = base64.urlsafe_b64decode(segment.rstrip("=") + "=" * (-len(segment.rstrip("=")) % 4))
        except ValueError:
            self.bytes = b""
        try:
            self.pairs = json.loads(self.bytes, object_pairs_hook=Pairs)
        except (ValueError, RecursionError):
            self.pairs = None
        self.last = dict(self.pairs) if isinstance(self.pairs, Pairs) else {}

    def repeats(self, known: set) -> bool:
        names = [name for name, _ in self.pairs] if isinstance(self.pairs, Pairs) else []
        return any(names.count(name) > 1 for name in known)


class Pairs(list):
    """The members of an object, in their order; a JSON list stays a plain one."""


def numeric(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53


def is_string(value) -> bool:
    return isinstance(value, str)


def other_encoding(reading: Reading) -> bool:
    for part in (reading.header, reading.claims):
        if part.bytes.startswith(b"\xef\xbb\xbf") or b"\0" in part.bytes:
            return True
    return False


def no_json(part: Part) -> bool:
    """What Python's reader lets through: words for what is no number, and half of a surrogate pair."""
    text = part.bytes.decode("utf-8", "replace")
    outside_of_strings = re.sub(r'"(\\.|[^"\\])*"', '""', text)
    try:
        json.dumps(part.pairs, ensure_ascii=False).encode()
        lone = False
    except UnicodeEncodeError:
        lone = True
    return lone or re.search(r"NaN|Infinity", outside_of_strings) is not None


def beyond_a_double(reading: Reading) -> bool:
    for part in (reading.header, reading.claims):
        outside_of_strings = re.sub(r'"(\\.|[^"\\])*"', '""', part.bytes.decode("utf-8", "replace"))
        if re.search(r"[0-9]{309}|[eE]\+?[0-9]{3}", outside_of_strings):
            return True
    return False


def deep(reading: Reading) -> bool:
    return any(b"[" * 200 in part.bytes for part in (reading.header, reading.claims))


def past(reading: Reading) -> bool:
    exp = reading.claim("exp")
    return numeric(exp) and exp < time.time() - 5


def typ(reading: Reading) -> bool:
    value = reading.header.last.get("typ")
    allowed = ("jwt", "application/jwt", "at+jwt", "application/at+jwt")
    return value is not None and not (is_string(value) and value.lower() in allowed)


# RFC 7515, section 4.1, has a type for each of these; jsonwebtoken asks for it.
HEADER_TYPES = {"jku": str, "x5u": str, "x5t": str, "x5t#S256": str, "cty": str, "jwk": dict, "x5c": list}


def typed_header(reading: Reading) -> bool:
    for name, wanted in HEADER_TYPES.items():
        value = reading.header.last.get(name)
        if value is None:
            continue
        if isinstance(value, Pairs):
            value = dict(value)
        if not isinstance(value, wanted) or wanted is list and not all(map(is_string, value)):
            return True
    return False


def other_key(reading: Reading) -> bool:
    return reading.header.last.get("kid") in ("for-encryption", "for-wrapping", "of-another-algorithm", "small")


def strings(value) -> bool:
    return is_string(value) or type(value) is list and all(map(is_string, value))


def actor(value, left: int = 5) -> bool:
    """RFC 8693, section 4.1: who acts, and for whom in turn."""
    if not isinstance(value, Pairs) or not left:
        return False
    members = dict(value)
    sub, act = members.get("sub"), members.get("act")
    return (sub is None or is_string(sub)) and (act is None or actor(act, left - 1))


def wrong_type(*names, right):
    return lambda reading: any(
        (value := reading.claim(name)) is not None and not right(value) for name in names
    )


def no_strings(reading: Reading) -> bool:
    one, several = wrong_type("iss", "sub", "jti", right=is_string), wrong_type("aud", right=strings)
    return one(reading) or several(reading)


def null(reading: Reading) -> bool:
    known = [reading.header.last.get(name, 0) for name in ("crit", "typ")]
    known += [reading.claims.last.get(name, 0) for name in ("nbf", "iat", "sub", "jti")]
    return None in known


def of_another_kind(reading: Reading) -> bool:
    typ = reading.claim("typ")
    typ = typ.lower() if is_string(typ) else ""
    return (
        any(reading.claim(name) is not None for name in ("at_hash", "c_hash", "s_hash", "events"))
        or reading.claim("nonce") is not None and typ != "bearer"
        or reading.claim("token_use") not in (None, "access")
        or typ in ("id", "refresh", "offline", "logout")
    )


def anonymous(reading: Reading) -> bool:
    return is_string(reading.claim("sub")) and reading.claim("sub").startswith("anon@")


KNOWN_CLAIMS = {"exp", "nbf", "iat", "iss", "aud", "sub", "jti", "scope", "scp", "act", "cnf", "at_hash", "c_hash"}
KNOWN_CLAIMS |= {"s_hash", "events", "nonce", "token_use", "typ"}
FOREIGN = {"crit", "b64", "enc", "zip"}
KNOWN_HEADER = {"alg", "kid", "typ", *FOREIGN, *HEADER_TYPES}

# Name, when it applies, what the function says, what PyJWT says.
RULES = [
    ("RFC 7515, 2: no padding", lambda r: "=" in r.token, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("at most 16 KiB", lambda r: len(r.token) > 16_384, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 8259, 8.1: UTF-8 without a mark", other_encoding, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 8259: no NaN, no half of a pair (header)", lambda r: no_json(r.header), {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 8259: no NaN, no half of a pair (claims)", lambda r: no_json(r.claims), {HEADER, CLAIMS}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 7515, 4: no known member repeated", lambda r: r.header.repeats(KNOWN_HEADER), {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 7519, 4: no known claim repeated", lambda r: r.claims.repeats(KNOWN_CLAIMS), {CLAIMS}, {ACCEPTED, EXPIRED, HEADER}),
    ("no crit, b64, enc, zip", lambda r: any(r.header.last.get(name) is not None for name in FOREIGN), {HEADER}, {ACCEPTED, EXPIRED, CLAIMS, CRASHED}),
    ("RFC 9068, 4: typ", typ, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 7515, 4.1: header members have types", typed_header, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("numbers fit a double", beyond_a_double, {HEADER, CLAIMS}, {ACCEPTED, EXPIRED, CLAIMS, HEADER, CRASHED}),
    ("nesting has a limit", deep, {HEADER, CLAIMS}, {ACCEPTED, EXPIRED, CLAIMS, HEADER, CRASHED}),
    ("RFC 7517, 4: a key for signatures, RS256, 2048 bits", other_key, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 7519, 2: times are numbers below 2^53", wrong_type("exp", "nbf", "iat", right=numeric), {CLAIMS}, {ACCEPTED, EXPIRED, HEADER, CRASHED}),
    ("types come before times", no_strings, {CLAIMS}, {EXPIRED}),
    ("RFC 8693, 4.2: a scope is strings", wrong_type("scope", "scp", right=strings), {CLAIMS}, {ACCEPTED, EXPIRED}),
    ("RFC 8693, 4.1: an actor, five at most", wrong_type("act", right=actor), {CLAIMS}, {ACCEPTED, EXPIRED}),
    ("an expired token is expired, whatever else", past, {EXPIRED}, {CLAIMS, HEADER}),
    ("null is absent", null, {ACCEPTED, EXPIRED, CLAIMS}, {CLAIMS, HEADER, CRASHED}),
    ("RFC 9449, RFC 8705: no bound token", lambda r: r.claim("cnf") is not None, {CLAIMS}, {ACCEPTED}),
    ("a token for an API, no other", of_another_kind, {CLAIMS}, {ACCEPTED}),
    ("Auth0: no anonymous session", anonymous, {CLAIMS}, {ACCEPTED}),
]


def explain(reading: Reading, ours: str, theirs: str) -> list[str]:
    """The rules that account for two different decisions."""
    return [name for name, applies, mine, other in RULES if ours in mine and theirs in other and applies(reading)]


def broken(reading: Reading, ours: str) -> list[str]:
    """The rules by which an accepted token should have been refused."""
    return [name for name, applies, mine, _ in RULES if ours == ACCEPTED not in mine and applies(reading)]
