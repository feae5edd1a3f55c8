"""The hot path costs no more than `bench/micro/baseline.json` says.

Red here, and the rise is meant: `make bench-micro-baseline`, and the commit says why.
"""

import pytest

from bench.micro.baseline import Baseline, Cost, Costs, Measure, read, renewed, risen, version
from bench.micro.measure import in_yardsticks, instructions
from bench.micro.work import Work, all_work

ROUNDS = 20
# A machine that is busy for one measurement may be quiet for the next; a rise of our own is in all of them.
ATTEMPTS = 5
COUNTS = 3


@pytest.fixture(scope="module")
def works() -> object:
    with all_work() as works:
        yield works


def counted(works: list[Work]) -> Costs:
    """The fewest of several counts: what a worker does four times a second, or when it is late, falls into some."""
    return {work.name: Cost(min(instructions(work) for _ in range(COUNTS)), 0.0) for work in works}


def still_slow(works: list[Work], baseline: Baseline, *, attempts: int = ATTEMPTS) -> list[str]:
    """What is too slow in each of several measurements."""
    found: list[str] = []
    for _ in range(attempts):
        times = in_yardsticks(works, ROUNDS)
        costs = {work.name: Cost(0.0, time) for work, time in zip(works, times, strict=True)}
        found = risen(costs, baseline, version(), "yardsticks")
        works = [work for work in works if any(line.startswith(f"{work.name}: ") for line in found)]
        if not works:
            break
    return found


def told(found: list[str]) -> str:
    return "\n".join([*found, "make it cheaper; or say why not, and make bench-micro-baseline"])


def test_the_hot_path_executes_no_more_instructions_than_before(works: list[Work]) -> None:
    found = risen(counted(works), read(), version(), "instructions")
    assert found == [], told(found)


def test_the_hot_path_takes_no_more_time_than_before(works: list[Work]) -> None:
    found = still_slow(works, read())
    assert found == [], told(found)


def test_everything_that_is_measured_has_a_baseline(works: list[Work]) -> None:
    for column, costs in read().items():
        assert list(costs) == [work.name for work in works], f"make bench-micro-baseline, with Python {column}"


# That the check turns red.


def slowed(work: Work, extra: object) -> Work:
    """The same work, with something added to each operation."""

    def run() -> None:
        work.run()
        for _ in range(work.per_run):
            extra()  # type: ignore[operator]

    return Work(work.name, run, work.per_run)


def test_a_few_instructions_more_in_a_relayed_request_turn_it_red(works: list[Work]) -> None:
    relay = works[0]
    assert relay.name == "relay, whole"
    before = {version(): counted([relay])}

    def spin(times: int) -> object:
        return lambda: [None for _ in range(times)]

    assert not risen(counted([slowed(relay, spin(2))]), before, version(), "instructions")
    (found,) = risen(counted([slowed(relay, spin(40))]), before, version(), "instructions")
    assert found.startswith("relay, whole: +")


def test_time_that_no_instruction_shows_turns_it_red(works: list[Work]) -> None:
    (head,) = [work for work in works if work.name == "request head, all new"]
    (time,) = in_yardsticks([head], ROUNDS)
    before = {version(): {head.name: Cost(instructions(head), time)}}
    data = bytes(20_000)
    hidden = slowed(head, lambda: sum(data))
    assert not risen(counted([hidden]), before, version(), "instructions")
    (found,) = still_slow([hidden], before, attempts=2)
    assert found.startswith("request head, all new: +")


# The baseline.


COST = Cost(100, 1.0)


@pytest.mark.parametrize(
    ("cost", "of", "is_red"),
    [
        (Cost(103, 1.0), "instructions", False),
        (Cost(104, 1.0), "instructions", True),
        (Cost(50, 1.0), "instructions", False),
        (Cost(106, 1.7), "yardsticks", False),
        (Cost(100, 1.8), "yardsticks", True),
    ],
)
def test_what_may_be_more(cost: Cost, of: Measure, is_red: bool) -> None:
    assert bool(risen({"x": cost}, {"3.11": {"x": COST}}, "3.11", of)) is is_red


def test_a_version_of_python_that_nobody_measured_is_judged_by_the_newest_with_more_room() -> None:
    baseline = {"3.9": {"x": Cost(1, 1.0)}, "3.13": {"x": COST}}
    assert not risen({"x": Cost(128, 1.0)}, baseline, "3.14", "instructions")
    assert risen({"x": Cost(130, 1.0)}, baseline, "3.14", "instructions")


def test_a_renewal_under_one_version_moves_the_others_by_the_same_factor() -> None:
    baseline = {"3.11": {"x": COST, "gone": COST}, "3.12": {"x": Cost(90, 0.9), "gone": COST}}
    moved = renewed(baseline, {"x": Cost(110, 1.2), "new": Cost(5, 0.1)}, "3.11")
    assert moved == {
        "3.11": {"x": Cost(110, 1.2), "new": Cost(5, 0.1)},
        "3.12": {"x": Cost(99.0, 0.99), "new": Cost(5, 0.1)},
    }


def test_a_version_that_is_new_moves_nothing() -> None:
    assert renewed({"3.11": {"x": COST}}, {"x": Cost(90, 0.9)}, "3.9") == {
        "3.9": {"x": Cost(90, 0.9)},
        "3.11": {"x": COST},
    }
