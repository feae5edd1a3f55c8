"""Real processes on loopback: a monolith, its shards, and the gateway before them; each can be killed and brought
back."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from bookings.settings import CALLS_A_MONTH
from proof.data import BIN, ROOT, Data
from shardgate.store.opening import open_store, store_place

READY_TIMEOUT_S = 60.0
_RELOADED = "the configuration was read anew; "
_ADDRESS = re.compile(r"ready on (https?://\S+)")


class Server:
    """A process that says on which address it is ready; its output goes to a file."""

    def __init__(self, command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._command = command
        self._environment = {**os.environ, **(environment or {})}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def pid(self) -> int:
        """Its process; the head of its workers, where it has some."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it is ready; the same address as before, if it ran before."""
        command = [*self._command, *self._same_address()]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*_with_us(), *(str(part) for part in command)],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=self._environment,
            )
        deadline_at = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline_at and self._process.poll() is None:
            if match := _ADDRESS.search(self._log.read_text()):
                self.url = match[1]
                return
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"{self._command[0]} did not become ready:\n{self._log.read_text()}")

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Politely."""
        self._end(signal.SIGTERM)

    def output(self) -> str:
        """What it has written so far."""
        return self._log.read_text()

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(READY_TIMEOUT_S)

    def _same_address(self) -> list[str]:
        port = self.url.rpartition(":")[2]
        return ["--port", port or "0"] if self._command[1] == "serve" and "--db" in self._command else []


class Fleet:
    """Everything that runs for a proof.

    The monolith counts the calls of its clients itself; the shards would count one several times: the gateway does it.
    """

    def __init__(  # noqa: PLR0913 - each is one thing of a proof
        self,
        data: Data,
        folder: Path,
        *,
        workers: int = 1,
        calls_a_month: int = CALLS_A_MONTH,
        replicas: Mapping[str, int] | None = None,
        settings: Mapping[str, Any] | None = None,
        store: str = "",
        gateways: int = 1,
    ) -> None:
        """`replicas`: shard → instances of it, on one database; one where it is not named.

        `settings`: more of the gateway's configuration. `store`: the URL of an empty database, which has the directory,
        too. `gateways`: before one store; all but the first are in `more`.
        """
        self._store = store
        self._folder = folder
        self._data = data
        self._workers = workers
        self._calls_a_month = calls_a_month
        self._settings = settings or {}
        several = replicas or {}
        self._secret = token_hex(32)
        self.token = ""
        """The partner's last token."""
        self.monolith = self._instance("monolith", data.monolith, calls_a_month)
        self.replicas = {
            name: [self._instance(f"{name}-{number}", url, 0) for number in range(several.get(name, 1))]
            for name, url in data.shards.items()
        }
        self.shards = {name: servers[0] for name, servers in self.replicas.items()}
        """The first instance of each."""
        self.gateway = Server(
            [str(BIN / "shardgate"), "serve", "-c", str(folder / "shardgate.yaml")], folder / "gateway.log"
        )
        self.more = [
            Server([str(BIN / "shardgate"), "serve", "-c", str(folder / "shardgate.yaml")], folder / f"gateway-{n}.log")
            for n in range(1, gateways)
        ]
        """Further gateways."""

    def __enter__(self) -> Self:
        try:
            for server in (self.monolith, *self._instances()):
                server.start()
            self._write_config()
            for gateway in self.gateways:
                gateway.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End all; the gateway first, so that it meets no dead shard."""
        for server in (*self.gateways, *self._instances(), self.monolith):
            server.stop()

    @property
    def gateways(self) -> list[Server]:
        """All of them."""
        return [self.gateway, *self.more]

    @property
    def config(self) -> Path:
        """The gateway's configuration."""
        return self._folder / "shardgate.yaml"

    @contextmanager
    def client(self, server: Server) -> Iterator[httpx.Client]:
        """A client of one of the servers, with a partner's token."""
        with httpx.Client(base_url=server.url, timeout=60) as client:
            self.token = token(client, "marketplace")
            client.headers["Authorization"] = f"Bearer {self.token}"
            yield client

    def add(self, name: str, url: str) -> None:
        """Start an instance for a new shard; the gateway knows of it after the next `reload`."""
        server = self._instance(name, url, 0)
        server.start()
        self.replicas[name], self.shards[name] = [server], server

    def remove(self, name: str) -> None:
        """Stop the instances of a shard that the gateway does not know any more."""
        for server in self.replicas.pop(name):
            server.stop()
        del self.shards[name]

    def reload(self, settings: Mapping[str, Any], shards: Iterable[str]) -> None:
        """Give the gateway another configuration, with these shards, and wait until it serves by it."""
        self._settings = settings
        self._write_config(shards)
        told = self.gateway.output().count(_RELOADED)
        os.kill(self.gateway.pid, signal.SIGHUP)
        deadline_at = time.monotonic() + READY_TIMEOUT_S
        while self.gateway.output().count(_RELOADED) == told:
            if time.monotonic() > deadline_at:
                raise RuntimeError(f"the gateway did not take over its configuration:\n{self.gateway.output()}")
            time.sleep(0.05)

    def _instances(self) -> Iterator[Server]:
        return chain.from_iterable(self.replicas.values())

    def _instance(self, name: str, database: str, calls_a_month: int) -> Server:
        environment = {"BOOKINGS_SECRET": self._secret, "BOOKINGS_CALLS_A_MONTH": str(calls_a_month)}
        return Server([str(BIN / "bookings"), "serve", "--db", database], self._folder / f"{name}.log", environment)

    def _write_config(self, shards: Iterable[str] | None = None) -> None:
        example = yaml.safe_load((ROOT / "examples/bookings/shardgate.yaml").read_text())
        (self._folder / "token.secret").write_text(self._secret)
        example["clients"]["jwt"] = {"algorithms": ["HS256"], "key_file": "token.secret"}
        example["clients"]["quota"]["calls"] = self._calls_a_month
        example |= {
            "listen": "127.0.0.1:0",
            "workers": self._workers,
            "openapi": str(ROOT / "examples/bookings/openapi.json"),
            "directory": str(self._data.directory),
            "shards": {name: _shard(self.replicas[name]) for name in (self.replicas if shards is None else shards)},
            **self._settings,
        }
        if self._store:
            copy_directory(self._data.directory, self._store)
            del example["directory"]
            example["store"] = self._store
        self.config.write_text(yaml.safe_dump(example, sort_keys=False))


def copy_directory(file: Path, url: str) -> None:
    """Copy the directory in a file into another store."""
    with open_store(file) as source, open_store(store_place(url)) as target:
        for space in source.spaces():
            target.put_many(space, source.read(space).items())


def _shard(servers: list[Server]) -> Any:
    """As the configuration writes it."""
    urls = [server.url for server in servers]
    return urls[0] if len(urls) == 1 else {"replicas": urls, "health": {"path": "/health", "interval_s": 0.5}}


def _with_us() -> list[str]:
    """Should we be killed, the kernel ends the server. What it looks at is the thread that started it."""
    lasting = threading.current_thread() is threading.main_thread()
    return ["setpriv", "--pdeathsig", "TERM"] if lasting and shutil.which("setpriv") else []


def token(client: httpx.Client, name: str) -> str:
    """A client's access token. Its secret is that of the seeded data."""
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": f"{name}-secret"}
    answer = client.post("/oauth/token", data=form)
    answer.raise_for_status()
    return str(answer.json()["access_token"])
