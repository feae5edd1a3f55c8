"""The partner's breaker opens when it says, and closes when it says."""

from collections.abc import Sequence

import pytest

from bench.partners.breaker import simulated
from bench.partners.definition import Breaker
from bench.partners.samples import Sample

BREAKER = Breaker(failures_percent=70, slow_ms=10_000, calls_min=10, open_s=30, probes=5)


def calls(verdicts: str, *, every_s: float = 1.0, began_s: float = 0.0) -> Sequence[Sample]:
    """`.` a good call, `x` a failure, `s` a slow one."""
    return [
        Sample("P", "c", began_s + n * every_s, 11_000 if each == "s" else 1, 200 if each != "x" else 503, each == "x")
        for n, each in enumerate(verdicts)
    ]


@pytest.mark.parametrize(
    ("verdicts", "opened"),
    [
        ("x" * 9, 0),  # too few calls to judge
        ("x" * 10, 1),
        ("..." + "x" * 7, 1),  # 70 of 100
        ("...." + "x" * 6, 0),
        ("s" * 10, 1),  # a slow call is a failure
        ("." * 100, 0),
    ],
)
def test_it_opens_at_the_partners_rate_of_failures(verdicts: str, opened: int) -> None:
    assert simulated(BREAKER, calls(verdicts)).opened == opened


def test_only_the_last_minute_counts() -> None:
    # 20 failures, then silence for a minute, then good calls: of the last ten none failed.
    samples = [*calls("x" * 6), *calls("." * 10, began_s=70)]
    judged = simulated(BREAKER, samples)
    assert (judged.opened, judged.worst_percent) == (0, 0)


def test_while_it_is_open_calls_are_refused_and_good_probes_close_it() -> None:
    judged = simulated(BREAKER, calls("x" * 10 + "." * 29 + "." * 5 + "x" * 9))
    assert (judged.opened, judged.refused) == (1, 29)


def test_bad_probes_open_it_again() -> None:
    judged = simulated(BREAKER, calls("x" * 10 + "." * 29 + "x" * 5))
    assert judged.opened == 2


def test_calls_are_judged_in_the_order_in_which_they_end() -> None:
    slow_first = [Sample("P", "c", 0, 11_000, 200, failed=False), *calls("." * 9, began_s=1, every_s=0.1)]
    assert simulated(BREAKER, slow_first).worst_percent == pytest.approx(10)
