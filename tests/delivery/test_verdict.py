"""A version is kept only where a whole sample of its own says that it fails no more and is no slower than before."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.delivery.verdict import Bounds, Outcome, Sample, judge, quantile

BOUNDS = Bounds(failed_share_max=0.01, p90_ratio_max=1.5, p90_slack_ms=20, p90_ms_max=1000, requests_min=100)
BEFORE = Sample(1000, 0, 40)


def verdict(
    after: Sample, *, before: Sample = BEFORE, beside: Sample = BEFORE, is_over: bool = True
) -> tuple[str, str]:
    found = judge(before, beside, after, BOUNDS, is_over=is_over)
    return found.kind, found.reason


def test_a_version_as_good_as_before_goes_on_when_the_stage_is_over() -> None:
    assert verdict(Sample(500, 0, 40), is_over=False)[0] == "wait"
    assert verdict(Sample(500, 0, 40)) == ("go_on", "500 requests, 0 failed, p90 40 ms, the old version 40 ms")


@pytest.mark.parametrize(
    ("requests", "failed", "kind"),
    [
        (1, 1, "wait"),  # one failure of the first hundred is the share that may fail
        (2, 2, "roll_back"),
        (100, 1, "wait"),
        (100, 2, "roll_back"),
        (1000, 10, "wait"),
        (1000, 11, "roll_back"),
    ],
)
def test_failures_are_judged_at_once(requests: int, failed: int, kind: str) -> None:
    assert verdict(Sample(requests, failed, 40), is_over=False)[0] == kind


def test_a_fault_that_the_old_version_had_alone_is_not_the_new_ones() -> None:
    ailing = Sample(1000, 50, 40)
    assert verdict(Sample(1000, 60, 40), before=ailing)[0] == "go_on"
    assert verdict(Sample(1000, 101, 40), before=ailing)[0] == "roll_back"


def test_a_version_that_makes_the_old_one_fail_too_is_rolled_back() -> None:
    assert verdict(Sample(1000, 60, 40), beside=Sample(1000, 60, 40))[0] == "roll_back"


@pytest.mark.parametrize(
    ("beside_ms", "after_ms", "kind"),
    [
        (40, 60, "go_on"),
        (40, 61, "roll_back"),
        (2, 22, "go_on"),  # within the slack
        (2, 23, "roll_back"),
        (900, 1000, "go_on"),
        (900, 1001, "roll_back"),  # within the ratio, and too slow for partners
    ],
)
def test_the_p90_is_judged_against_the_old_version_and_against_the_promise(
    beside_ms: float, after_ms: float, kind: str
) -> None:
    assert verdict(Sample(500, 0, after_ms), beside=Sample(1000, 0, beside_ms))[0] == kind


def test_the_p90_is_judged_when_the_stage_is_over() -> None:
    assert verdict(Sample(500, 0, 9000), is_over=False)[0] == "wait"
    assert verdict(Sample(500, 0, 9000)) == ("roll_back", "p90 9000 ms, the old version 40 ms, 60 ms allowed")


@pytest.mark.parametrize("requests", [0, 99])
def test_too_few_requests_are_no_success(requests: int) -> None:
    assert verdict(Sample(requests, 0, 40))[0] == "roll_back"
    assert verdict(Sample(500, 0, 40), beside=Sample(requests, 0, 40))[0] == "roll_back"


@given(st.integers(0, 3000), st.integers(0, 3000), st.floats(0, 5000), st.booleans())
def test_whatever_goes_on_is_within_all_bounds(requests: int, failed: int, p90_ms: float, is_over: bool) -> None:
    after = Sample(max(requests, failed), failed, p90_ms)
    found = judge(BEFORE, BEFORE, after, BOUNDS, is_over=is_over)
    if found.kind == "go_on":
        assert is_over
        assert after.requests >= BOUNDS.requests_min
        assert after.failed_share <= BOUNDS.failed_share_max
        assert after.p90_ms <= BOUNDS.p90_ms_of(BEFORE)
    elif found.kind == "wait":
        assert not is_over
    else:
        assert found.reason


def outcomes(*taken: float, failed: int = 0) -> Iterable[Outcome]:
    yield from (Outcome(failed=False, took_ms=ms) for ms in taken)
    yield from (Outcome(failed=True, took_ms=1) for _ in range(failed))


def test_a_sample_counts_failures_and_times_what_did_not_fail() -> None:
    assert Sample.of(outcomes(*range(1, 101), failed=7)) == Sample(107, 7, 90)
    assert Sample.of(outcomes(failed=3)) == Sample(3, 3, 0)
    assert Sample.of([]) == Sample(0, 0, 0)


def test_the_quantile_is_the_nearest_rank() -> None:
    assert [quantile([5, 1, 3], share) for share in (0.1, 0.34, 0.9, 1)] == [1, 3, 5, 5]
