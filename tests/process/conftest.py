"""Gateways and shards as processes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.process.serving import Serving


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Start a gateway: `serving = serve(workers=1)`."""
    with ExitStack() as stack:

        def start(**config: Any) -> Serving:
            serving = Serving(tmp_path, config)
            stack.callback(serving.close)
            return serving

        yield start


@pytest.fixture
def shards() -> Iterator[list[str]]:
    """The addresses of two shards, in processes of their own: the test's own keeps busy."""
    command = [sys.executable, "-m", "tests.stub", "0"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    yield [f"http://127.0.0.1:{int(shard.stdout.readline())}" for shard in running if shard.stdout]
    for shard in running:
        shard.kill()
        shard.wait()
        assert shard.stdout is not None
        shard.stdout.close()
