"""Opens connections to one address of a shard, with TLS where the shard has it.

Holds: connecting, with the TLS handshake, takes no longer than `connect_timeout_s`: an address that accepts connections
and answers no handshake is given up like one that accepts none.
"""

import asyncio
import os
import ssl
from typing import cast

from shardgate.core.errors import ShardDownError
from shardgate.net.tls import Tls
from shardgate.net.upstream.connection import UpstreamConnection


class Dialler:
    """One address."""

    __slots__ = ("_connect_timeout_s", "_host", "_port", "_tls")

    def __init__(self, host: str, port: int, tls: Tls | None, connect_timeout_s: float) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._connect_timeout_s = connect_timeout_s

    async def connect(self, connection: UpstreamConnection) -> None:
        """Open a connection. Raises ShardDownError."""
        tls = self._tls
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                await asyncio.get_running_loop().create_connection(
                    lambda: cast("asyncio.Protocol", connection),
                    self._host,
                    self._port,
                    ssl=tls.context if tls is not None else None,
                    server_hostname=(tls.files.server_name or self._host) if tls is not None else None,
                )
        except (OSError, UnicodeError) as error:  # UnicodeError: the host is no name that DNS knows
            raise self.failed(self._reason(error)) from None

    def failed(self, reason: str) -> ShardDownError:
        """The error that says why there is no connection."""
        return ShardDownError("the shard cannot be reached", log=f"{reason} ({self._host}:{self._port})")

    def _reason(self, error: OSError | UnicodeError) -> str:
        """In the system's words, where it has some."""
        if isinstance(error, TimeoutError):
            what = "no connection" if self._tls is None else "no connection with TLS"
            return f"{what} within connect_timeout_s ({self._connect_timeout_s:g} s)"
        if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and (error.errno or 0) > 0:
            return os.strerror(error.errno or 0).lower()
        return str(error) or type(error).__name__
