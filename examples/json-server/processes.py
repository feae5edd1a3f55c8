"""Starts what is compared: one json-server with all the data, one a shard, and the gateway; stops them again."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from library_data import Data, everything, part

HERE = Path(__file__).parent
INSTALL_TIMEOUT_S = 60
READY_TIMEOUT_S = 20
POLL_S = 0.05


class CannotRunError(Exception):
    """Something that this example needs is missing on this machine; the message says what."""


@dataclass(frozen=True)
class Running:
    """Where everything answers."""

    monolith: str
    gateway: str
    shards: dict[str, str]


def install() -> Path:
    """The json-server that package-lock.json pins, installed if need be. Raises CannotRunError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise CannotRunError("Node and npm are not on this machine")
    modules = HERE / "node_modules"
    # npm writes this file when all the others are there.
    if _locked(modules / ".package-lock.json") != _locked(HERE / "package-lock.json"):
        _npm_ci(npm)
    return modules / "json-server" / "lib" / "cli" / "bin.js"


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """The monolith, the shards and the gateway, on free ports of loopback, with files of their own in a folder."""
    program = install()
    config = yaml.safe_load((HERE / "shardgate.yaml").read_text())
    parts = _parts(config["shards"], config["locators"]["library"][0]["shards"])
    with ExitStack() as stack:
        urls = {name: stack.enter_context(_instance(program, folder, name, rows)) for name, rows in parts.items()}
        for name, url in urls.items():
            _wait_until_ready(f"{url}/consortium", folder / f"{name}.log")
        monolith = urls.pop("monolith")
        gateway = stack.enter_context(_gateway(folder, config | {"shards": urls}))
        _wait_until_ready(f"{gateway}/consortium", folder / "gateway.log")
        yield Running(monolith, gateway, urls)


def _parts(shards: Iterable[str], owners: Mapping[str, str]) -> dict[str, Data]:
    """What each instance holds: the data is cut as the configuration says."""
    data = everything()
    prefixes = {shard: [prefix for prefix, owner in owners.items() if owner == shard] for shard in shards}
    return {"monolith": data} | {shard: part(data, prefixes[shard]) for shard in shards}


def _locked(file: Path) -> dict[str, str]:
    """Package → its checksum."""
    if not file.is_file():
        return {}
    packages = json.loads(file.read_text(encoding="utf-8"))["packages"]
    return {name: package["integrity"] for name, package in packages.items() if name}


def _npm_ci(npm: str) -> None:
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    command += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"]
    try:
        done = subprocess.run(  # noqa: S603 - npm, by its path
            command, cwd=HERE, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CannotRunError(f"npm did not end within {INSTALL_TIMEOUT_S} s") from error
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise CannotRunError(f"npm cannot install json-server: {'; '.join(errors[:2]) or done.stderr.strip()}")


@contextmanager
def _instance(program: Path, folder: Path, name: str, data: Data) -> Iterator[str]:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(data, ensure_ascii=False, indent=2), encoding="utf-8")
    port = _free_port()
    command = ["node", str(program), "--host", "127.0.0.1", "--port", str(port), "--quiet", file.name]
    with _process(command, folder, name):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _gateway(folder: Path, config: dict[str, object]) -> Iterator[str]:
    (folder / "shardgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    address = f"127.0.0.1:{_free_port()}"
    command = [sys.executable, "-m", "shardgate", "serve", "-c", "shardgate.yaml", "--listen", address]
    with _process([*command, "--workers", "1"], folder, "gateway"):
        yield f"http://{address}"


@contextmanager
def _process(command: list[str], folder: Path, name: str) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=1, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(POLL_S)
    raise RuntimeError(f"{url} does not answer; its log says: {log.read_text(errors='replace').strip() or 'nothing'}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
