"""The worlds in which attacks are tried: a gateway with its shards, and what is watched while an attack runs.

Holds: an attack begins with an idle gateway: one that keeps memory, or whose loop does not come back, is replaced. A
bystander asks for a key of a healthy shard all the while; each of its requests must be answered.
"""

import asyncio
import random
import re
import secrets
import ssl
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import msgspec

from proof.hostile.asking import Answer, Message, ask, request
from proof.hostile.gateway import Cost, WatchedGateway, watched_server, written
from proof.hostile.shards import Shard
from shardgate.store.database import StoreError
from shardgate.store.desk import Desk
from shardgate.store.sqlite import SqliteStore

KEPT_MB_MAX = 24.0
"""A gateway that keeps more than this is replaced before the next attack, so that each is measured from idle."""
BYSTANDER_PAUSE_S = 0.03
BYSTANDER_S = 12.0
SETTLED_S = 6.0
READY_S = 20.0
TIMEOUTS = {
    "connect_timeout_s": 2,
    "request_timeout_s": 4,
    "first_byte_timeout_s": 3,
    "reply_idle_timeout_s": 3,
    "request_total_timeout_s": 8,
    "client_header_timeout_s": 2,
    "client_idle_timeout_s": 2,
    "drain_timeout_s": 1,
    "worker_lease_s": 2,
}
WITHIN_S = 13.0
"""Every request is answered, refused or cut within this, whatever a client or a shard does."""


class Watched(msgspec.Struct, frozen=True):
    """What was seen while an attack ran."""

    cost: Cost
    lost: int
    stuck: int
    leaked: int
    findings: tuple[str, ...]


