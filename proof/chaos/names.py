"""A name server on loopback: it may change its mind, or fall silent. A gateway asks it in a mount namespace of its own,
where /etc/resolv.conf names it, or because its configuration does.

Holds: a name that it does not know is answered as one that does not exist (RFC 1035 section 4.1.1).
"""

import asyncio
import socket
import struct
from pathlib import Path
from typing import Literal, NamedTuple, cast

ADDRESS = "127.53.0.1"
DOMAIN = "chaos.test"
PORT = 53
SERVICE = "_http._tcp."
"""Begins the name of a service."""
_A, _SRV, _NAME_ERROR, _SERVER_FAILURE, _TTL_S = 1, 33, 3, 2, 1

Mode = Literal["well", "empty", "silent", "failing"]


class Service(NamedTuple):
    """A record of kind SRV (RFC 2782)."""

    weight: int
    port: int
    target: str


class NameServer(asyncio.DatagramProtocol):
    """Answers for A and SRV records."""

    def __init__(self) -> None:
        self.mode: Mode = "well"
        self.addresses: dict[str, list[str]] = {}
        """Name → addresses."""
        self.services: dict[str, list[Service]] = {}
        """Name → where it is served."""
        self.port = PORT
        self.asked = 0
        """Questions until now, answered or not."""
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, port: int = PORT) -> None:
        """Listen. 0: on any port. Raises OSError where the port may not be taken."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, (ADDRESS, port))
        self.port = transport.get_extra_info("sockname")[1]

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
        is_known = name in self.addresses or name in self.services
        code = _SERVER_FAILURE if self.mode == "failing" else 0 if is_known else _NAME_ERROR
        found = self._found(name, kind) if self.mode == "well" else []
        records = b"".join(struct.pack(">HHHIH", 0xC00C, kind, 1, _TTL_S, len(each)) + each for each in found)
        return data[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(found), 0, 0) + data[12 : end + 4] + records

    def _found(self, name: str, kind: int) -> list[bytes]:
        if kind == _A:
            return [socket.inet_aton(address) for address in self.addresses.get(name, ())]
        if kind == _SRV:
            return [
                struct.pack(">HHH", 0, each.weight, each.port) + _labels(each.target)
                for each in self.services.get(name, ())
            ]
        return []


def _labels(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


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
