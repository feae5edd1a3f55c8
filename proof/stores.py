"""Which database the gateway's store of a proof is in: `STORE=postgresql` of the Makefile."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from proof.postgres_server import PostgresServer

KINDS = ("sqlite", "postgresql")
_numbers = count()


def add_option(options: argparse.ArgumentParser) -> None:
    """Add `--store` to a command."""
    options.add_argument("--store", choices=KINDS, default="sqlite", help="the database of the gateway's store")


@contextmanager
def empty_store(kind: str) -> Iterator[str]:
    """The URL of an empty database on a server of its own; an empty text for a file of SQLite."""
    with empty_stores(kind) as new_store:
        yield new_store()


@contextmanager
def empty_stores(kind: str) -> Iterator[Callable[[], str]]:
    """Makes such a database, each time another one, on one server."""
    if kind == "sqlite":
        yield str
        return
    with PostgresServer() as server:
        yield lambda: server.create(f"store_{next(_numbers)}")
