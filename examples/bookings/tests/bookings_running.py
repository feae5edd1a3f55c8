"""A running platform for the tests: the real app on a real socket, with a seeded database."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import uvicorn

from bookings.app import create_app
from bookings.clock import Clock, utc_now
from bookings.database import Database
from bookings.identity.clients import SCOPES_OF, find_client
from bookings.seed.loading import load
from bookings.seed.platform import platform
from bookings.settings import Settings
from tests.waiting import wait_until

SCALE = 0.005
SEED = 7


class Platform:
    """One running app and clients that talk to it."""

    def __init__(self, app: Any, url: str) -> None:
        self.app = app
        self.url = url
        self.database: Database = app.state.database
        self._clients: dict[tuple[str, ...], httpx.Client] = {}

    def anonymous(self) -> httpx.Client:
        return self._client((), {})

    def client(self, name: str = "marketplace", *scopes: str) -> httpx.Client:
        """A client with a token of its own, of all its scopes unless some are named."""
        with self.database.read() as connection:
            registered = find_client(connection, name)
        assert registered is not None
        token = self.app.state.tokens.issue(registered, scopes or SCOPES_OF[registered.kind])
        return self._client((name, *scopes), {"Authorization": f"Bearer {token}"})

    def get(self, path: str, **params: Any) -> Any:
        """What the marketplace reads there."""
        reply = self.client().get(path, params=params)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _client(self, key: tuple[str, ...], headers: dict[str, str]) -> httpx.Client:
        if key not in self._clients:
            self._clients[key] = httpx.Client(base_url=self.url, headers=headers, timeout=30)
        return self._clients[key]


class MovableClock:
    """The time, so many minutes later."""

    minutes = 0

    def __call__(self) -> datetime:
        return utc_now() + timedelta(minutes=self.minutes)


@contextmanager
def beside(platform: Platform, expiry_sweep_s: float) -> Iterator[tuple[Platform, MovableClock]]:
    """Another process on the same database, whose clock can be moved; its tokens live longer than any test."""
    clock = MovableClock()
    url = platform.database.engine.url.render_as_string(hide_password=False)
    settings = Settings(database=url, token_lifetime_s=10**6, expiry_sweep_s=expiry_sweep_s)
    with running(settings, clock) as other:
        yield other, clock


@contextmanager
def running(settings: Settings, clock: Clock = utc_now) -> Iterator[Platform]:
    app = create_app(settings, clock)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive())
    port = server.servers[0].sockets[0].getsockname()[1]
    platform = Platform(app, f"http://127.0.0.1:{port}")
    try:
        yield platform
    finally:
        platform.close()
        server.should_exit = True
        thread.join()


def seed(url: str, *, number: int = SEED, force: bool = False) -> None:
    load(url, platform(number, SCALE), lambda *_: None, force=force)
