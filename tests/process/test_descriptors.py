"""File descriptors: what a worker needs, what it makes do with, and what it says when none is left."""

import logging
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import Loaded, load
from shardgate.net.watch import Watch
from shardgate.process.descriptors import OTHERS, DescriptorWatch, fitted, needed, shortage
from tests.net.screenplay import Clock


def loaded(folder: Path, **limits: int) -> Loaded:
    file = folder / "shardgate.yaml"
    shards = {"a": "http://127.0.0.1:1", "b": "http://127.0.0.1:2"}
    file.write_text(yaml.safe_dump({"shards": shards, "rules": {"GET /a": {"rule": "any"}}, "limits": limits}))
    return load(file)


@pytest.fixture
def soft_limit() -> Iterator[Any]:
    """Set the soft limit of this process; it is what it was after the test."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda number: resource.setrlimit(resource.RLIMIT_NOFILE, (number, before[1]))
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_worker_needs_one_for_each_connection_and_some_more(tmp_path: Path) -> None:
    configured = loaded(tmp_path, client_connections_max=100, connections_per_shard_max=10)
    assert needed(configured) == 100 + 2 * 10 + OTHERS
    assert shortage(configured, needed(configured)) == ""
    said = shortage(configured, 200)
    assert "needs 248 file descriptors and may have 200: it takes 52 connections of clients instead of 100" in said


def test_the_soft_limit_is_raised_to_what_is_needed(tmp_path: Path, soft_limit: Any) -> None:
    soft_limit(256)
    configured = loaded(tmp_path, client_connections_max=400, connections_per_shard_max=10)
    assert fitted(configured) is configured
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == needed(configured)


def test_where_the_limit_is_too_low_fewer_clients_are_taken_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    configured = loaded(tmp_path, client_connections_max=hard, connections_per_shard_max=10)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        with caplog.at_level(logging.WARNING, "shardgate"):
            lowered = fitted(configured)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert lowered.config.limits.client_connections_max == hard - 20 - OTHERS
    assert lowered.bounds.connections_max <= lowered.config.limits.client_connections_max
    assert "file descriptors" in caplog.text


def test_check_says_it(tmp_path: Path) -> None:
    loaded(tmp_path, client_connections_max=100_000_000)
    command = [sys.executable, "-m", "shardgate", "check", "-c", str(tmp_path / "shardgate.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "is valid" in done.stdout
    assert "file descriptors" in done.stderr


_EXHAUSTED = """
import os, resource, sys
from shardgate.process.descriptors import DescriptorWatch
watch = DescriptorWatch(lambda: 0.0)
resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
taken = []
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    pass
watch.expire()
watch.expire()
os.close(taken.pop())
watch.expire()
"""


def test_that_none_is_left_is_said_once_a_minute() -> None:
    done = subprocess.run([sys.executable, "-c", _EXHAUSTED], capture_output=True, text=True, check=True)
    assert done.stderr.count("no file descriptor is left (too many open files)") == 1


def test_it_looks_at_each_tick_and_says_nothing_while_there_is_one(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    watch, descriptors = Watch(clock), DescriptorWatch(clock)
    watch.add(descriptors)
    watch.look()
    descriptors.close()
    assert caplog.text == ""
