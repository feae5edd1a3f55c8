"""The second application: json-server, unchanged, behind the gateway, compared with one that holds all the data."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "examples" / "json-server" / "run.py"
CANNOT_RUN = 3
TIMEOUT_S = 280  # below the timeout of pytest, so that what was started is ended


def run(*options: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, output, errors. A run that is told to end stops what it started."""
    with subprocess.Popen(
        [sys.executable, str(RUN), *options],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.terminate()
            output, errors = process.communicate()
    return process.returncode, output, errors


@pytest.mark.cluster
def test_json_server_answers_through_the_gateway_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, errors = run("--requests", "150")
    if code == CANNOT_RUN:
        with capsys.disabled():
            print(f"\nSKIPPED, the second application is not tested: {errors.strip()}")
        pytest.skip(errors.strip())
    last = output.splitlines()[-1] if output else ""
    found = re.fullmatch(r"second application: (\d+) requests, 3 shards, 0 differences", last)
    assert found, output + errors
    assert int(found[1]) > 150


def test_a_machine_without_node_is_told_so() -> None:
    code, _, errors = run(PATH="")
    assert (code, errors) == (CANNOT_RUN, "cannot run here: Node and npm are not on this machine\n")
