"""Two revisions in one run: what is compared are pairs of rounds, so that a disturbance meets both."""

import pytest

from bench import works
from bench.against import HERE, THERE, chosen, main, print_ratios
from bench.results import Machine, Measured, Report
from bench.rig import Run


def run(cpu_us: float) -> Run:
    return Run(requests=1, per_s=1, cpu_us=cpu_us, cpu_share=1, first_p50_us=1, first_p99_us=1)


def test_a_disturbance_that_meets_both_leaves_the_ratio_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    machine = Machine(processor="", cores=2, memory_gib=1, kernel="", load_before=0)
    report = Report(date="", quick=False, machine=machine)
    for peer, factor in ((HERE, 0.9), (THERE, 1.0)):
        runs = [run(cpu_us * factor) for cpu_us in (20, 20, 80)]
        report.measured.append(Measured(work=works.RELAY, peer=peer, connections=32, runs=runs))

    assert print_ratios(report, "HEAD~1") == pytest.approx(0.9)
    assert "worst ratio 0.900" in capsys.readouterr().out


@pytest.mark.parametrize("rev", ["no-such-revision", "--upload-pack=x"])
def test_what_is_no_revision_is_refused_before_anything_is_built(rev: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["against", f"--rev={rev}"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code


def test_a_work_is_chosen_by_its_name() -> None:
    relay, page, whole = map(chosen, ("relay", "gather 16 x 50", works.whole(4, 50)))
    assert (relay.name, page.name, whole.name) == (works.RELAY, works.gather(16, 50), works.whole(4, 50))
    assert (page.shards, page.target) == (16, "/v3/events?made=50&order=name&limit=50")
    assert (whole.shards, whole.target) == (4, "/v3/events?made=50&order=name&limit=1000")
    with pytest.raises(ValueError, match="gather"):
        chosen("gather")
