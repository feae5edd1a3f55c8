"""A name server on loopback, for a gateway in a mount namespace of its own: it may change its mind, or fall silent.

Holds: a name that it does not know is answered as one that does not exist (RFC 1035 section 4.1.1).
"""

import asyncio
import socket
import struct
from pathlib import Path
from typing import Literal, cast

ADDRESS = "127.53.0.1"
DOMAIN = "chaos.test"
_A, _NAME_ERROR, _SERVER_FAILURE, _TTL_S = 1, 3, 2, 1

Mode = Literal["well", "empty", "silent", "failing"]


class NameServer(asyncio.DatagramProtocol):
    """Answers for A records."""

    def __init__(self) -> None:
        self.mode: Mode = "well"
        self.addresses: dict[str, list[str]] = {}
        """Name → addresses."""
        self.asked = 0
        """Questions until now, answered or not."""
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Listen. Raises OSError where port 53 may not be taken."""
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, (ADDRESS, 53))

    def stop(self) -> None:
        """Listen no more."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It listens."""
        self._transport = cast("asyncio.DatagramTransport", transport)  # uvloop's is none by its type

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question."""
        self.asked += 1
        if self.mode != "silent" and self._transport is not None:
            self._transport.sendto(self.answer(data), addr)

    def answer(self, data: bytes) -> bytes:
        """The reply to a question."""
        name, end = _name(data)
        (kind,) = struct.unpack_from(">H", data, end)
        known = self.addresses.get(name)
        code = _SERVER_FAILURE if self.mode == "failing" else 0 if known is not None else _NAME_ERROR
        found = (known or []) if kind == _A and self.mode == "well" else []
        records = b"".join(
            struct.pack(">HHHIH", 0xC00C, _A, 1, _TTL_S, 4) + socket.inet_aton(address) for address in found
        )
        return data[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(found), 0, 0) + data[12 : end + 4] + records


def resolv_conf(folder: Path) -> Path:
    """What a resolver reads to ask this server."""
    file = folder / "resolv.conf"
    file.write_text(f"nameserver {ADDRESS}\noptions timeout:1 attempts:2\n")
    return file


def _name(data: bytes) -> tuple[str, int]:
    """The name in a question, in small letters, and where it ends."""
    labels, at = [], 12
    while size := data[at]:
        labels.append(data[at + 1 : at + 1 + size].decode("ascii").lower())
        at += size + 1
    return ".".join(labels), at + 1
