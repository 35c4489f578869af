"""The evaluator of filter patterns, by examples of what AWS says about them."""

import json

import pytest

from pattern import matches

EVENT = json.dumps(
    {
        "level": "INFO",
        "fields": {"message": "request", "status": 401, "latency_ms": 0.25, "code": "invalid_header", "cold": True},
        "span": {"id": "7"},
        "nothing": None,
        "list": [1],
    }
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ('{ $.level = "INFO" }', True),
        ("{ $.level = INFO }", True),
        ('{ $.level = "info" }', False),
        ('{ $.level != "WARN" }', True),
        ('{ $.fields.message = "request" }', True),
        ('{ $.fields.message = "req" }', False),
        ('{ $.fields.message = "req*" }', True),
        ('{ $.fields.code = "*_header" }', True),
        ("{ $.fields.code = * }", True),
        ("{ $.fields.reason = * }", False),
        ('{ $.fields.reason != "x" }', False),
        ("{ $.fields.reason NOT EXISTS }", True),
        ("{ $.fields.code NOT EXISTS }", False),
        ("{ $.fields.status = 401 }", True),
        ("{ $.fields.status = 40 }", False),
        ("{ $.fields.status != 401 }", False),
        ("{ $.fields.status >= 400 && $.fields.status < 500 }", True),
        ("{ $.fields.status > 401 || $.fields.status <= 400 }", False),
        ("{ $.fields.latency_ms < 0.3 }", True),
        ("{ $.fields.latency_ms > -1 }", True),
        ("{ $.span.id = 7 }", False),  # a text
        ('{ $.span.id = "7" }', True),
        ("{ $.fields.cold IS TRUE }", True),
        ("{ $.fields.cold IS FALSE }", False),
        ("{ $.nothing IS NULL }", True),
        ("{ $.absent IS NULL }", False),
        ("{ $.list = 1 }", False),
        ("{ $.list != 1 }", False),  # a selector has to point at a value
        ("{ $.fields = * }", False),
        ("{ $.a = 1 && $.b = 2 || $.level = INFO }", True),  # && binds more strongly
        ("{ $.a = 1 && ($.b = 2 || $.level = INFO) }", False),
        ("{ ($.level = INFO) && ($.fields.status = 401) }", True),
    ],
)
def test_an_event_matches(pattern, expected):
    assert matches(pattern, EVENT) is expected


@pytest.mark.parametrize("line", ["START RequestId: 1", "", "[1]", "7", "null"])
def test_what_is_no_object_never_matches(line):
    assert matches('{ $.level = "INFO" }', line) is False


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "INFO",
        '$.level = "INFO"',
        '{ $.level = "INFO" ',
        '{ $.level == "INFO" }',
        '{ $.level ~ "INFO" }',
        '{ level = "INFO" }',
        "{ $.level = }",
        "{ $.level > INFO }",
        '{ $.level = "INFO" } }',
        '{ $.level = "INFO" & $.a = 1 }',
        '{ $.level = "INFO" and $.a = 1 }',
        "{ $.level IS INFO }",
    ],
)
def test_a_pattern_that_makes_no_sense_is_an_error(pattern):
    with pytest.raises((ValueError, KeyError)):
        matches(pattern, EVENT)
