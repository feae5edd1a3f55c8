"""A process that moves tenants as it is told, one line of JSON each way; it can be stopped or killed at any point.

Run as `python -m proof.move.moving CONFIG`.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from proof.data import ROOT
from shardgate.move.errors import MoveError
from shardgate.move.gently import gently
from shardgate.move.mover import Mover
from shardgate.move.moving_rows import MovingRows
from shardgate.move.run import settings_from
from shardgate.process.preflight import read
from shardgate.store.movements import Movements

POINTS: Final = (
    "copying",
    "catching_up",
    "fenced",
    "loaded",
    "unloaded",
    "closed",
    "committing",
    "committed",
    "flipped",
    "acknowledged",
    "purged",
    "releasing",
    "released",
)


_SLICE_S: Final = 0.25


class MovingProcess:
    """The process, as its user sees it."""

    def __init__(self, config: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proof.move.moving", str(config)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ask({"ready": True})

    def move(self, tenant: str, target: str) -> dict[str, Any]:
        """Move a tenant, and say how that went."""
        return self.ask({"move": [tenant], "to": target})

    def burn(self, cpu_s: float, took_s: float) -> None:
        """Take as much of the processors in as much time as a movement did, and touch nothing."""
        self.ask({"burn": cpu_s, "for": took_s})

    def ask(self, what: dict[str, Any]) -> dict[str, Any]:
        """The answer to one line; `{"killed": true}` where the process ends instead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"killed": True}
        return answer

    def end(self) -> None:
        """Let it go."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._process.stdout:
            self._process.stdin.close()
            self._process.wait(60)


def main() -> None:
    """Do what each line says."""
    settings = settings_from(read(Path(sys.argv[1])), {})
    point: list[tuple[str, str]] = [("", "")]
    passed: list[tuple[str, float]] = []

    def reached(name: str) -> None:
        passed.append((name, time.monotonic()))
        if name == point[0][0]:
            how, point[0] = point[0][1], ("", "")
            if how == "die":
                os._exit(9)
            print(json.dumps({"at": name}), flush=True)
            sys.stdin.readline()

    _watch(reached)
    for line in iter(sys.stdin.readline, ""):
        asked = json.loads(line)
        point[0] = (asked.get("point", ""), asked.get("how", ""))
        if "ready" in asked:
            print(json.dumps({}), flush=True)
            continue
        if "burn" in asked:
            gently(partial(_burn, asked["burn"], asked["for"]))
            print(json.dumps({}), flush=True)
            continue
        passed.clear()
        before_s = _cpu_s()
        told = _done(settings, asked)
        print(json.dumps({**told, "points": passed, "cpu_s": _cpu_s() - before_s}), flush=True)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _burn(cpu_s: float, took_s: float) -> None:
    """A quarter of a second at a time, each with its share of work."""
    began_at, began_cpu_s = time.monotonic(), _cpu_s()
    while (passed_s := time.monotonic() - began_at) < took_s:
        while _cpu_s() - began_cpu_s < cpu_s * (passed_s + _SLICE_S) / took_s:
            if time.monotonic() - began_at > took_s:
                return
            hash(tuple(range(1000)))
        time.sleep(_SLICE_S / 10)


def _done(settings: Any, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        mover = Mover(settings, lambda *_: None)
        try:
            made = [mover.resume()] if asked.get("resume") else mover.move(asked["move"], asked["to"])
        finally:
            mover.close()
    except MoveError as error:
        return {"refused": type(error).__name__, "why": list(error.reasons)}
    return {
        "rows": made[-1].told.rows,
        "held_s": made[-1].told.held_s,
        "steps_s": made[-1].told.steps_s,
        "phase": made[-1].phase,
    }


def _watch(reached: Callable[[str], None]) -> None:
    """Tell of each point that a movement passes."""
    enter, flip, load, unload, begin_work = (
        Movements.enter,
        Movements.flip,
        MovingRows.load,
        MovingRows.unload,
        MovingRows.__init__,
    )

    def entering(self: Movements, number: int, owner: str, phase: Any, fence: Any, ended_at: float = 0.0) -> int:
        turn = enter(self, number, owner, phase, fence, ended_at)
        reached(phase)
        return turn

    def flipping(self: Movements, *args: Any) -> int:
        turn = flip(self, *args)
        reached("flipped")
        return turn

    def loading(self: MovingRows, *args: Any) -> Any:
        found = load(self, *args)
        reached("loaded")
        return found

    def unloading(self: MovingRows, *args: Any) -> Any:
        found = unload(self, *args)
        reached("unloaded")
        return found

    def beginning(self: MovingRows, *args: Any) -> None:
        begin_work(self, *args)
        self.target = _Told(self.target, {"commit": ("", "committed")}, reached)
        self.source = _Told(self.source, {"commit": ("acknowledged", "purged"), "release": ("", "released")}, reached)
        # Batches of the copy, and changes that are caught up with, are committed, too.
        self.source.only_when = self.target.only_when = lambda: self.is_unloaded

    for place, name, instead in (
        (Movements, "enter", entering),
        (Movements, "flip", flipping),
        (MovingRows, "load", loading),
        (MovingRows, "unload", unloading),
        (MovingRows, "__init__", beginning),
    ):
        setattr(place, name, instead)


class _Told:
    """A database that tells before and after some calls."""

    def __init__(self, database: Any, told: dict[str, tuple[str, str]], reached: Callable[[str], None]) -> None:
        self._database = database
        self._told = told
        self._reached = reached
        self.only_when: Callable[[], bool] = lambda: True

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._database, name)
        if name not in self._told or not self.only_when():
            return found
        before, after = self._told[name]

        def call() -> None:
            self._reached(before or "-")
            found()
            self._reached(after)

        return call


if __name__ == "__main__":
    main()
