"""PoC 1's other half: asks the platform again and again what has changed, and writes it into the copy.

The platform says what changed since an instant (`delta_since`), to the second, and says nothing of what was deleted. So
a poll asks for changes, a little further back than the last one, and now and then a scan reads all ids: those that the
platform no longer has are deleted here, those that the copy lacks are fetched.

Each cycle prints a line of JSON: what it was, how long it took, what it cost.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from bench.flask_poc.table import Table

ROWS_A_PAGE = 1_000
IDS_A_REQUEST = 100
OVERLAP = timedelta(seconds=2)  # updated_at is cut to the second, and is taken a little before it can be seen
TIMEOUT_S = (2, 60)


class Platform:
    """One instance of the platform, and what was read of it."""

    def __init__(self, url: str, token: str, also: dict[str, str]) -> None:
        self.url = url
        self.requests = self.bytes = self.rows = 0
        self._changes_since = datetime.now(UTC)
        self._also = also
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def everything(self) -> Iterator[list[dict[str, Any]]]:
        """All rows, page by page; what changes meanwhile is among the next changes."""
        return self._pages(order="id")

    def changes(self) -> Iterator[list[dict[str, Any]]]:
        """What was created or changed since this, or everything, was last asked."""
        return self._pages(order="updated_at,id", delta_since=self._changes_since.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def _pages(self, **query: str) -> Iterator[list[dict[str, Any]]]:
        rows, offset = ROWS_A_PAGE, 0
        while rows == ROWS_A_PAGE:
            page = self.rows_of(limit=str(ROWS_A_PAGE), offset=str(offset), **query)
            if offset == 0:
                asked_at = self._answered_at
            rows, offset = len(page), offset + ROWS_A_PAGE
            yield page
        self._changes_since = asked_at - OVERLAP

    def rows_of(self, **query: str) -> list[dict[str, Any]]:
        """One request for a list."""
        reply = self._session.get(f"{self.url}/v3/events", params={**self._also, **query}, timeout=TIMEOUT_S)
        reply.raise_for_status()
        found: list[dict[str, Any]] = reply.json()
        self.requests += 1
        self.bytes += len(reply.content)
        self.rows += len(found)
        self._answered_at = parsedate_to_datetime(reply.headers["Date"])
        return found


class Synchroniser:
    """Keeps one table like several instances."""

    def __init__(self, table: Table, platforms: list[Platform]) -> None:
        self._table = table
        self._platforms = platforms
        self.lacking = self.left_over = 0

    def full(self) -> None:
        """Everything anew."""
        for platform in self._platforms:
            known = self._table.ids(platform.url)
            for page in platform.everything():
                self._table.write(platform.url, page)
                known -= {row["id"] for row in page}
            self._table.write(platform.url, [], known)

    def poll(self) -> None:
        """What was created or changed."""
        for platform in self._platforms:
            for page in platform.changes():
                self._table.write(platform.url, page)

    def scan(self) -> None:
        """What was deleted, and what was overlooked."""
        for platform in self._platforms:
            known = self._table.ids(platform.url)
            there = {row["id"] for row in platform.rows_of(fields="id", limit="1000000")}
            lacking = sorted(there - known)
            self.lacking, self.left_over = self.lacking + len(lacking), self.left_over + len(known - there)
            for start in range(0, len(lacking), IDS_A_REQUEST):
                rows = platform.rows_of(accept=",".join(lacking[start : start + IDS_A_REQUEST]))
                self._table.write(platform.url, rows)
            self._table.write(platform.url, [], known - there)


def main() -> None:
    """Fill the copy, start the server beside it, and keep it up to date until ended."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--copy", required=True, help="the SQLite file")
    options.add_argument("--platform", action="append", required=True, help="an instance's URL; once for each")
    options.add_argument("--also", action="append", default=[], help="name=value, a parameter of every list asked for")
    options.add_argument("--poll-every-s", type=float, default=1)
    options.add_argument("--scan-every-s", type=float, default=10)
    options.add_argument("--server", nargs=argparse.REMAINDER, help="a command, last; without it: fill, scan, end")
    given = options.parse_args()
    also = dict(each.split("=", 1) for each in given.also)
    platforms = [Platform(url, os.environ.get("TOKEN", ""), also) for url in given.platform]
    synchroniser = Synchroniser(Table(given.copy), platforms)
    _cycle(synchroniser, platforms, "full")
    if not given.server:
        _cycle(synchroniser, platforms, "scan")
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = subprocess.Popen(given.server, env={**os.environ, "COPY": given.copy})
    try:
        _follow(synchroniser, platforms, given.poll_every_s, given.scan_every_s)
    finally:
        server.terminate()
        server.wait()


def _follow(synchroniser: Synchroniser, platforms: list[Platform], poll_every_s: float, scan_every_s: float) -> None:
    polled_at = scanned_at = time.monotonic()
    while True:
        time.sleep(max(0, polled_at + poll_every_s - time.monotonic()))
        polled_at = time.monotonic()
        _cycle(synchroniser, platforms, "poll")
        if polled_at - scanned_at >= scan_every_s:
            scanned_at = polled_at
            _cycle(synchroniser, platforms, "scan")


def _cycle(synchroniser: Synchroniser, platforms: list[Platform], what: str) -> None:
    for platform in platforms:
        platform.requests = platform.bytes = platform.rows = 0
    synchroniser.lacking = synchroniser.left_over = 0
    began, worked = time.monotonic(), time.process_time()
    try:
        getattr(synchroniser, what)()
        error = None
    except requests.RequestException as failure:  # the platform is away for a while: the next cycle asks again
        if what == "full":
            raise
        error = type(failure).__name__
    cost: dict[str, int] = {
        name: sum(getattr(platform, name) for platform in platforms) for name in ("requests", "bytes", "rows")
    }
    if what == "scan":
        cost |= {"lacking": synchroniser.lacking, "left_over": synchroniser.left_over}
    took = {"seconds": time.monotonic() - began, "copy_cpu_s": time.process_time() - worked}
    print(json.dumps({"cycle": what, **took, **cost, "error": error}), flush=True)


if __name__ == "__main__":
    main()
