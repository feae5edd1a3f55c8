"""Runs the app on a socket, and says when it is ready.

Holds: the one ready line is printed when connections are accepted, not before.
"""

import socket

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE_S = 75  # longer than what usually stands in front keeps its connections


class _Server(uvicorn.Server):
    """Uvicorn, with our ready line."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            address = self.servers[0].sockets[0].getsockname()
            print(f"bookings: ready on http://{address[0]}:{address[1]}", flush=True)


def run(app: FastAPI, host: str, port: int, *, access_log: bool) -> None:
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        timeout_keep_alive=KEEP_ALIVE_S,
        access_log=access_log,
        log_level="info" if access_log else "warning",
    )
    _Server(config).run()
