"""What several tests share: the tenant, and the function as cargo and as SAM built it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import function as functions
from expanded import ROOT


@pytest.fixture(scope="session")
def tenant(tmp_path_factory):
    with functions.tenant(tmp_path_factory.mktemp("tenant") / "log") as tenant:
        yield tenant


@pytest.fixture(scope="session")
def binary():
    """The function as `cargo build` leaves it."""
    return functions.DEBUG / "api-authorization"


@pytest.fixture(scope="session")
def artefact():
    """The function as `sam build` makes it from template.yaml."""
    # Not where `sam deploy` would find it, for nothing in it is optimised: that takes a third of the time. The rest is
    # as it is deployed: the release build, by cargo-lambda's cross-compiler, where SAM looks for the binary.
    fast = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "256"}
    fast |= {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "0"}
    tools = Path(sys.executable).parent
    environment = os.environ | fast | {"PATH": f"{tools}:{os.environ['PATH']}"}  # where SAM looks for cargo-lambda
    command = [tools / "sam", "build", "--build-dir", ".aws-sam/test"]
    command += ["--parameter-overrides", f"Architecture={functions.ARCHITECTURE}"]
    built = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return ROOT / ".aws-sam/test/Function/bootstrap"
