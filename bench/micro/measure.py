"""Two measures of a piece of work: the bytecode instructions that it executes, and its CPU time beside a yardstick.

Instructions are the same on every run and on every machine, so a small rise can be told from noise; they do not see
what happens in C. CPU time sees all of it, and is noisy: so each of many short rounds is compared with a yardstick that
runs right before and after it, and the median counts.
"""

import asyncio
import re
import selectors
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

from bench.micro.work import Work

ROUND_S = 0.0005
# What drives the work is not the work: the load, and the loop in memory with what asyncio does for it.
_DRIVERS = (
    str(Path(__file__).resolve().parents[1]) + "/",
    str(Path(asyncio.__file__).parent) + "/",
    selectors.__file__,
)


def instructions(work: Work) -> float:
    """Bytecode instructions of one operation; the drivers' own are left out."""
    # Python 3.12 counts in a function only from its second run under the eye of a tracer.
    _count(work.run)
    return min(_count(work.run), _count(work.run)) / work.per_run


def in_yardsticks(works: list[Work], rounds: int) -> list[float]:
    """CPU time of one operation of each, in yardsticks; they take turns, so that no connection idles for too long.

    Not the quickest round of a work beside that of the yardstick: they may be of different seconds, and of different
    speeds of the machine. One was 1.8 times as quick as the other.
    """
    times, times_of_yardstick = [_times(work.run) for work in works], _times(yardstick)
    ratios: list[list[float]] = [[] for _ in works]
    before = _round(yardstick, times_of_yardstick)
    for _ in range(rounds):
        for work, many, found in zip(works, times, ratios, strict=True):
            took = _round(work.run, many) / work.per_run
            after = _round(yardstick, times_of_yardstick)
            found.append(2 * took / (before + after))
            before = after
    return [median(found) for found in ratios]


def yardstick_ns(rounds: int) -> float:
    """CPU nanoseconds of one run of the yardstick: the quickest round, which nobody disturbed."""
    times = _times(yardstick)
    return min(_round(yardstick, times) for _ in range(rounds))


_WORDS = [b"field-%d: value of %d" % (number, number) for number in range(20)]
_LINE = re.compile(rb"([a-z0-9-]+): ([^\r\n]*)")


def yardstick() -> object:
    """What the hot path is made of: look-ups, calls, slices, patterns. It stays: the baseline is told in it."""
    memory: dict[bytes, tuple[bytes, bytes]] = {}
    for line in b"\r\n".join(_WORDS).split(b"\r\n"):
        match = _LINE.fullmatch(line)
        if match is not None and line not in memory:
            memory[line] = _pair(match[1], match[2])
    return b"".join([b"%b: %b\r\n" % memory[line] for line in _WORDS])


def _pair(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return name.lower(), value.strip()


class _Opcodes:
    """Those that were seen. No function that refers to itself: frames that live on keep it, and it would be garbage."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _: FrameType, event: str, __: Any) -> "_Opcodes":
        self.count += event == "opcode"
        return self


def _count(run: Callable[[], object]) -> int:
    seen = _Opcodes()

    def entered(frame: FrameType, _: str, __: Any) -> Any:
        if frame.f_code.co_filename.startswith(_DRIVERS):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return seen

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        run()
    finally:
        sys.settrace(before)
    return seen.count


def _times(run: Callable[[], object]) -> int:
    """How many runs fill a round."""
    run()
    return max(1, int(ROUND_S * 1e9 / max(_round(run, 3), 1)))


def _round(run: Callable[[], object], times: int) -> float:
    began = time.thread_time_ns()
    for _ in range(times):
        run()
    return (time.thread_time_ns() - began) / times