class Stage:
    """A gateway and three shards: `n` and `w` are healthy, `s` does what an attack says."""

    def __init__(self, folder: Path, rules: dict[str, Any], more: dict[str, Any], seed: int) -> None:
        self.folder = folder
        self._rules = rules
        self.more = more
        self.seed = seed
        self.chance = random.Random(seed)
        self.north, self.hostile, self.west = Shard("n"), Shard("s"), Shard("w")
        self.secret = secrets.token_hex(32)
        self.store = folder / "store.db"
        self.tls: ssl.SSLContext | None = None
        """What a well-behaved client speaks."""
        self.others = request("GET", "/things/n-00001")
        """What a bystander asks for."""
        self.warm = [request("GET", target) for target in ("/things/n-00001", "/list?limit=5", "/probed/n-1")]
        """What loads all that is loaded on the first use."""
        self.gateway: WatchedGateway
        self._leaks = 0
        self._acknowledged: set[str] = set()
        self._bystanders: list[Answer] = []

    @property
    def shards(self) -> tuple[Shard, Shard, Shard]:
        """All three."""
        return self.north, self.hostile, self.west

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for shard in self.shards:
            await shard.start()
        (self.folder / "cursors.secret").write_text(self.secret)
        (self.folder / "cursors.secret").chmod(0o600)
        SqliteStore(self.folder / "store.db").close()
        names = ("inner-north", "inner-south", "inner-west")
        config = {
            "workers": 1,
            "shards": {
                name: {"url": shard.url, "alias": alias}
                for name, shard, alias in zip(names, self.shards, ("one", "two", "three"), strict=True)
            },
            "directory": "store.db",
            "cursors": {"secret_file": "cursors.secret"},
            "timeouts": TIMEOUTS,
            **self._rules,
            **self.more,
        }
        self.gateway = WatchedGateway(self.folder, watched_server(self.folder, written(self.folder, config)))
        self.needles = needles([*names, self.secret, str(self.folder)], [shard.port for shard in self.shards])
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gateway.stop()
        for shard in self.shards:
            shard.stop()

    async def ask(
        self, message: Message, *, within_s: float = WITHIN_S, relayed: bool = False, **options: Any
    ) -> Answer:
        """Send something to the gateway; look whether the answer tells what it must not.

        `relayed`: the body of a success is the application's own word, so only its head is looked at.
        """
        answer = await ask(self.gateway.port, message, within_s=within_s, **options)
        own_word = relayed and answer.status < 300
        self.look_for_leaks(answer.received.partition(b"\r\n\r\n")[0] if own_word else answer.received)
        return answer

    async def ask_all(self, messages: Iterable[Message], *, within_s: float = WITHIN_S) -> list[Answer]:
        """All at the same time."""
        return list(await asyncio.gather(*(self.ask(message, within_s=within_s) for message in messages)))

    async def create(self, path: str, id_: str, body: bytes) -> Answer:
        """A change; what is acknowledged must be on the healthy shards afterwards."""
        answer = await self.ask(request("POST", path, body=body), relayed=True)
        if answer.status == 201 and path in {"/everyone", "/whole"}:
            self._acknowledged.add(f"{path}/{id_}")
        return answer

    def look_for_leaks(self, received: bytes) -> None:
        """Count what a client must not read."""
        self._leaks += bool(self.needles.search(received))

    # One attack.

    async def begin(self, name: str) -> None:
        """Get ready."""
        self.chance = random.Random(f"{self.seed} {name}")
        self._leaks = 0
        self._acknowledged.clear()
        self._bystanders.clear()
        await self.gateway.begin()

    async def bystand(self) -> None:
        """Ask a healthy shard, until cancelled."""
        while True:
            self._bystanders.append(await ask(self.gateway.port, self.others, within_s=BYSTANDER_S, tls=self.tls))
            await asyncio.sleep(BYSTANDER_PAUSE_S)

    async def end(self) -> Watched:
        """Measure, let the shard be healthy again, and look at what is left."""
        cost = await self.gateway.end()
        self.hostile.behaviour = None
        self.hostile.cut()
        findings = [] if cost.came_back else ["the loop did not come back"]
        unserved = [answer for answer in self._bystanders if answer.status != 200]
        if unserved:
            findings.append(f"others got {unserved[0].word} ({len(unserved)} of {len(self._bystanders)})")
        open_, stuck = (0, 0) if not cost.came_back else await self._settled()
        if open_:
            findings.append(f"{open_} changes do not end")
        lost = len(unserved) + self._not_there()
        if not cost.came_back or cost.kept_mb > KEPT_MB_MAX:
            self.gateway.stop()
            await self.start()
        return Watched(cost, lost, stuck, self._leaks, tuple(findings))

    async def start(self) -> None:
        """Start the gateway, and let it become idle."""
        self.gateway.start()
        deadline_at = asyncio.get_running_loop().time() + READY_S
        while (await ask(self.gateway.port, self.others, within_s=WITHIN_S, tls=self.tls)).status != 200:
            if asyncio.get_running_loop().time() > deadline_at:
                raise RuntimeError(f"the gateway does not serve: {self.gateway.log}")
            await asyncio.sleep(0.1)
        for _ in range(3):  # what is loaded on the first use is no work of an attack
            for message in self.warm:
                await ask(self.gateway.port, message, within_s=WITHIN_S, tls=self.tls)
        await self.gateway.rest()

    def _not_there(self) -> int:
        """Acknowledged changes that a healthy shard does not have, or has made twice."""
        missing = 0
        for path in self._acknowledged:
            needed = (self.north, self.west) if path.startswith("/everyone/") else (self.north,)
            missing += any(path not in shard.kept or shard.made[path] != 1 for shard in needed)
        return missing

    async def _settled(self) -> tuple[int, int]:
        """How many changes are open, and how many stuck, once all had time to end; then none is."""
        loop = asyncio.get_running_loop()
        deadline_at = loop.time() + SETTLED_S
        with await _desk(self.store) as desk:
            while True:
                states = [entry.state for entry, _ in desk.entries(everything=False)]
                stuck = states.count("stuck")
                if len(states) == stuck or loop.time() > deadline_at:
                    break
                await asyncio.sleep(0.1)
            for entry, _ in desk.entries(everything=False):
                with suppress(Exception):
                    desk.abandon(entry.id)
        return len(states) - stuck, stuck


async def _desk(store: Path) -> Desk:
    """The journal, once no other process holds the store."""
    for _ in range(9):
        with suppress(StoreError):
            return Desk(store)
        await asyncio.sleep(0.2)
    return Desk(store)


def needles(words: list[str], ports: list[int]) -> re.Pattern[bytes]:
    """What a client must not read: names of shards, secrets, files, and addresses of shards."""
    plain = [re.escape(word.encode()) for word in words]
    return re.compile(b"|".join([*plain, *(rb"(?:127\.0\.0\.1|localhost):%d\b" % port for port in ports)]))
