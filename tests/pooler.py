"""A pooler of PostgreSQL's sessions, as PgBouncer is: a client has a session for a transaction, or until it leaves.

Holds: the session that was given back last is given out first; with `oldest_first`, the one that waited longest.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_REFUSED = (80877103, 80877104)  # asks for TLS, or for GSSAPI


class _Stream:
    """Messages of the protocol, one at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._file = connection.makefile("rb")

    def first(self) -> bytes:
        head = self._exactly(4)
        return head + self._exactly(struct.unpack("!I", head)[0] - 4)

    def next(self) -> bytes:
        head = self._exactly(5)
        return head + self._exactly(struct.unpack("!I", head[1:])[0] - 4)

    def _exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) < count:
            raise EOFError
        return data


@dataclass
class Pooler:
    """Between clients and one server, which trusts them."""

    target: int
    by_transaction: bool
    oldest_first: bool
    port: int = 0
    _free: list[_Stream] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, listening: socket.socket) -> None:
        """Accept until the socket is shut down."""
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=self._converse, args=(_Stream(client),), daemon=True).start()

    def close(self) -> None:
        """End the sessions that are free."""
        for each in self._free:
            each.socket.close()

    def _converse(self, client: _Stream) -> None:
        server: _Stream | None = None
        with suppress(EOFError, OSError):
            while struct.unpack("!I", (hello := client.first())[4:8])[0] in _REFUSED:
                client.socket.sendall(b"N")
            server, greeting = self._connected(hello)
            client.socket.sendall(greeting)
            if self.by_transaction:
                self._give_back(server)
                server = None
            while (message := client.next())[:1] != b"X":
                server = server or self._taken() or self._connected(hello)[0]
                server.socket.sendall(message)
                if message[:1] not in b"QS":
                    continue
                while (answer := server.next())[:1] != b"Z":
                    client.socket.sendall(answer)
                if self.by_transaction and answer[5:] == b"I":
                    self._give_back(server)
                    server = None
                client.socket.sendall(answer)
        client.socket.close()
        if server is not None:
            server.socket.close()

    def _connected(self, hello: bytes) -> tuple[_Stream, bytes]:
        """A new session, and what its server said; with the name of a session that is the pooler's own."""
        server, said = _Stream(socket.create_connection(("127.0.0.1", self.target))), b""
        server.socket.sendall(hello)
        while (message := server.next())[:1] != b"Z":
            said += b"K" + struct.pack("!III", 12, 1, 1) if message[:1] == b"K" else message
        return server, said + message

    def _taken(self) -> _Stream | None:
        with self._lock:
            return self._free.pop(0 if self.oldest_first else -1) if self._free else None

    def _give_back(self, server: _Stream) -> None:
        with self._lock:
            self._free.append(server)


@contextmanager
def pooler_to(port: int, *, by_transaction: bool, oldest_first: bool = False) -> Iterator[Pooler]:
    """A pooler before a server on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        pooler = Pooler(port, by_transaction, oldest_first, listening.getsockname()[1])
        accepting = threading.Thread(target=pooler.serve, args=(listening,), daemon=True)
        accepting.start()
        try:
            yield pooler
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()  # before the next socket gets the number of this one
            pooler.close()
