"""No parser of foreign bytes ends otherwise than it may; a minute of inputs in all, the same in each run.

A failure prints its input. Keep it as a file in `tests/fuzz/found/TARGET/`, under the name of what was wrong: from then
on it is tried first. `make fuzz TIME=600 TARGET=…` looks for more.
"""

import itertools
import time

import pytest

from bench.micro.measure import yardstick_ns
from tests.fuzz.mutation import TOKENS, inputs
from tests.fuzz.target import found
from tests.fuzz.targets import TARGETS

SEED = 11
EACH_S = 60 / len(TARGETS)
"""CPU time for each target."""
LONG_BYTES = 64 * 1024
YARDSTICKS_MAX = 3000
"""CPU time for an input of that length, in runs of the yardstick of `bench/micro`: 50 ms where one takes 17 µs."""
ATTEMPTS = 3


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_what_was_found_end_well(name: str) -> None:
    target = TARGETS[name]
    read = [target.run(seed) for seed in target.seeds]
    assert any(read), "no seed is read: the target says nothing"
    for data in [*found(name), b"", *TOKENS]:
        target.run(data)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_mutated_inputs_end_well(name: str) -> None:
    target, read, tried = TARGETS[name], 0, 0
    seeds = (*target.seeds, *found(name))
    end_s = time.thread_time() + EACH_S
    for data in inputs(seeds, f"{SEED} {name}"):
        try:
            read += target.run(data)
        except Exception as error:
            error.add_note(f"input: {data!r}")
            raise
        tried += 1
        if time.thread_time() > end_s:
            break
    assert read > 0, "every input was refused: the mutations are too wild to say anything"
    assert read < tried or name == "surrogates", "no input was refused: the mutations are too mild"


def long_inputs(seeds: tuple[bytes, ...]) -> list[bytes]:
    """The seeds and what parsers stumble over, as long as a long input is: repeated as a whole, and inside."""
    pieces = [*(seed for seed in seeds if seed), *TOKENS]
    whole = [(piece * (LONG_BYTES // len(piece) + 1))[:LONG_BYTES] for piece in pieces]
    inside = [
        seed[: len(seed) // 2] + piece * (LONG_BYTES // len(piece)) + seed[len(seed) // 2 :]
        for seed, piece in itertools.product(
            seeds[:2], (b"[", b"a", b",", b"&", b"\\", b'"', b"9", b"; ", b'{"a":', b"a=b&", b'"a":1,')
        )
    ]
    return whole + inside


@pytest.mark.parametrize("name", [name for name in TARGETS if name not in {"config", "document"}])
def test_a_long_input_takes_time_by_its_length(name: str) -> None:
    """What an operator writes is left out: it is read once, at the start."""
    target = TARGETS[name]
    unit_ns = yardstick_ns(20)
    slow = [data for data in long_inputs(target.seeds) if _yardsticks(name, data, unit_ns) > YARDSTICKS_MAX]
    assert [(data[:40], len(data)) for data in slow] == []


def _yardsticks(name: str, data: bytes, unit_ns: float) -> float:
    """The quickest of some attempts: a machine that is busy for one may be quiet for the next."""
    best = float("inf")
    for _ in range(ATTEMPTS):
        began = time.thread_time_ns()
        TARGETS[name].run(data)
        best = min(best, (time.thread_time_ns() - began) / unit_ns)
        if best <= YARDSTICKS_MAX:
            break
    return best
