"""A target is met or missed by the figures alone; one that was not measured is missed, with the reason."""

import pytest

from bench import works
from bench.results import Machine, Measured, Report, Single
from bench.rig import Run
from bench.space import DOWN, UP
from bench.targets import Verdict, judge

MACHINE = Machine(processor="any", cores=2, memory_gib=1, kernel="6", load_before=0)


def measured(work: str, peer: str, *, cpu_us: list[float], per_s: float = 1) -> Measured:
    runs = [Run(requests=1, per_s=per_s, cpu_us=value, cpu_share=1, first_p50_us=1, first_p99_us=1) for value in cpu_us]
    return Measured(work=work, peer=peer, connections=32, runs=runs)


def report(*rows: Measured, singles: tuple[Single, ...] = ()) -> Report:
    return Report(date="", quick=False, machine=MACHINE, measured=list(rows), singles=list(singles))


def verdict(found: Report, words: str) -> Verdict:
    return next(each for each in judge(found) if words in each.what)


@pytest.mark.parametrize(("ours", "met", "goal_met"), [(30, True, True), (35, True, False), (36, False, False)])
def test_the_median_of_the_rounds_ratios_is_held_against_must_and_goal(ours: float, met: bool, goal_met: bool) -> None:
    relay = measured(works.RELAY, "shardgate", cpu_us=[1, ours, 99])
    said = verdict(report(relay, measured(works.RELAY, "Go relay", cpu_us=[50, 50, 50])), "CPU a request ÷ Go relay")
    assert (said.met, said.goal_met) == (met, goal_met)


def test_a_noisy_round_slows_both_and_changes_no_ratio() -> None:
    ours, theirs = measured(works.RELAY, "shardgate", cpu_us=[30, 120, 60]), [50.0, 200.0, 100.0]
    said = verdict(report(ours, measured(works.RELAY, "Go relay", cpu_us=theirs)), "CPU a request ÷ Go relay")
    assert said.value == pytest.approx(0.6)


def test_more_is_better_where_it_is_requests() -> None:
    work = works.gather(4, 10)
    ours, theirs = (
        measured(work, peer, cpu_us=[1], per_s=rate) for peer, rate in (("shardgate", 600), ("Go RawMessage", 100))
    )
    assert verdict(report(ours, theirs), "RawMessage").met
    assert not verdict(report(measured(work, "shardgate", cpu_us=[1], per_s=390), theirs), "RawMessage").met


def growing(relay_us: list[float], shard_us: list[float]) -> list[Measured]:
    """A relay, and gathers that cost 100 µs and so much a shard, round by round."""
    figures = {works.growth(n): [100 + each * n for each in shard_us] for n in works.SHARD_COUNTS}
    return [measured(work, "shardgate", cpu_us=us) for work, us in {works.GROWTH_RELAY: relay_us, **figures}.items()]


def test_one_more_shard_costs_the_slope_beside_a_relay() -> None:
    rows = growing([60], [30])
    assert verdict(report(*rows), "one more shard").value == pytest.approx(0.5)
    assert verdict(report(*rows[:-1]), "one more shard").value is None


def test_a_machine_that_becomes_slower_makes_no_shard_dearer_beside_a_relay() -> None:
    assert verdict(report(*growing([60, 90, 60], [30, 45, 36])), "one more shard").value == pytest.approx(0.5)


def test_one_more_shard_is_told_where_a_round_of_one_number_failed() -> None:
    rows = growing([60, 60, 60], [30, 30, 30])
    rows[-1] = measured(rows[-1].work, "shardgate", cpu_us=[100 + 30 * works.SHARD_COUNTS[-1]] * 2)
    assert verdict(report(*rows), "one more shard").value == pytest.approx(0.5)


def test_a_missing_peer_is_a_miss_that_names_it() -> None:
    found = report(measured(works.whole(4, 50), "shardgate", cpu_us=[1], per_s=1000))
    found.missing["KrakenD"] = "put it on the PATH"
    said = verdict(found, "KrakenD")
    assert not said.met
    assert "KrakenD is missing: put it on the PATH" in said.line()


def test_a_refused_upload_is_a_miss_that_says_so() -> None:
    down = Single(work=DOWN, peer="shardgate", unit="bytes", value=1024)
    up = Single(work=UP, peer="shardgate", unit="bytes", value=None, note="refused: 413 Content Too Large")
    said = verdict(report(singles=(down, up)), "1 GiB")
    assert not said.met
    assert "413" in said.line()


def test_the_worse_direction_counts() -> None:
    singles = tuple(
        Single(work=work, peer="shardgate", unit="bytes", value=size << 20) for work, size in ((DOWN, 1), (UP, 40))
    )
    assert verdict(report(singles=singles), "1 GiB").value == 40
