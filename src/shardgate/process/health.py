"""Asks a running gateway whether it is alive or ready, as the health check of a container does.

`python -m shardgate.process.health` asks the address in SHARDGATE_ADMIN, and exits with 0 or 1. It runs every few
seconds: it needs the standard library alone, and no shell.

Never: reads the configuration.
"""

import os
import socket
import sys

TIMEOUT_S = 2.0
_REPLY_BYTES_MAX = 64 * 1024
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - what a listener may be given


def ask(host: str, port: int, path: str, timeout_s: float = TIMEOUT_S) -> tuple[int, str]:
    """The status and the body of a page of the admin address. Raises OSError if nobody answers in time."""
    address = _EVERY_ADDRESS.get(host, host)
    name = f"[{address}]" if ":" in address else address
    with socket.create_connection((address, port), timeout_s) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {name}:{port}\r\n\r\n".encode())
        reply = b""
        while len(reply) < _REPLY_BYTES_MAX and (piece := connection.recv(4096)):
            reply += piece
    head, _, body = reply.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if len(words) < 2 or not words[1].isdigit():
        raise OSError("the reply is no HTTP")
    return int(words[1]), body.decode(errors="replace").strip()


def main() -> int:
    """Exit code 0: the gateway is alive."""
    host, _, port = os.environ.get("SHARDGATE_ADMIN", "127.0.0.1:9901").rpartition(":")
    try:
        return 0 if ask(host.strip("[]"), int(port), "/healthz")[0] == 200 else 1
    except (OSError, ValueError) as error:
        print(f"shardgate: {error}", file=sys.stderr)  # noqa: T201 - the orchestrator shows it
        return 1


if __name__ == "__main__":
    sys.exit(main())
