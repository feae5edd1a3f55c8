"""A limit is met where what was measured is within it; where nothing was measured it is not."""

import pytest

from bench.partners.definition import Breaker, Definition, Journey, Limits, Scenario, Step, read
from bench.partners.report import Share, share_of, summary
from bench.partners.samples import Load, Sample, quantile
from bench.partners.verdicts import judged, sent, share

BREAKER = Breaker(failures_percent=70, slow_ms=500, calls_min=10, open_s=30, probes=5)


def definition(limits: Limits) -> Definition:
    journey = Journey(name="j", per_s=1, steps=[Step(capability="c", method="GET", target="/")])
    return Definition([Scenario(partner="P", why="", capabilities={"c": limits}, journeys=[journey])])


def load(*took_ms: float, failed: int = 0) -> Load:
    samples = [Sample("P", "c", float(n), took, 200, n < failed) for n, took in enumerate(took_ms)]
    return Load(samples, 10.0)


def met(limits: Limits, what: Load) -> list[bool]:
    [row] = judged(definition(limits), what)
    return [each.met for each in row.thresholds]


def test_a_quantile_is_that_of_what_was_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [quantile(values, q) for q in (0.5, 0.9, 0.99, 1.0)] == [50, 90, 99, 100]
    assert quantile([7.0], 0.99) == 7
    with pytest.raises(ValueError, match="no value"):
        quantile([], 0.5)


def test_each_limit_is_judged() -> None:
    times = [*[100.0] * 90, *[900.0] * 10]
    assert met(Limits(p90_ms=100, errors_percent=0), load(*times)) == [True, True]
    assert met(Limits(p95_ms=100, errors_percent=0), load(*times)) == [False, True]
    assert met(Limits(p90_ms=100, max_ms=899, errors_percent=1), load(*times, failed=2)) == [True, False, False]
    assert met(Limits(p90_ms=100, errors_percent=2), load(*times, failed=2)) == [True, True]


def test_where_nothing_was_measured_nothing_is_met() -> None:
    limits = Limits(p90_ms=1000, errors_percent=1, breaker=BREAKER)
    assert met(limits, Load([], 10.0)) == [False, False, False]


def test_a_breaker_that_opens_is_a_limit_that_is_not_met() -> None:
    limits = Limits(errors_percent=100, breaker=BREAKER)
    assert met(limits, load(*[1.0] * 20, failed=6)) == [True, True]
    assert met(limits, load(*[1.0] * 20, failed=20)) == [True, False]
    assert met(limits, load(*[501.0] * 20)) == [True, False]


def test_a_journey_that_did_not_end_is_a_limit_that_is_not_met() -> None:
    assert sent(Load([], 1.0)).met
    assert not sent(Load([], 1.0, unsent=1)).met


def test_the_share_has_a_limit() -> None:
    assert (share(10.0).met, share(10.1).met, share(None).met) == (True, False, False)


def test_the_share_is_that_of_all_requests_and_says_where_most_of_it_is() -> None:
    own = share_of({"read": [0.25] * 98, "reserve": [5.0, 8.0]})
    assert own == Share(100, 0.25, 5.0, [("read", 98, 0.25, 0.25), ("reserve", 2, 5.0, 8.0)])
    assert share_of({}) is None


def test_the_last_line_says_what_was_carried() -> None:
    what = load(*[1.0] * 20, failed=10)
    rows = judged(definition(Limits(p90_ms=1, errors_percent=1)), what)
    own = Share(20, 0.4, 3.21)
    thresholds = [*(each for row in rows for each in row.thresholds), share(own.p99_ms)]
    assert summary(rows, thresholds, what, own) == (
        "partners: 1 scenarios, 2 of 3 thresholds met, 1 requests/s carried, gateway's share p99 3.2 ms"
    )
    assert summary(rows, thresholds, what, None).endswith("gateway's share not measured: its access log is not here")


def test_a_capability_without_limits_is_refused() -> None:
    journey = Journey(name="j", per_s=1, steps=[Step(capability="other", method="GET", target="/")])
    with pytest.raises(ValueError, match="other"):
        Scenario(partner="P", why="", capabilities={}, journeys=[journey])


def test_viators_peak_is_408_requests_a_second() -> None:
    [viator] = [each for each in read().scenarios if each.partner == "Viator"]
    assert Definition([viator]).requests_per_s == 408
    assert Definition([viator]).scaled(0.5).requests_per_s == 204
