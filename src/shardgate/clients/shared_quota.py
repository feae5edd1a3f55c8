"""Claims calls in a store that several gateways share, so that a client's quota holds over all of them.

Calls are claimed before they are made, some at once: a client with few calls left claims one by one. What is claimed
and not made is given back when counts are stored.

Holds: while the store can be asked, no client makes more calls than its quota, at however many gateways. While it is
away each gateway counts for itself, from what it knew.
"""

import asyncio
import logging
from typing import Final

from shardgate.core.errors import OverloadError, StoreUnavailableError
from shardgate.net import tasks
from shardgate.net.clock import now
from shardgate.store.tally import Tally
from shardgate.store.writer import Writer

SHARE_AT_ONCE: Final = 64
"""A client claims the 64th part of the calls that it has left: so much may lie unused at a gateway for a moment."""
AT_ONCE_MAX: Final = 256
CLAIM_S: Final = 1.0
AWAY_S: Final = 1.0
"""After the store could not be asked: so long nobody waits for it again."""
SPENT_S: Final = 1.0
"""A quota that is spent: so long the store is not asked whether another gateway has given calls back."""

_log = logging.getLogger("shardgate")


class SharedQuota:
    """The claims of one worker. `limit`: the quota of each client."""

    __slots__ = ("_away_until", "_claiming", "_limit", "_spent_until", "_tally", "_waiting", "_writer")

    def __init__(self, tally: Tally, writer: Writer, limit: int) -> None:
        self._tally = tally
        self._writer = writer
        self._limit = limit
        self._claiming: dict[bytes, asyncio.Task[None]] = {}
        self._waiting: dict[bytes, int] = {}
        self._spent_until: dict[bytes, float] = {}
        self._away_until = 0.0

    @property
    def is_away(self) -> bool:
        """The store could not be asked a moment ago."""
        return now() < self._away_until

    def is_spent(self, name: bytes) -> bool:
        """No calls were left a moment ago."""
        return now() < self._spent_until.get(name, 0.0)

    async def claim(self, name: bytes, period: str, client: str, at: float) -> None:
        """Claim calls; it returns when there are some, when there are none left, or when the store is away."""
        claiming = self._claiming.get(name)
        if claiming is None:
            claiming = self._claiming[name] = tasks.start(self._claim(name, period, client, at), "quota")
        self._waiting[name] = self._waiting.get(name, 0) + 1
        try:
            async with asyncio.timeout(CLAIM_S):
                await asyncio.shield(claiming)
        except TimeoutError:
            self._away_until = now() + AWAY_S
        finally:
            self._waiting[name] -= 1
            if not self._waiting[name]:
                del self._waiting[name]

    async def _claim(self, name: bytes, period: str, client: str, at: float) -> None:
        try:
            await asyncio.sleep(0)  # whoever asks in the same turn is waiting by now
            left = max(0, self._limit - self._tally.calls(name))
            wanted = max(1, min(AT_ONCE_MAX, left // SHARE_AT_ONCE), self._waiting.get(name, 0))
            claimed, total = await self._writer.run(self._writer.usage.claim, period, client, wanted, self._limit, at)
            if claimed:
                self._tally.grant(name, claimed, total)
            else:
                if len(self._spent_until) > AT_ONCE_MAX:
                    self._spent_until.clear()
                self._spent_until[name] = now() + SPENT_S
        except (StoreUnavailableError, OverloadError) as error:
            if not self.is_away:
                _log.error("clients' calls are counted by each gateway for itself: %s", error.log)
            self._away_until = now() + AWAY_S
        finally:
            del self._claiming[name]
