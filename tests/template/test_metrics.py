"""The metrics, against what the function really logs: a field that is renamed there is missed here."""

import json
import re

import pytest

import function as functions
from expanded import ROOT, resources
from pattern import field, matches
from test_resources import of_type

# For each filter, the lines below that it must count. All others it must not.
COUNTED = {
    "AcceptedMetric": {"public", "accepted", "scoped", "head", "stale public", "stale accepted"},
    "RefusedMetric": {"no token", "expired", "unknown kid", "no scope", "not found", "stale no scope", "stale unknown kid"},
    "FailedMetric": {"no keys"},
    "RefusalsByCodeMetric": {
        *{"no token", "expired", "unknown kid", "no scope", "not found", "stale no scope", "stale unknown kid"},
        "no keys",
    },
    "KeysUnavailableMetric": {"no keys"},
    "StaleKeysServedMetric": {"stale accepted", "stale no scope"},  # no "stale public", and no "stale unknown kid"
    "KeyFetchFailuresMetric": {"keys not fetched"},
    "ColdStartsMetric": {"public"},
    "LatencyMetric": {
        *{"public", "accepted", "scoped", "head", "no token", "expired", "unknown kid", "no scope", "not found"},
        *{"no keys", "stale public", "stale accepted", "stale no scope", "stale unknown kid"},
    },
}


@pytest.fixture(scope="module")
def lines(binary, tenant, tmp_path_factory):
    """A line for each thing that can happen, by a name for it."""
    folder = tmp_path_factory.mktemp("lines")
    lines = {}
    with functions.running(binary, folder / "up", tenant.environment()) as function:
        for name, method, path, kind in [
            ("public", "GET", "/api/public", None),
            ("accepted", "GET", "/api/private", "valid"),
            ("scoped", "GET", "/api/private-scoped", "scoped"),
            ("head", "HEAD", "/api/private", "valid"),
            ("no token", "GET", "/api/private", None),
            ("expired", "GET", "/api/private", "expired"),
            ("no scope", "GET", "/api/private-scoped", "valid"),
            ("not found", "GET", "/api/nowhere", None),
            ("unknown kid", "GET", "/api/private", "unknown-key"),
        ]:
            function.invoke(event(method, path, tenant.token(kind) if kind else None))
            lines[name] = last(function, "request")
        lines["keys fetched"] = last(function, "JWKS fetched")
        lines |= {f"emulator {number}": line for number, line in enumerate(function.lines()) if line[:1] != "{"}
    down = tenant.environment() | {"JWKS_URI": f"http://127.0.0.1:{functions.free_port()}/"}
    with functions.running(binary, folder / "down", down) as function:
        function.invoke(event("GET", "/api/private", None))
        function.invoke(event("GET", "/api/private", tenant.token("valid")))
        lines["no keys"] = last(function, "request")
        lines["keys not fetched"] = last(function, "JWKS not fetched")
    # Nobody waits for keys to grow old: the age is put into a line that is real but for it.
    for name in ["public", "accepted", "no scope", "unknown kid"]:
        line = json.loads(lines[name])
        assert line["fields"]["keys_age_s"] < 600
        line["fields"]["keys_age_s"] = 601
        line["fields"]["cold_start"] = False
        lines[f"stale {name}"] = json.dumps(line)
    lines["Lambda"] = '{"time":"2026-11-26T00:00:00Z","type":"platform.report","record":{"status":"success"}}'
    return lines


def event(method, path, token):
    event = json.loads((ROOT / "events/private.json").read_text())
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["requestContext"]["http"]["method"] = method
    if token:
        event["headers"]["authorization"] = f"Bearer {token}"
    return event


def last(function, message):
    lines = [line for line in function.lines() if line[:1] == "{" and json.loads(line)["fields"]["message"] == message]
    assert lines, f"the function has not logged {message!r}"
    return lines[-1]


def filters():
    return of_type("AWS::Logs::MetricFilter")


def test_there_is_a_row_for_each_filter():
    assert filters().keys() == COUNTED.keys()


@pytest.mark.parametrize("name", COUNTED)
def test_a_filter_counts_the_lines_that_it_should_and_no_others(lines, name):
    pattern = filters()[name]["FilterPattern"]
    assert {line for line, text in lines.items() if matches(pattern, text)} == COUNTED[name]


@pytest.mark.parametrize("name", COUNTED)
def test_what_a_filter_makes_of_a_line(lines, name):
    properties = filters()[name]
    assert properties["LogGroupName"] == "FunctionLogs"
    (metric,) = properties["MetricTransformations"]
    assert metric["MetricNamespace"] == "the-stack"
    dimensions = metric.get("Dimensions", [])
    assert len(dimensions) <= 3, "CloudWatch takes no more"
    assert not (dimensions and "DefaultValue" in metric), "CloudWatch takes one of them"
    for counted in COUNTED[name]:
        line = json.loads(lines[counted])
        if metric["MetricValue"] != "1":
            assert metric["MetricValue"] in properties["FilterPattern"], "CloudWatch wants it there"
            assert isinstance(field(metric["MetricValue"], line), float), counted
        for dimension in dimensions:
            assert dimension["Value"] in properties["FilterPattern"], "CloudWatch wants it there"
            assert isinstance(field(dimension["Value"], line), str), counted


# What stands in AWS's namespaces, as its documentation names it.
AWS_METRICS = {
    "AWS/ApiGateway": {"Count", "4xx", "5xx", "Latency"},
    "AWS/Lambda": {"Invocations", "Errors", "Throttles", "ConcurrentExecutions"},
}


