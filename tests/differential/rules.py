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
        return self.claims.last.get(name, MISSING)

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

    def repeats(self) -> bool:
        return isinstance(self.pairs, Pairs) and len(self.last) < len(self.pairs)


class Pairs(list):
    """The members of an object, in their order; a JSON list stays a plain one."""


MISSING = object()


def numeric(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53


def is_text(value) -> bool:
    return isinstance(value, str)


def other_encoding(reading: Reading) -> bool:
    for part in (reading.header, reading.claims):
        if part.bytes.startswith(b"\xef\xbb\xbf") or b"\0" in part.bytes:
            return True
    return False


def no_json(part: Part) -> bool:
    """What Python's reader lets through: words for what is no number, and half of a surrogate pair."""
    text = part.bytes.decode("utf-8", "replace")
    outside_of_texts = re.sub(r'"(\\.|[^"\\])*"', '""', text)
    try:
        json.dumps(part.pairs, ensure_ascii=False).encode()
        lone = False
    except UnicodeEncodeError:
        lone = True
    return lone or re.search(r"NaN|Infinity", outside_of_texts) is not None


def beyond_a_double(part: Part) -> bool:
    text = re.sub(r'"(\\.|[^"\\])*"', '""', part.bytes.decode("utf-8", "replace"))
    return re.search(r"[0-9]{309}|[eE]\+?[0-9]{3}", text) is not None


def deep(part: Part) -> bool:
    return b"[" * 200 in part.bytes


def past(reading: Reading) -> bool:
    exp = reading.claim("exp")
    return numeric(exp) and exp < time.time() - 5


def typ(reading: Reading) -> bool:
    value = reading.header.last.get("typ", MISSING)
    allowed = ("jwt", "at+jwt", "application/at+jwt")
    return value is not MISSING and not (is_text(value) and value.lower() in allowed)


# RFC 7515, section 4.1, has a type for each of these; jsonwebtoken asks for it.
HEADER_TYPES = {"jku": str, "x5u": str, "x5t": str, "x5t#S256": str, "cty": str, "jwk": dict, "x5c": list}


def typed_header(reading: Reading) -> bool:
    for name, wanted in HEADER_TYPES.items():
        value = reading.header.last.get(name)
        if value is None:
            continue
        if isinstance(value, Pairs):
            value = dict(value)
        if not isinstance(value, wanted) or wanted is list and not all(map(is_text, value)):
            return True
    return False


def other_key(reading: Reading) -> bool:
    return reading.header.last.get("kid") in ("for-encryption", "for-wrapping", "of-another-algorithm", "small")


def wrong_type(*names, right):
    return lambda reading: any(
        (value := reading.claim(name)) is not MISSING and not right(value) for name in names
    )


# Name, when it applies, what the function says, what PyJWT says.
RULES = [
    ("RFC 7515, 2: no padding", lambda r: "=" in r.token, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("at most 8 KiB", lambda r: len(r.token) > 8_192, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 8259, 8.1: UTF-8 without a mark", other_encoding, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 8259: no NaN, no half of a pair (header)", lambda r: no_json(r.header), {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 8259: no NaN, no half of a pair (claims)", lambda r: no_json(r.claims), {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 7515, 4: no repeated member", lambda r: r.header.repeats(), {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 7519, 4: no repeated claim", lambda r: r.claims.repeats(), {CLAIMS}, {ACCEPTED, EXPIRED, HEADER}),
    ("no crit, b64, enc, zip", lambda r: {"crit", "b64", "enc", "zip"} & set(r.header.last), {HEADER}, {ACCEPTED, EXPIRED, CLAIMS, CRASHED}),
    ("RFC 9068, 4: typ", typ, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 7515, 4.1: header members have types", typed_header, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("header numbers fit a double", lambda r: beyond_a_double(r.header), {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("RFC 7517, 4: a key for signatures, RS256, 2048 bits", other_key, {HEADER}, {ACCEPTED, EXPIRED, CLAIMS}),
    ("an expired token is expired, whatever else", past, {EXPIRED}, {CLAIMS, HEADER}),
    ("RFC 7519, 2: times are numbers below 2^53", wrong_type("exp", "nbf", "iat", right=numeric), {CLAIMS}, {ACCEPTED, EXPIRED, HEADER, CRASHED}),
    ("RFC 8693, 4.2: scope is a text", wrong_type("scope", right=lambda v: v is None or is_text(v)), {CLAIMS}, {ACCEPTED}),
    ("RFC 9449, RFC 8705: no bound token", lambda r: r.claim("cnf") is not MISSING, {CLAIMS}, {ACCEPTED}),
    ("OpenID: no ID token, no logout token", lambda r: {"at_hash", "events"} & set(r.claims.last), {CLAIMS}, {ACCEPTED}),
    ("nesting that nobody asks for is skipped", lambda r: deep(r.claims), {ACCEPTED, EXPIRED, CLAIMS}, {HEADER, CRASHED}),
    ("digits that nobody asks for are skipped", lambda r: b"9" * 4_301 in r.claims.bytes, {ACCEPTED, EXPIRED, CLAIMS}, {HEADER}),
]


def explain(reading: Reading, ours: str, theirs: str) -> list[str]:
    """The rules that account for two different decisions."""
    return [name for name, applies, mine, other in RULES if ours in mine and theirs in other and applies(reading)]


def broken(reading: Reading, ours: str) -> list[str]:
    """The rules by which an accepted token should have been refused."""
    return [name for name, applies, mine, _ in RULES if ours == ACCEPTED not in mine and applies(reading)]
