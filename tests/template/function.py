"""The function's binary -> what Lambda makes of it: AWS's Runtime Interface Emulator runs it, and keeps its log."""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import samcli

from expanded import ROOT

ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
DEBUG = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "debug"
# SAM CLI brings it for its containers.
EMULATOR = Path(samcli.__file__).parent / "local/rapid" / f"aws-lambda-rie-{ARCHITECTURE}"
# No proxy: all of this is on this machine.
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Function:
    """A running function, one sandbox of it."""

    def __init__(self, port, log):
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self.log = log

    def invoke(self, event):
        """Hands it an event; its answer."""
        with HTTP.open(self.url, json.dumps(event).encode(), timeout=30) as answer:
            return json.load(answer)

    def lines(self):
        """What it has logged, and the emulator with it."""
        return self.log.read_text().splitlines()


@contextmanager
def running(binary, log, environment):
    """The binary in the emulator, until the block ends."""
    if sys.platform != "linux":
        pytest.skip("AWS's emulator runs on Linux alone")
    port, runtime_port = free_port(), free_port()
    command = [EMULATOR, "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{runtime_port}", binary]
    # What Lambda sets by template.yaml (LoggingConfig, Timeout, MemorySize), and nothing else of this machine's.
    environment = {
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "10",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
    } | environment
    with started(command, log, environment, port):
        yield Function(port, log)


class Tenant:
    """The stand-in tenant."""

    def __init__(self, port):
        self.domain = f"127.0.0.1:{port}"
        self.jwks_uri = f"http://{self.domain}/.well-known/jwks.json"

    def environment(self):
        """What the function is told of it."""
        return {"AUTH0_DOMAIN": self.domain, "API_AUDIENCE": "https://quickstarts/api", "JWKS_URI": self.jwks_uri}

    def token(self, kind):
        """A fresh access token of one of its kinds."""
        with HTTP.open(f"http://{self.domain}/token?kind={kind}", timeout=30) as answer:
            return answer.read().decode().strip()


@contextmanager
def tenant(log):
    """A stand-in tenant, until the block ends."""
    port = free_port()
    with started([DEBUG / "tenant"], log, {"TENANT_PORT": str(port)}, port):
        yield Tenant(port)


@contextmanager
def started(command, log, environment, port):
    """A process that listens on the port, in a group of its own, so that what it starts ends with it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 30
        while not listens(port):
            assert process.poll() is None and time.monotonic() < deadline, f"no {command[0]}: {log.read_text()}"
            time.sleep(0.01)
        yield process
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself, and why is said above
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