def known():
    metrics = [one["MetricTransformations"][0] for one in filters().values()]
    return AWS_METRICS | {"the-stack": {metric["MetricName"] for metric in metrics}}


def test_alarms_watch_metrics_that_exist():
    alarms = of_type("AWS::CloudWatch::Alarm", AlarmTopicArn="arn:aws:sns:eu-central-1:123456789012:alarms")
    assert alarms.keys() >= {"ServerErrorsAlarm", "KeysUnavailableAlarm", "StaleKeysAlarm", "RefusalsSurgeAlarm"}
    operating = (ROOT / "OPERATING.md").read_text()
    for name, alarm in alarms.items():
        assert alarm["MetricName"] in known()[alarm["Namespace"]], name
        dimensions = {"AWS/ApiGateway": [{"Name": "ApiId", "Value": "Api"}]}
        assert alarm.get("Dimensions") == dimensions.get(alarm["Namespace"]), name
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["arn:aws:sns:eu-central-1:123456789012:alarms"], name
        section = alarm["AlarmDescription"].rpartition("See OPERATING.md, ")[2]
        assert f"### {section}\n" in operating, f"{name}: OPERATING.md does not say what to do"


def test_without_a_topic_an_alarm_tells_nobody():
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        assert "AlarmActions" not in alarm and "OKActions" not in alarm


def test_the_dashboard_shows_metrics_that_exist():
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
    assert dashboard["DashboardName"] == "the-stack-eu-central-1"
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    shown = {name: set() for name in known()}
    for widget in widgets:
        assert widget["properties"].get("region", "eu-central-1") == "eu-central-1"
        assert widget["x"] + widget["width"] <= 24
        for row in spelled_out(widget["properties"].get("metrics", [])):
            if isinstance(row[0], dict):
                assert row[0]["expression"] == """SEARCH('{"the-stack",Code} MetricName="RefusalsByCode"', 'Sum', 60)"""
                shown["the-stack"].add("RefusalsByCode")
            else:
                shown[row[0]].add(row[1])
    assert shown == known(), "a metric that is not shown, or one that does not exist"
    (alarms,) = [widget["properties"]["alarms"] for widget in widgets if widget["type"] == "alarm"]
    assert {alarm.removesuffix(".Arn") for alarm in alarms} == of_type("AWS::CloudWatch::Alarm").keys()


def spelled_out(rows):
    """A dashboard's rows, where "." stands for the cell above and "..." for all cells above."""
    above = []
    for row in rows:
        cells = [cell for cell in row if not isinstance(cell, dict)] or row
        if cells[0] == "...":
            cells = above
        above = [above[number] if cell == "." else cell for number, cell in enumerate(cells)]
        yield above


def test_operating_says_what_each_reason_mostly_means():
    text = (ROOT / "OPERATING.md").read_text()
    table = text.partition("| reason | mostly |\n")[2].partition("\n\n")[0]
    explained = [reason for row in table.splitlines() for reason in re.findall(r"`([a-z_]+)`", row.split("|")[1])]
    reasons = set(re.findall(r'=> \("([a-z_]+)"', (ROOT / "src/error.rs").read_text()))
    # What is ours has sections of its own.
    ours = {"keys_unavailable", "internal", "unwritable_reply", "panicked"}
    assert sorted(explained) == sorted(reasons - ours)
    assert all(f"`{reason}`" in text or f"*{reason.replace('_', ' ').capitalize()}*" in text for reason in ours)


def test_the_query_for_what_came_names_fields_of_the_log(binary, tenant, tmp_path):
    (query,) = re.findall(r"`(filter fields.reason [^`]*)`", (ROOT / "OPERATING.md").read_text())
    assert [command.split()[0] for command in query.split(" | ")] == ["filter", "stats", "sort"]
    named = set(re.findall(r"fields\.[a-z_]+", query))
    assert named == {"fields.reason", "fields.expected", "fields.received"}
    with functions.running(binary, tmp_path / "log", tenant.environment()) as function:
        for kind in ["wrong-audience", "wrong-issuer"]:
            function.invoke(event("GET", "/api/private", tenant.token(kind)))
            line = json.loads(last(function, "request"))
            assert line["fields"]["reason"] == kind.replace("-", "_")
            assert all(isinstance(field(f"$.{name}", line), str) for name in named)


def test_the_query_for_addresses_names_fields_of_the_gateway_s_log():
    (query,) = re.findall(r"`(filter status [^`]*)`", (ROOT / "OPERATING.md").read_text())
    commands = [command.split()[0] for command in query.split(" | ")]
    assert commands == ["filter", "stats", "sort"]  # behind stats, its own fields alone are left
    (api,) = of_type("AWS::ApiGatewayV2::Stage").values()
    logged = json.loads(api["AccessLogSettings"]["Format"])
    assert {"status", "sourceIp"} <= set(logged)


def test_the_dashboard_s_queries_name_fields_of_the_log(lines):
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    queries = [widget["properties"]["query"] for widget in widgets if widget["type"] == "log"]
    refusal = json.loads(lines["unknown kid"])
    named = set()
    for query in queries:
        assert query.startswith("SOURCE 'FunctionLogs' | ")
        named |= {word.strip("(),") for word in query.replace("(", " ").split() if word.startswith("fields.")}
    assert named == {"fields.message", "fields.reason", "fields.route", "fields.kid"}
    assert all(isinstance(field(f"$.{name}", refusal), str) for name in named)
    assert field("$.fields.reason", refusal) == "unknown_kid"
