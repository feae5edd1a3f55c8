"""Two gateways on two hosts, of which one is cut off; as `make hosts` does, in its short form."""

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_a_gateway_on_another_host_that_is_cut_off_is_fenced_and_nothing_is_done_twice() -> None:
    command = [sys.executable, "-m", "proof.two_hosts", "--quick"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    if done.returncode == 2 and "cannot be run here" in done.stdout:
        pytest.skip(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("hosts: 2 gateways, 4 shards, 3 cuts: 0 findings\n")
