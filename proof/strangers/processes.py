"""Starts the instances of an application and the gateway on loopback, and ends them.

Holds: when the context ends, no process is left. Each writes to a log of its own.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from proof.strangers.application import MONOLITH, Application, Command, Instance
from tools.ports import reserved_port

POLL_S = 0.05
STOP_TIMEOUT_S = 10.0
_READY = re.compile(r"ready on (https?://\S+)")


@dataclass(frozen=True)
class Running:
    """Where everything answers."""

    monolith: str
    gateway: str


@contextmanager
def running(application: Application, folder: Path) -> Iterator[Running]:
    """An installed application: the monolith, its shards, and the gateway, in a folder that is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    shards = application.shards
    parts = {MONOLITH: frozenset(shards)} | {shard: frozenset({shard}) for shard in shards}
    instances = [Instance(name, own, folder / name, reserved_port()) for name, own in parts.items()]
    with ExitStack() as stack:
        for instance in instances:
            instance.folder.mkdir(parents=True)
            application.prepare(instance)
            stack.enter_context(_process(application.command(instance), instance.folder, _log(folder, instance.name)))
            # One after the other: several virtual machines at once would be slower than one by one.
            _wait_until_ready(application, instance, _log(folder, instance.name))
            application.after_start(instance)
        urls = {instance.name: f"http://127.0.0.1:{instance.port}" for instance in instances}
        gateway = stack.enter_context(_gateway(application, folder, {shard: urls[shard] for shard in shards}))
        yield Running(urls[MONOLITH], gateway)


@contextmanager
def _gateway(application: Application, folder: Path, shards: Mapping[str, str]) -> Iterator[str]:
    """The example's configuration, with the addresses of this run."""
    own = folder / "gateway"
    shutil.copytree(application.example, own, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    application.prepare_gateway(own)
    config = application.config
    config["shards"] = {
        name: url if isinstance(config["shards"][name], str) else config["shards"][name] | {"url": url}
        for name, url in shards.items()
    }
    config |= {"listen": "127.0.0.1:0", "workers": 1}
    (own / "shardgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")
    words = [sys.executable, "-m", "shardgate", "serve", "-c", "shardgate.yaml"]
    log = _log(folder, "gateway")
    with _process(Command(words), own, log) as process:
        deadline_at = time.monotonic() + application.ready_timeout_s
        while time.monotonic() < deadline_at and process.poll() is None:
            if found := _READY.search(log.read_text(errors="replace")):
                yield found[1]
                return
            time.sleep(POLL_S)
        raise RuntimeError(f"the gateway before {application.name} did not become ready:\n{_tail(log)}")


@contextmanager
def _process(command: Command, folder: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    # Should we be killed, the kernel ends the process.
    with_us = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*with_us, *command.words],
            cwd=folder,
            env=os.environ | dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(application: Application, instance: Instance, log: Path) -> None:
    url = f"http://127.0.0.1:{instance.port}{application.ready}"
    deadline_at = time.monotonic() + application.ready_timeout_s
    while time.monotonic() < deadline_at:
        try:
            if httpx.get(url, timeout=5, trust_env=False).status_code < 500:
                return
        except httpx.TransportError:
            pass
        time.sleep(POLL_S)
    raise RuntimeError(f"{application.name}: {instance.name} does not answer {url}; its log says:\n{_tail(log)}")


def _log(folder: Path, name: str) -> Path:
    return folder / f"{name}.log"


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").strip().splitlines()[-20:]) or "nothing"
