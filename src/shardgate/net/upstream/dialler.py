"""Opens connections to one address of a shard, or to the addresses of its name, with TLS where the shard has it.

Holds: connecting, with the TLS handshake, takes no longer than `connect_timeout_s`: an address that accepts connections
and answers no handshake is given up like one that accepts none. Of several addresses, each next one is tried a moment
after the one before has said nothing, and the first that is ready is taken (RFC 8305).
"""

import asyncio
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from shardgate.core.errors import ShardDownError
from shardgate.core.hosts import address_in
from shardgate.core.limits import NEXT_ADDRESS_S
from shardgate.net.clock import now
from shardgate.net.tls import Tls
from shardgate.net.upstream.connection import UpstreamConnection
from shardgate.net.upstream.names import Names, Resolve, resolve


class _Opened(asyncio.Protocol):
    """A connection that is open, and has not been chosen yet."""

    def __init__(self) -> None:
        self.is_taken = False
        self._is_lost = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.close()  # nothing was asked

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True

    def close(self) -> None:
        """It is not needed."""
        if self._transport is not None:
            self._transport.abort()

    def hand_over(self, connection: UpstreamConnection) -> None:
        """From now on it is this connection. Raises OSError where it was closed meanwhile."""
        transport = self._transport
        if transport is None or self._is_lost or transport.is_closing():
            raise ConnectionResetError("it closed the connection at once")
        transport.set_protocol(cast("asyncio.Protocol", connection))
        connection.connection_made(transport)


class Dialler:
    """One host of a shard."""

    __slots__ = ("_clock", "_connect_timeout_s", "_host", "_names", "_port", "_tls", "_used")

    def __init__(
        self,
        host: str,
        port: int,
        tls: Tls | None,
        connect_timeout_s: float,
        resolve: Resolve = resolve,
        clock: Callable[[], float] = now,
    ) -> None:
        """`resolve`, `clock`: a test passes its own."""
        self._host = host
        self._port = port
        self._tls = tls
        self._connect_timeout_s = connect_timeout_s
        self._names = None if address_in(host) is not None else Names(host, port, resolve, clock)
        self._clock = clock
        self._used: set[str] = set()

    async def connect(self, connection: UpstreamConnection) -> None:
        """Open a connection. Raises ShardDownError."""
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                if self._names is None:
                    await self._open(self._host, cast("asyncio.Protocol", connection))
                else:
                    await self._connect_by_name(self._names, connection)
        except (OSError, UnicodeError) as error:  # UnicodeError: the host is no name that DNS knows
            raise self.failed(self._reason(error)) from None

    def failed(self, reason: str) -> ShardDownError:
        """The error that says why there is no connection."""
        return ShardDownError("the shard cannot be reached", log=f"{reason} ({self._host}:{self._port})")

    def gone(self) -> frozenset[str]:
        """The addresses that connections were opened to, and that the name does not have any more."""
        names = self._names
        if names is None or not self._used:
            return frozenset()
        names.look()
        gone = frozenset([address for address in self._used if names.resolved.is_gone(address)])
        self._used -= gone
        return gone

    async def _connect_by_name(self, names: Names, connection: UpstreamConnection) -> None:
        addresses = await names.addresses()
        if len(addresses) == 1:
            await self._open(addresses[0], cast("asyncio.Protocol", connection))
            address = addresses[0]
        else:
            address, opened = await self._first_of(addresses, names)
            opened.hand_over(connection)
        connection.address = address
        self._used.add(address)

    async def _open(self, address: str, protocol: asyncio.Protocol) -> None:
        tls = self._tls
        await asyncio.get_running_loop().create_connection(
            lambda: protocol,
            address,
            self._port,
            ssl=tls.context if tls is not None else None,
            server_hostname=(tls.files.server_name or self._host) if tls is not None else None,
        )

    async def _first_of(self, addresses: Sequence[str], names: Names) -> tuple[str, _Opened]:
        """The address that is ready first, and the connection to it. Raises OSError where none is."""
        patience_s = min(NEXT_ADDRESS_S, self._connect_timeout_s / (len(addresses) + 1))
        tried: dict[asyncio.Future[_Opened], str] = {}
        left = list(addresses)
        failed: OSError | None = None
        try:
            while left or any(not attempt.done() for attempt in tried):
                if left:
                    address = left.pop(0)
                    tried[asyncio.ensure_future(self._try(address))] = address
                waits = [attempt for attempt in tried if not attempt.done()]
                done, _ = await asyncio.wait(
                    waits, timeout=patience_s if left else None, return_when=asyncio.FIRST_COMPLETED
                )
                for attempt in done:
                    if (error := attempt.exception()) is None:
                        attempt.result().is_taken = True
                        self._note_slower(attempt, tried, names)
                        return tried[attempt], attempt.result()
                    failed = error if isinstance(error, OSError) else OSError(str(error))
                    names.resolved.lagged(tried[attempt], self._clock())
        finally:
            for attempt in tried:
                if not attempt.cancel() and attempt.exception() is None and not attempt.result().is_taken:
                    attempt.result().close()
        raise failed or OSError("no address was tried")

    async def _try(self, address: str) -> _Opened:
        opened = _Opened()
        await self._open(address, opened)
        return opened

    def _note_slower(
        self, chosen: asyncio.Future[_Opened], tried: Mapping[asyncio.Future[_Opened], str], names: Names
    ) -> None:
        """Those that were tried before, and are not ready yet, are tried last for a while."""
        for attempt, address in tried.items():
            if attempt is chosen:
                names.resolved.connected(address)
                return
            names.resolved.lagged(address, self._clock())

    def _reason(self, error: OSError | UnicodeError) -> str:
        """In the system's words, where it has some."""
        if isinstance(error, TimeoutError):
            what = "no connection" if self._tls is None else "no connection with TLS"
            return f"{what} within connect_timeout_s ({self._connect_timeout_s:g} s)"
        if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and (error.errno or 0) > 0:
            return os.strerror(error.errno or 0).lower()
        return str(error) or type(error).__name__
