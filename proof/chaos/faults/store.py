"""Faults of the store and of its disk: reads are as ever; changes of all shards are refused or late, and never torn."""

import asyncio
import errno
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from proof.chaos.fault import ALL, Fault, Happening, Must
from proof.chaos.gateway import with_us
from proof.chaos.stage import Stage

_HOLDING = """
import sqlite3, sys, time, select
store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
held_s, free_s = map(float, sys.argv[2:])
over, first = False, True
while not over:
    store.execute("BEGIN IMMEDIATE")
    if first:
        print("locked", flush=True)
    first = False
    over = bool(select.select([sys.stdin], [], [], held_s)[0])
    store.execute("ROLLBACK")
    time.sleep(free_s)
"""


def _held(held_s: float, free_s: float) -> Happening:
    """Another process holds the lock of the store for so long, and again so long afterwards."""

    @asynccontextmanager
    async def run(stage: Stage) -> AsyncIterator[None]:
        command = [*with_us("KILL"), sys.executable, "-c", _HOLDING, str(stage.store), str(held_s), str(free_s)]
        with subprocess.Popen(  # noqa: ASYNC220 - the kernel ends it with the thread that started it
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            locked = await asyncio.to_thread(process.stdout.readline)
            try:
                yield
                stage.prove(locked == b"locked\n" and process.poll() is None, "the other process had no lock")
            finally:
                process.stdin.close()

    return run


@asynccontextmanager
async def _read_only(stage: Stage) -> AsyncIterator[None]:
    files = [file for file in stage.folder.glob("store.db*") if file.is_file()]
    for file in files:
        file.chmod(0o400)
    stage.folder.chmod(0o500)
    await stage.reload()
    began_at = time.monotonic()
    try:
        yield
        _prove_refused(stage, began_at)
    finally:
        stage.folder.chmod(0o700)
        for file in files:
            file.chmod(0o600)


@asynccontextmanager
async def _gone(stage: Stage) -> AsyncIterator[None]:
    away = stage.folder / "away"
    away.mkdir()
    files = [file for file in stage.store.parent.glob("store.db*") if file.is_file()]
    for file in files:
        file.rename(away / file.name)
    yield
    stage.prove(files, "there was no store to be moved away")
    for file in stage.store.parent.glob("store.db*"):
        file.unlink()
    for file in files:
        (away / file.name).rename(file)
    away.rmdir()


@asynccontextmanager
async def _full(stage: Stage) -> AsyncIterator[None]:
    filler = stage.store.with_name("filler")
    _fill(filler)
    yield
    # The store may have room in its own files still, so that no change is refused.
    stage.prove(shutil.disk_usage(filler.parent).free == 0, "there is room on the disk")
    filler.unlink()


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def _prove_refused(stage: Stage, began_at: float) -> None:
    """Changes of all shards were refused for the store's sake: it could not be written."""
    refused = any(each.kind == "every" and each.code == "SG4002" for each in stage.since(began_at))
    stage.prove(refused, "the store could be written")


LOCKED = Fault(
    name="store locked",
    what="another process holds its lock for 20 s",
    run=_held(3600.0, 0.0),
    must=Must(refused={"every": ALL}, also=frozenset({"every late"})),
    hold_s=20.0,
)

FAULTS = (
    LOCKED,
    Fault(
        name="store slow",
        what="another process holds its lock for 0.3 s of each 0.4 s",
        run=_held(0.3, 0.1),
        must=Must(refused={"every": 20}),
        hold_s=6.0,
    ),
    Fault(
        name="store read-only",
        what="nobody may write it any more, and the configuration is read again",
        run=_read_only,
        must=Must(refused={"every": ALL}, times=None),
    ),
    Fault(
        name="store gone",
        what="moved away; moved back",
        run=_gone,
        must=Must(refused={"every": ALL}),
    ),
    Fault(
        name="disk full",
        what="not a byte is left for the store and the logs",
        run=_full,
        must=Must(refused={"every": ALL}),
        stage="disk",
    ),
)
