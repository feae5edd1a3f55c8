"""A wire between a client and a server, which a test cuts, or on which nothing passes any more.

Holds: what was sent before is delivered, but for what the cut swallows.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Wire:
    """A server's address, as a client has it that may lose the server."""

    target: tuple[str, int]
    port: int = 0
    open: threading.Event = field(default_factory=threading.Event)
    """Not set: nothing passes, and nobody is told."""
    cut_at: bytes = b""
    """A connection breaks when the client sends this; the server does not get it."""
    cut_after: bytes = b""
    """A connection breaks when the client has sent this: the server gets it, and the client no answer."""
    refuses: bool = False
    """New connections are refused."""
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def cut(self) -> None:
        """Break all connections."""
        for pair in self._pairs:
            for each in pair:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End everything."""
        self.open.set()
        self.refuses = True
        for thread in self._threads:
            while thread.is_alive():
                self.cut()
                thread.join(0.1)
        for pair in self._pairs:
            for each in pair:
                each.close()

    def serve(self, listening: socket.socket) -> None:
        """Accept until the socket is shut down."""
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        """Lay a connection to the server for a client; without a server, the client's ends."""
        try:
            server = None if self.refuses else socket.create_connection(self.target)
        except OSError:
            server = None
        if server is None:
            client.close()
            return
        self._pairs.append((client, server))
        for source, target in ((client, server), (server, client)):
            thread = threading.Thread(target=self._pass, args=(source, target, source is client), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.open.wait()
                if is_client and self.cut_at and self.cut_at in data:
                    break
                is_last = is_client and bool(self.cut_after) and self.cut_after in data
                if is_last:
                    source.shutdown(socket.SHUT_RDWR)  # before the server can answer
                target.sendall(data)
                if is_last:
                    target.shutdown(socket.SHUT_WR)  # the server ends what it was told first
                    return
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """A wire to a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wire = Wire(("127.0.0.1", port), listening.getsockname()[1])
        wire.open.set()
        accepting = threading.Thread(target=wire.serve, args=(listening,), daemon=True)
        accepting.start()
        try:
            yield wire
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            # Found: it accepted on, and took clients of the next wire, whose socket had got the number of this one.
            accepting.join()
            wire.close()
