"""Resolves one name, now and then, and never twice at the same time.

Holds: while a name is not answered, the addresses of its last answer are used, for a while. A resolver that hangs holds
up connections for no longer than a moment where such addresses are known.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

from shardgate.core.limits import NAME_LOOK_S, NAME_PATIENCE_S
from shardgate.core.replicas.resolved import Resolved
from shardgate.net import tasks
from shardgate.net.clock import now

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a name. Raises OSError or UnicodeError."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the system resolves it. Raises OSError, UnicodeError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in found]


class Names:
    """The addresses of one name."""

    __slots__ = ("_clock", "_error", "_host", "_looked_at", "_looking", "_port", "_resolve", "resolved")

    def __init__(self, host: str, port: int, resolve: Resolve = resolve, clock: Callable[[], float] = now) -> None:
        self._host = host
        self._port = port
        self._resolve = resolve
        self._clock = clock
        self._looked_at = float("-inf")
        self._looking: asyncio.Future[None] | None = None
        self._error: OSError | UnicodeError | None = None
        self.resolved = Resolved()

    async def addresses(self) -> list[str]:
        """The addresses to try, in their order. Raises OSError or UnicodeError where there are none."""
        known = self.resolved.in_order(self._clock())
        self.look()
        if self._looking is not None:
            await asyncio.wait([self._looking], timeout=NAME_PATIENCE_S if known else None)
            known = self.resolved.in_order(self._clock())
        if not known:
            raise self._error or OSError(f"the name {self._host} has no address")
        return known

    def look(self) -> None:
        """Resolve the name again, where it is time to."""
        if self._looking is None and self._clock() - self._looked_at >= NAME_LOOK_S:
            self._looked_at = self._clock()
            self._looking = asyncio.get_running_loop().create_future()
            tasks.start(self._look(self._looking), "resolve")

    async def _look(self, looking: asyncio.Future[None]) -> None:
        try:
            self.resolved.answer(await self._resolve(self._host, self._port), self._clock())
            self._error = None
        except (OSError, UnicodeError) as error:
            self._error = error
            self._looked_at = float("-inf") if self.resolved.answered_at == float("-inf") else self._looked_at
        finally:
            self._looking = None
            looking.set_result(None)
