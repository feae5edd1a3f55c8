"""The commands as a user types them."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from shardgate.cli.main import app

CONFIG = """
listen: 127.0.0.1:0
workers: 2
shards: {north: "http://127.0.0.1:1", south: "http://127.0.0.1:2"}
locators:
  event: [{kind: learned}, {kind: probe, path: "/events/{key}"}]
rules:
  GET /events:
    rule: gather
    merge: {kind: list, dialect: {kind: offset, limit_default: 100}, keys: {id: text, name: text}}
  GET /events/{id}: {rule: one, key: path.id, locate: event}
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "shardgate.yaml"
    file.write_text(CONFIG)
    return str(file)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def test_check_says_that_a_configuration_is_valid(config: str) -> None:
    assert run("check", "-c", config) == (0, f"shardgate: {config} is valid: 2 shards, 2 operations served\n")


def test_check_warns_of_dangerous_choices_and_fails_only_if_it_is_strict(tmp_path: Path) -> None:
    file = tmp_path / "shardgate.yaml"
    file.write_text(CONFIG + "admin: 0.0.0.0:0\n")
    code, said = run("check", "-c", str(file))
    assert code == 0
    assert f"{file}:12: admin: SGA10: the admin address 0.0.0.0:0 can be reached from other machines" in said
    assert f"{file} is valid" in said
    assert f"1 warning in {file}" in said
    assert run("check", "--strict", "-c", str(file))[0] == 1
    file.write_text(file.read_text() + "accepted_risks: {SGA10: operators alone}\n")
    assert run("check", "--strict", "-c", str(file)) == (
        0,
        f"shardgate: {file} is valid: 2 shards, 2 operations served\n",
    )


def test_check_lists_every_mistake_with_its_line_and_exits_with_1(tmp_path: Path) -> None:
    file = tmp_path / "shardgate.yaml"
    file.write_text(CONFIG.replace("locate: event", "locate: evnt").replace("workers: 2", "wrkers: 2"))
    code, said = run("check", "-c", str(file))
    assert code == 1
    assert f"{file}:3: wrkers: " in said
    file.write_text(CONFIG.replace("locate: event", "locate: evnt").replace("http://127.0.0.1:2", "nowhere"))
    code, said = run("check", "-c", str(file))
    assert code == 1
    assert "did you mean 'event'?" in said
    assert f"{file}:4: shards.south: " in said


def test_explain_says_what_each_shard_is_asked_and_how_the_page_is_cut(config: str) -> None:
    code, said = run("explain", "GET", "/events?order=-name&limit=20&offset=8000", "-c", config)
    assert code == 0
    assert "it is deep: blocks like these find where it begins on each shard" in said
    assert "sorted by name down, id up" in said
    code, said = run("explain", "GET", "/events?order=-name&limit=20&offset=40", "-c", config)
    assert code == 0
    assert "north: GET /events?order=-name&limit=60" in said
    assert "south: GET /events?order=-name&limit=60" in said
    assert "rows 40 to 60 of the merged list are the page" in said


def test_explain_says_who_refuses_and_exits_with_1(config: str) -> None:
    code, said = run("explain", "GET", "/nothing", "-c", config)
    assert code == 1
    assert "404 Unknown operation (SG1004)" in said


def test_routes_lists_every_operation(config: str) -> None:
    code, said = run("routes", "-c", config)
    assert code == 0
    # Found: a path cut in two at 80 columns, where there is no terminal.
    assert [line.split()[:2] for line in said.splitlines()[1:]] == [["GET", "/events"], ["GET", "/events/{id}"]]


def test_r1_check_counts_and_routes_lists_what_the_rule_of_a_subtree_serves(tmp_path: Path) -> None:
    file = tmp_path / "shardgate.yaml"
    file.write_text("shards: {a: 'http://127.0.0.1:1'}\nopenapi: api.yaml\nrules: {'ANY /admin/**': {rule: any}}\n")
    paths = "  /admin/users: {get: {}, post: {}, options: {}}\n  /admin/{id}: {get: {}, head: {}}\n"
    (tmp_path / "api.yaml").write_text(f"paths:\n{paths}")
    code, said = run("check", "-c", str(file))
    assert code == 0
    assert said.splitlines()[1:] == ["shardgate: operations of the document that have the rule of ANY /admin/**: 5"]
    code, said = run("routes", "-c", str(file))
    assert ["GET", "/admin/users", "GET", "/admin/users", "as", "ANY", "/admin/**"] in [
        line.split() for line in said.splitlines()
    ]


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1:²", "8080", "localhost:"])
def test_serve_says_how_an_address_is_written(config: str, address: str) -> None:
    # Found: a traceback.
    code, said = run("serve", "-c", config, "--listen", address)
    assert code == 2
    assert "write HOST:PORT, as in 127.0.0.1:8080" in said


def test_explain_says_that_nobody_owns_a_key(tmp_path: Path) -> None:
    file = tmp_path / "shardgate.yaml"
    probe = '[{kind: learned}, {kind: probe, path: "/events/{key}"}]'
    file.write_text(CONFIG.replace(probe, "[{kind: prefix, shards: {n: north}}]"))
    code, said = run("explain", "GET", "/events/7", "-c", str(file))
    assert code == 0
    assert "no key, or nobody owns it: any of north, south" in said


JOURNAL = ["journal", "journal list", "journal retry", "journal abandon"]
COMMANDS = ["", "split", "serve", "check", "explain", "routes", "why", *JOURNAL]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    code, said = run(*command.split(), "--help")
    assert code == 0
    assert "Usage:" in said
    examples = [line for line in said.splitlines() if line.startswith(f"     shardgate {command}".rstrip())]
    assert examples, said


def kill_and_wait(pid: int) -> None:
    """Kill a process that is not our child, and wait until it has ended."""
    ended = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([ended], [], [], 10)[0], f"process {pid} did not end"
    os.close(ended)


@pytest.mark.cluster
def test_serve_replaces_a_worker_that_dies_and_ends_on_sigterm(config: str) -> None:
    command = [sys.executable, "-m", "shardgate", "serve", "-c", config]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        ready = gateway.stdout.readline()
        url, pids = re.findall(r"http://\S+", ready)[0], [int(pid) for pid in re.findall(r"\d+", ready.split("pid")[1])]
        assert len(pids) == 2
        assert httpx.get(f"{url}/nothing").status_code == 404
        kill_and_wait(pids[0])
        # Each is a new connection. Half of them wait in the queue of the dead worker until its successor accepts them.
        for _ in range(40):
            assert httpx.get(f"{url}/nothing", timeout=10).status_code == 404
        children = set(map(int, Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split()))
        assert len(children) == 2
        assert pids[0] not in children
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait(10) == 0


def test_serve_says_when_the_address_is_taken(config: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = run("serve", "-c", config, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert code == 1
    assert "cannot listen" in said
