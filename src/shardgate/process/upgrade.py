"""A new version of the gateway takes the listening sockets over while this one serves; then this one drains.

    SIGUSR2 ──► the same command runs again, as a child that inherits the sockets
                  │ all of its workers serve ──► it says so: this gateway takes no more clients, and drains
                  │ it ends, or does not come to serve ──► this gateway goes on

Holds: there is always somebody who accepts from the sockets. Nothing changes for clients until the new one serves.
Never: reads a configuration.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from shardgate.net.clock import now

# As long as two starts: the new version may have to import what is not in any cache yet.
PATIENCE_S = 60.0
POLL_S = 0.05

# No SHARDGATE_…: those variables are fields of the configuration, and others that begin so are refused.
_SOCKETS, _SAYS = "_SHARDGATE_INHERITED_SOCKETS", "_SHARDGATE_SAYS_READY"


class Upgrade:
    """The new version, from its start until it serves."""

    __slots__ = ("_began_at", "_process", "_reader")

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        """Start it. Raises OSError."""
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        numbers = [each.fileno() for each in sockets]
        told = {_SOCKETS: ",".join(map(str, numbers)), _SAYS: str(writer)}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the command that an operator has started this process by
                [sys.executable, *sys.orig_argv[1:]], pass_fds=[*numbers, writer], env={**os.environ, **told}
            )
        except OSError:
            os.close(self._reader)
            raise
        finally:
            os.close(writer)
        self._began_at = now()

    @property
    def pid(self) -> int:
        """Of the new version's supervisor."""
        return self._process.pid

    def serves(self) -> bool | None:
        """Whether all of its workers serve; None: not yet; False: it will not."""
        try:
            if os.read(self._reader, 1):
                return True
        except BlockingIOError:
            return None if now() - self._began_at < PATIENCE_S else False
        return False  # the other end is closed: it has ended

    def close(self, *, end: bool) -> None:
        """Wait for it no more. `end`: it is told to end."""
        os.close(self._reader)
        if end:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)
        self._process.returncode = 0  # the supervisor reaps all of its children itself


class Inherited:
    """What this process was given by the version before; nothing, where it was started otherwise."""

    __slots__ = ("_says", "sockets")

    def __init__(self) -> None:
        """To be made once."""
        numbers, says = os.environ.pop(_SOCKETS, ""), os.environ.pop(_SAYS, "")
        self.sockets = [socket.socket(fileno=int(number)) for number in numbers.split(",") if number.isdecimal()]
        """The listening sockets."""
        self._says = int(says) if says.isdecimal() else None
        for each in self.sockets:
            each.set_inheritable(False)
        if self._says is not None:
            os.set_inheritable(self._says, False)  # noqa: FBT003

    def close_unused(self, used: Sequence[socket.socket]) -> None:
        """The configuration has other addresses by now: nobody accepts from the sockets of the old ones."""
        for each in self.sockets:
            if each not in used:
                each.close()

    def say_ready(self) -> None:
        """All workers serve: tell the version before, and the service manager, whose process counts from now on."""
        if self._says is not None:
            with suppress(OSError):
                os.write(self._says, b"1")
            os.close(self._says)
            self._says = None
        if place := os.environ.get("NOTIFY_SOCKET"):  # sd_notify(3)
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.sendto(f"MAINPID={os.getpid()}\nREADY=1".encode(), place.replace("@", "\0", 1))
