"""The Lambda authorizer in AWS's emulator, behind a gateway that is not SAM CLI's: serverless-offline.

It answers 401 to every failed invocation, so the emulator's answer is asserted beside it. It keeps no answers.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "template"))

import function as functions  # noqa: E402 (found by the line above)

SCOPES = json.dumps({f"GET /{form}/{{id}}": ["read:messages"] for form in ("simple", "iam", "http1", "request")} | {"*": ["read:messages"]})


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """Asks a path with a token; the status, the body, and what the authorizer answered."""
    logs = tmp_path_factory.mktemp("logs")
    binary, log = functions.DEBUG / "authorizer", logs / "gateway"
    with functions.tenant(logs / "tenant") as tenant:
        settings = tenant.environment() | {"ROUTE_SCOPES": SCOPES}
        nobody = {"JWKS_URI": f"http://127.0.0.1:{functions.free_port()}/"}
        with (
            functions.running(binary, logs / "simple", settings | {"RESPONSE_FORMAT": "simple"}) as simple,
            functions.running(binary, logs / "iam", settings | {"RESPONSE_FORMAT": "iam"}) as iam,
            functions.running(binary, logs / "simple-outage", settings | nobody | {"RESPONSE_FORMAT": "simple"}) as no_simple,
            functions.running(binary, logs / "iam-outage", settings | nobody | {"RESPONSE_FORMAT": "iam"}) as no_iam,
            serving(simple, iam, log) as url,
            serving(no_simple, no_iam, logs / "outage") as outage,
        ):

            def ask(path, kind, without_keys=False):
                headers = {"Authorization": f"Bearer {tenant.token(kind)}"} if kind else {}
                lines = logs / "outage" if without_keys else log
                before = len(answers(lines))
                request = urllib.request.Request((outage if without_keys else url) + path, headers=headers)
                try:
                    answer = functions.HTTP.open(request, timeout=30)
                except urllib.error.HTTPError as refusal:
                    answer = refusal
                with answer:
                    return answer.status, json.loads(answer.read()), [effect(one) for one in answers(lines)[before:]]

            yield ask


def serving(simple, iam, log):
    port = functions.free_port()
    command = [HERE / "node_modules/.bin/osls", "offline", "--host", "127.0.0.1", "--noPrependStageInUrl"]
    command += ["--httpPort", str(port), "--lambdaPort", str(functions.free_port())]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"SIMPLE": simple.url, "IAM": iam.url, "SLS_TELEMETRY_DISABLED": "1", "CI": "1"}
    return At(f"http://127.0.0.1:{port}", functions.started(command, log, environment, port))


class At:
    """A running gateway, by its address."""

    def __init__(self, url, process):
        self.url, self.process = url, process

    def __enter__(self):
        folder = os.getcwd()
        os.chdir(HERE)  # where its configuration is looked for
        try:
            self.process.__enter__()
        finally:
            os.chdir(folder)
        return self.url

    def __exit__(self, *failure):
        return self.process.__exit__(*failure)


def answers(log):
    lines = log.read_text().splitlines()
    return [json.loads(line.removeprefix("answer ")) for line in lines if line.startswith("answer ")]


def effect(answer):
    if "policyDocument" in answer:
        return answer["policyDocument"]["Statement"][0]["Effect"]
    return answer.get("errorMessage", answer.get("isAuthorized"))


@pytest.mark.parametrize("form", ["simple", "iam", "http1", "request", "token"])
def test_each_form(gateway, form):
    simple = form == "simple"
    status, body, asked = gateway(f"/{form}/7", "scoped")
    assert (status, asked) == (200, [True if simple else "Allow"])
    assert body["sub"] and "read:messages" in body["scope"].split()
    status, _, asked = gateway(f"/{form}/7", "valid")
    assert (status, asked) == (403, [False if simple else "Deny"])
    status, _, asked = gateway(f"/{form}/7", "expired")
    assert (status, asked) == ((403, [False]) if simple else (401, ["Unauthorized"]))
    status, _, asked = gateway(f"/{form}/7", None)
    assert (status, asked) == (401, []), "without the header, the gateway answers by itself"
    status, _, asked = gateway(f"/{form}/7", "scoped", without_keys=True)
    assert (status, asked) == (401, ["Signing keys are temporarily unavailable"])
