"""What the health check of a container asks, and what it makes of the answer."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from shardgate.cli.main import app
from shardgate.process.health import ask
from tests.process.serving import Serving


def checked(address: str) -> "subprocess.CompletedProcess[str]":
    """The health check, as the image has it."""
    command = [sys.executable, "-m", "shardgate.process.health"]
    environment = {**os.environ, "SHARDGATE_ADMIN": address}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_gateway_is_alive_and_not_ready_where_no_shard_can_be_reached(serve: Callable[..., Serving]) -> None:
    serving = serve(workers=1)
    port = int(serving.admin.rpartition(":")[2])
    assert checked(f"0.0.0.0:{port}").returncode == 0
    assert ask("0.0.0.0", port, "/healthz") == (200, '{"alive":true}')
    status, said = ask("127.0.0.1", port, "/readyz")
    assert (status, '"ready":false' in said) == (503, True)
    serving.write(admin=f"127.0.0.1:{port}")
    for options, code in (([], 0), (["--ready"], 1)):
        result = CliRunner().invoke(app, ["health", "-c", str(serving.file), *options])
        assert result.exit_code == code, result.output


def test_a_gateway_that_is_gone_or_no_gateway_is_not_alive() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
        with pytest.raises(OSError, match="timed out"):
            ask("127.0.0.1", port, "/healthz", 0.05)
    gone = checked(f"127.0.0.1:{port}")
    assert (gone.returncode, "refused" in gone.stderr) == (1, True)
    assert checked("nonsense").returncode == 1


def test_without_an_admin_address_there_is_nobody_to_ask(serve: Callable[..., Serving]) -> None:
    serving = serve(workers=1)
    serving.write(admin=None)
    result = CliRunner().invoke(app, ["health", "-c", str(serving.file)])
    assert (result.exit_code, "set SHARDGATE_ADMIN" in result.output) == (1, True)


def test_it_needs_nothing_but_the_standard_library() -> None:
    code = "import sys, shardgate.process.health; print(any(m in sys.modules for m in ('msgspec', 'yaml', 'typer')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
