"""The bookings example as it is shipped, with its gateway under watch: where an attack is about what the application
says."""

from contextlib import ExitStack
from pathlib import Path
from typing import Self

import httpx

from proof.data import prepare
from proof.fleet import Fleet, token
from proof.hostile.asking import request
from proof.hostile.gateway import WatchedGateway, watched_server
from proof.hostile.stage import TIMEOUTS, Stage, needles

SCALE, SHARDS = 0.01, 3


class Bookings(Stage):
    """Three instances of the platform, and the gateway before them."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, {}, {}, seed)
        self._running = ExitStack()
        self.token = ""
        """A partner's."""

    async def __aenter__(self) -> Self:
        data = prepare(SCALE, SHARDS).copy(self.folder)
        self.store = data.directory
        fleet = Fleet(data, self.folder, workers=1, settings={"timeouts": TIMEOUTS})
        fleet.gateway = watched_server(self.folder, fleet.config)
        self._running.enter_context(fleet)
        self.fleet = fleet
        self.gateway = WatchedGateway(self.folder, fleet.gateway)
        with httpx.Client(base_url=fleet.gateway.url, timeout=30) as client:
            self.token = token(client, "marketplace")
        line = f"Authorization: Bearer {self.token}"
        self.others = request("GET", "/v3/categories", line)
        self.warm = [request("GET", target, line) for target in ("/v3/categories", "/v3/events?limit=5")]
        ports = [int(shard.url.rpartition(":")[2]) for shard in fleet.shards.values()]
        self.needles = needles([str(self.folder), (self.folder / "token.secret").read_text()], ports)
        await self.gateway.rest()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.close()
