"""A CloudWatch Logs filter pattern for JSON -> whether it matches a line of a log.

The part of the syntax that template.yaml uses, by AWS's own description of it ("Filter pattern syntax for metric
filters"). Everything else is an error and never a match.
"""

import json
import re


def matches(pattern, line):
    """Whether a filter with this pattern counts this line."""
    try:
        event = json.loads(line)
    except ValueError:
        return False  # a line that is no JSON, which Lambda itself may write
    tokens = Tokens(pattern)
    tokens.take("{")
    found = either(tokens, event)
    tokens.take("}")
    tokens.end()
    return found


def field(selector, event):
    """What a selector such as $.fields.status points at, or ABSENT."""
    for name in selector.split(".")[1:]:
        if not isinstance(event, dict) or name not in event:
            return ABSENT
        event = event[name]
    return event


def either(tokens, event):
    found = both(tokens, event)
    while tokens.next == "||":
        tokens.take("||")
        found = both(tokens, event) or found
    return found


def both(tokens, event):
    found = term(tokens, event)
    while tokens.next == "&&":
        tokens.take("&&")
        found = term(tokens, event) and found
    return found


def term(tokens, event):
    if tokens.next == "(":
        tokens.take("(")
        found = either(tokens, event)
        tokens.take(")")
        return found
    actual = field(tokens.take(r"\$(\.[A-Za-z0-9_-]+)+"), event)
    operator = tokens.take(r"=|!=|<=|>=|<|>|IS|NOT")
    if operator == "NOT":
        tokens.take("EXISTS")
        return actual is ABSENT
    if operator == "IS":
        return actual is {"TRUE": True, "FALSE": False, "NULL": None}[tokens.take("TRUE|FALSE|NULL")]
    return compared(actual, operator, tokens.take(r'"[^"]*"|[+-]?\d+(\.\d+)?|\*|\w+'))


def compared(actual, operator, expected):
    # A selector has to point at a text or a number, whatever the operator.
    if isinstance(actual, bool) or not isinstance(actual, (str, int, float)):
        return False
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", expected):
        return not isinstance(actual, str) and ORDER[operator](actual, float(expected))
    if operator not in ("=", "!="):
        raise ValueError(f"{operator} compares numbers, not {expected}")
    # An asterisk stands for any text.
    words = ".*".join(re.escape(word) for word in expected.strip('"').split("*"))
    return (re.fullmatch(words, str(actual), re.DOTALL) is not None) == (operator == "=")


ABSENT = object()

ORDER = {
    "=": lambda actual, expected: actual == expected,
    "!=": lambda actual, expected: actual != expected,
    "<": lambda actual, expected: actual < expected,
    "<=": lambda actual, expected: actual <= expected,
    ">": lambda actual, expected: actual > expected,
    ">=": lambda actual, expected: actual >= expected,
}


class Tokens:
    """The words of a pattern, one after the other."""

    def __init__(self, pattern):
        token = r'"[^"]*"|&&|\|\||[<>!]=|[{}()=<>*]|[^\s{}()=<>!&|"*]+'
        self.left = re.findall(token, pattern)
        if "".join(self.left) != re.sub(r'\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', "", pattern):
            raise ValueError(f"a character that has no meaning here: {pattern}")

    @property
    def next(self):
        return self.left[0] if self.left else ""

    def take(self, shape):
        if not (self.next == shape or re.fullmatch(shape if len(shape) > 1 else re.escape(shape), self.next)):
            raise ValueError(f"{self.next or 'the end'} where {shape} should be")
        return self.left.pop(0)

    def end(self):
        if self.left:
            raise ValueError(f"{self.left} behind the end")
