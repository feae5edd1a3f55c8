"""Finds the owners of the many keys of one request that only the shards know: by lists, where the locator says how.

Each shard is asked for many keys by one list. What the lists leave open is asked for key by key, which decides.

Holds: a list that is cut, or that pays no heed to the keys, costs calls and never misleads: where it is found to have
lacked a key that its shard has, nothing is taken from the lists.
Never: asks for a key before it is known that all of them can be asked for, within the calls of one request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from shardgate.core.contracts import AskAll, ManyKeys
from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.exchange import Exchange
from shardgate.core.http import Request
from shardgate.core.limits import BULK_REPLY_BYTES_MAX, PROBES_AT_ONCE
from shardgate.core.locate.key_group import KeyGroup
from shardgate.core.plan.plan import FindOwner
from shardgate.core.routes.route import Route
from shardgate.core.topology import ShardId
from shardgate.engine.cluster import Snapshot
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.gather.owners import find_owner

Sought = TypeVar("Sought")


class OwnerSearch:
    """The search for the owners of one request's keys."""

    __slots__ = ("_conductor", "_exchange", "_hop", "_request", "_route", "_shards", "_snapshot", "_space")

    def __init__(
        self,
        conductor: Conductor,
        route: Route,
        space: str,
        request: Request,
        snapshot: Snapshot,
        hop: bytes,
        exchange: Exchange,
    ) -> None:
        """`space`: the name of the keys' locator chain."""
        self._conductor = conductor
        self._route = route
        self._space = space
        self._request = request
        self._snapshot = snapshot
        self._hop = hop
        self._exchange = exchange
        self._shards = snapshot.known.topology.ids

    async def find(self, unknown: Mapping[str, AskAll]) -> dict[str, ShardId | None]:
        """The owners of these keys; None where no shard has one.

        Raises TooComplexError, KeyOnTwoShardsError, ShardDownError, OverloadError.
        """
        groups, alone = self._grouped(unknown)
        self._conductor.check_calls(self._exchange, (len(groups) + len(alone)) * len(self._shards))
        await _some_at_once(self._ask_group, groups)
        listed: dict[str, ShardId] = {}
        for group in groups:
            listed |= group.owners()
        alone = [key for key in unknown if key not in listed]
        found = await self._one_by_one(alone, unknown)
        if self._contradicts(groups, found):
            found |= await self._one_by_one([*listed], unknown)
            return found
        for key, shard in listed.items():
            self._snapshot.known.memory.settle(self._space, key, shard)
        return {**found, **listed}

    def _grouped(self, unknown: Mapping[str, AskAll]) -> tuple[list[KeyGroup], list[str]]:
        """The keys that are asked for by lists, and those that are asked for alone."""
        by_bulk: dict[ManyKeys | None, list[str]] = {}
        for key, place in unknown.items():
            by_bulk.setdefault(place.bulk, []).append(key)
        alone = by_bulk.pop(None, [])
        groups: list[KeyGroup] = []
        for bulk, keys in by_bulk.items():
            if bulk is not None:
                together, others = bulk.groups(keys)
                groups += [KeyGroup(bulk, group, self._shards) for group in together]
                alone += others
        return groups, alone

    async def _ask_group(self, group: KeyGroup) -> None:
        lines = self._request.fields.unconditional + self._hop
        while asks := group.asks():
            outcomes = await self._conductor.ask_each(
                asks,
                self._route,
                self._request,
                self._snapshot,
                lines,
                self._exchange,
                body_bytes_max=BULK_REPLY_BYTES_MAX,
            )
            group.take(outcomes)
        for error in group.refused:
            self._conductor.note(error, self._exchange)

    async def _one_by_one(self, keys: Sequence[str], unknown: Mapping[str, AskAll]) -> dict[str, ShardId | None]:
        self._conductor.check_calls(self._exchange, len(keys) * len(self._shards))
        found: dict[str, ShardId | None] = {}

        async def find_one(key: str) -> None:
            target = unknown[key].path.encode()
            probe = FindOwner(self._route, self._space, key, target, self._shards, is_the_request=False)
            found[key], _ = await find_owner(
                self._conductor, probe, self._request, self._snapshot, self._hop, self._exchange
            )

        await _some_at_once(find_one, keys)
        return found

    def _contradicts(self, groups: Sequence[KeyGroup], found: Mapping[str, ShardId | None]) -> bool:
        """Whether a shard has a key that its list, which seemed whole, did not show. The log says so."""
        for group in groups:
            for key in group.keys:
                shard = found.get(key)
                if shard is not None and group.lacks(key, shard):
                    log = f"it did not show `{excerpt(key)}`; `bulk` does not say how the application lists keys"
                    error = BrokenReplyError("a shard's list lacks a key that the shard has", log=log)
                    error.shard = shard
                    self._conductor.note(error, self._exchange)
                    return True
        return False


async def _some_at_once(seek: Callable[[Sought], Awaitable[None]], sought: Sequence[Sought]) -> None:
    """Seek all of them, some at the same time. Where one fails, nothing more is asked."""
    left: Iterator[Sought] = iter(sought)

    async def seek_some() -> None:
        for each in left:
            await seek(each)

    searches = [asyncio.ensure_future(seek_some()) for _ in range(min(PROBES_AT_ONCE, len(sought)))]
    try:
        await asyncio.gather(*searches)
    finally:
        for search in searches:
            search.cancel()
