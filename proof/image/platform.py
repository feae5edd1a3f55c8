"""Three shards of the booking platform on loopback, and what a gateway in a container must be told to serve them."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Self

import httpx

from proof.data import BIN, ROOT, prepare
from proof.fleet import Server, token
from tools.containers.container import until

SHARDS = 3
SCALE = 0.02
USER = 65_532
"""The image's user: what it writes into must be its own."""
_EXAMPLE = ROOT / "examples/bookings"


class Platform:
    """The shards, and a folder with the state that gateways share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.data = prepare(SCALE, SHARDS).copy(folder / "data")
        self._secret = token_hex(32)
        secret = {"BOOKINGS_SECRET": self._secret, "BOOKINGS_CALLS_A_MONTH": "0"}
        self._servers = {
            name: Server([str(BIN / "bookings"), "serve", "--db", url], folder / f"{name}.log", secret)
            for name, url in self.data.shards.items()
        }

    def __enter__(self) -> Self:
        try:
            for server in self._servers.values():
                server.start()
            self._lay_out()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End all shards."""
        for server in self._servers.values():
            server.stop()

    @property
    def mounts(self) -> dict[Path, str]:
        """The configuration and the state, as a container sees them."""
        return {self._folder / "etc": "/etc/shardgate:ro", self._folder / "state": "/var/lib/shardgate"}

    def environment(self, port: int, admin_port: int) -> dict[str, str]:
        """What differs between environments, for a gateway on these ports."""
        return {
            "SHARDGATE_LISTEN": f"127.0.0.1:{port}",
            "SHARDGATE_ADMIN": f"127.0.0.1:{admin_port}",
            "SHARDGATE_DIRECTORY": "/var/lib/shardgate/directory.db",
            "SHARDGATE_SHARDS": ",".join(f"{name}={server.url}" for name, server in self._servers.items()),
            "BOOKINGS_SECRET": self._secret,
        }

    def headers(self, url: str) -> Mapping[str, str]:
        """Those of a partner, who gets a token from a gateway or a shard at this URL."""
        with httpx.Client(base_url=url) as client:
            return {"Authorization": f"Bearer {token(client, 'marketplace')}"}

    def _lay_out(self) -> None:
        """The example's configuration as it stands, and the directory."""
        etc, state = self._folder / "etc", self._folder / "state"
        for made in (etc, state):
            made.mkdir(parents=True, exist_ok=True)
        for name in ("shardgate.yaml", "openapi.json"):
            shutil.copy(_EXAMPLE / name, etc)
        shutil.copy(self.data.directory, state / "directory.db")
        if os.geteuid() == 0:
            for path in (state, *state.iterdir()):
                os.chown(path, USER, USER)


def wait_ready(admin_port: int, within_s: float) -> None:
    """Wait until a gateway says that clients may be sent to it. Raises ContainersError where it does not."""
    until(lambda: _is_ready(admin_port), within_s, f"the gateway on port {admin_port} is not ready")


def _is_ready(admin_port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{admin_port}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
