"""Ports for servers that must be told a port before they start.

Holds: a port is given once, and no program on this machine is given it by the kernel until this process ends. The
socket that keeps it does not listen, so a server that sets SO_REUSEADDR, as servers do, can listen on it.
Never: chooses a port, closes it, and hopes: another program may listen there first and answer in the server's name.
"""

import atexit
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"


def reserved_port() -> int:
    """A port of loopback that is kept for the server that will be started with it."""
    # Without SO_REUSEADDR while the kernel chooses: it gives no port that anything is bound to. With it afterwards.
    keeping = socket.socket()
    keeping.bind((LOOPBACK, 0))
    keeping.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    atexit.register(keeping.close)  # which also keeps it
    port: int = keeping.getsockname()[1]
    return port
