"""The reference platform as production has it: three shards, each a real instance on its own database.

*Holds:* its instances end with the `with` block, and with this process.
"""

from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Self

from proof.data import BIN, Data
from proof.fleet import Server


class Platform:
    """The shards. `data` is a copy that may be changed."""

    def __init__(self, data: Data, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.directory = data.directory
        self.secrets = {"BOOKINGS_SECRET": token_hex(32)}
        """What the shards sign tokens with, and the gateway verifies them."""
        environment = {**self.secrets, "BOOKINGS_CALLS_A_MONTH": "0"}  # the gateway counts
        self._servers = {
            name: Server([str(BIN / "bookings"), "serve", "--db", database], folder / f"{name}.log", environment)
            for name, database in data.shards.items()
        }

    def __enter__(self) -> Self:
        try:
            for server in self._servers.values():
                server.start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def shards(self) -> Mapping[str, str]:
        """Name → URL."""
        return {name: server.url for name, server in self._servers.items()}

    def _stop(self) -> None:
        for server in self._servers.values():
            server.stop()
