"""Whether a run may begin, and how: decided from what is in the targets, without a database."""

from shardgate.split.database.mark import FINISHED, MARK, TargetMark
from shardgate.split.decide.start import SplitStart, TargetContents, TargetStep, decide_start
from shardgate.split.request import StartMode

EMPTY = TargetContents("north", "n.db")
FOREIGN = TargetContents("north", "n.db", names=("users", "roles"))


def ours(*, run: str = "r1", plan: str = "p1", state: str = "copying", extra: str = "") -> TargetContents:
    marker = TargetMark(run, plan, "north", state, objects=("vendors",))  # type: ignore[arg-type]
    names = (MARK, FINISHED, "vendors", *extra.split())
    return TargetContents("north", "n.db", names, marker)


def decide(*targets: TargetContents, mode: StartMode = StartMode.NEW, written: bool = False) -> SplitStart:
    return decide_start(targets, mode, fingerprint="p1", directory_written=written)


def test_empty_targets_are_made() -> None:
    assert decide(EMPTY, EMPTY).steps == (TargetStep.MAKE, TargetStep.MAKE)


def test_a_target_that_is_not_empty_is_refused_in_every_mode() -> None:
    for mode in StartMode:
        (refusal,) = decide(FOREIGN, mode=mode).refusals
        assert "north (n.db): is not empty, it has roles, users" in refusal


def test_an_unfinished_split_explains_the_two_ways_on() -> None:
    refusals = decide(ours(), EMPTY).refusals
    assert "holds an unfinished split and must not be used" in refusals[0]
    assert "--resume to continue" in refusals[1]
    assert "--restart to delete" in refusals[1]


def test_resume_keeps_what_is_there_and_makes_the_rest() -> None:
    start = decide(ours(), EMPTY, mode=StartMode.RESUME)
    assert start.steps == (TargetStep.KEEP, TargetStep.MAKE)
    assert start.run == "r1"


def test_resume_of_nothing_begins() -> None:
    assert decide(EMPTY, EMPTY, mode=StartMode.RESUME).steps == (TargetStep.MAKE, TargetStep.MAKE)


def test_resume_refuses_another_plan() -> None:
    (refusal,) = decide(ours(plan="other"), mode=StartMode.RESUME).refusals
    assert "options were different, or the source has changed" in refusal
    assert "--restart" in refusal


def test_resume_refuses_targets_of_two_runs() -> None:
    (refusal,) = decide(ours(run="a"), ours(run="b"), mode=StartMode.RESUME).refusals
    assert "different runs" in refusal


def test_restart_erases_only_what_is_ours() -> None:
    start = decide(ours(plan="other"), EMPTY, mode=StartMode.RESTART)
    assert start.steps == (TargetStep.ERASE, TargetStep.MAKE)
    assert start.run is None


def test_restart_refuses_a_target_where_somebody_added_a_table() -> None:
    (refusal,) = decide(ours(extra="backup"), mode=StartMode.RESTART).refusals
    assert "but also backup, which the split did not make" in refusal


def test_a_verified_split_is_only_finished() -> None:
    start = decide(ours(state="done"), FOREIGN, mode=StartMode.RESUME, written=True)
    assert start.verified
    assert start.refusals == ()


def test_a_verified_split_of_another_plan_gets_no_directory() -> None:
    assert decide(ours(state="done", plan="other"), mode=StartMode.RESUME).refusals
