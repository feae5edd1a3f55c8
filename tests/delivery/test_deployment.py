"""Clients reach a new version only after all checks, and whatever goes wrong takes them back to the old one."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tools.delivery.deployment import Check, Deploying, Deployment, Plan, RefusedError, Stage
from tools.delivery.verdict import Bounds, Sample

GOOD = Sample(500, 0, 20)
PLAN = Plan(before_s=5, stages=(Stage(10, 10), Stage(100, 20)), bounds=Bounds(), poll_s=1)


@dataclass
class Steady:
    """Time that passes only where somebody waits."""

    instant: float = 0

    def now(self) -> float:
        return self.instant

    def wait(self, seconds: float) -> None:
        self.instant += seconds


@dataclass
class Recorded:
    """A production that notes what it is told. `at` gives what the new set looks like at a share of the clients."""

    clock: Steady
    at: dict[int, Sample] = field(default_factory=dict)
    old: Sample = GOOD
    starts: bool = True
    shift_fails_at: int = -1
    keep_fails: Exception | None = None
    did: list[str] = field(default_factory=list)
    percent: int = 0

    def start(self, version: str) -> str:
        self.did.append(f"start {version}")
        if not self.starts:
            raise RefusedError("it ended")
        return "http://new"

    def shift(self, percent: int) -> None:
        self.did.append(f"shift {percent}")
        if percent == self.shift_fails_at:
            raise ConnectionError("the balancer is gone")
        self.percent = percent

    def seen(self, since: float) -> tuple[Sample, Sample]:
        return self.old if self.percent < 100 else Sample(0, 0, 0), self.at.get(self.percent, GOOD)

    def keep(self) -> None:
        self.did.append("keep")
        if self.keep_fails is not None:
            raise self.keep_fails

    def roll_back(self) -> None:
        self.clock.wait(3)
        self.did.append("roll back")


def passes(url: str) -> str:
    return f"{url} is fine"


def deploy(production: Recorded, *checks: Check) -> Deployment:
    return Deploying(production, "b", checks, PLAN, production.clock, production.did.append).run()


@pytest.fixture
def production() -> Iterator[Recorded]:
    return Recorded(Steady())


def told(production: Recorded) -> list[str]:
    """What production was told, without what was said to the operator."""
    return [line for line in production.did if line.split()[0] in {"start", "shift", "keep", "roll"}]


def test_a_good_version_gets_the_clients_in_steps_and_is_kept(production: Recorded) -> None:
    deployment = deploy(production, Check("smoke", passes))
    assert told(production) == ["start b", "shift 10", "shift 100", "keep"]
    assert (deployment.kept, deployment.percent, deployment.found_s) == (True, 100, 35)
    assert "smoke: http://new is fine" in production.did


def test_a_version_that_does_not_start_is_ended_and_got_no_client(production: Recorded) -> None:
    production.starts = False
    deployment = deploy(production)
    assert told(production) == ["start b", "roll back"]
    assert (deployment.kept, deployment.step, deployment.reason, deployment.percent) == (False, "start", "it ended", 0)
    assert deployment.rolled_back_s == 3


def test_a_version_that_fails_a_check_got_no_client(production: Recorded) -> None:
    def refuses(url: str) -> str:
        raise RefusedError("/events: 500")

    deployment = deploy(production, Check("smoke", passes), Check("API tests", refuses), Check("load", passes))
    assert told(production) == ["start b", "roll back"]
    assert (deployment.step, deployment.reason, deployment.percent) == ("API tests", "/events: 500", 0)


@pytest.mark.parametrize(("percent", "shifts"), [(10, ["shift 10"]), (100, ["shift 10", "shift 100"])])
def test_a_version_that_fails_under_clients_alone_is_found_by_the_watch(
    production: Recorded, percent: int, shifts: list[str]
) -> None:
    production.at[percent] = Sample(40, 5, 20)
    deployment = deploy(production, Check("smoke", passes))
    assert told(production) == ["start b", *shifts, "roll back"]
    assert (deployment.kept, deployment.step, deployment.percent) == (False, f"watch at {percent} %", percent)
    assert deployment.reason == "5 of 40 requests failed, 1.0% may"


def test_a_version_that_is_slow_under_clients_alone_is_found_at_the_end_of_the_stage(production: Recorded) -> None:
    production.at[10] = Sample(500, 0, 300)
    deployment = deploy(production)
    assert (deployment.step, deployment.found_s) == ("watch at 10 %", 15)


def test_a_load_on_the_new_version_is_judged_by_what_the_balancer_saw(production: Recorded) -> None:
    production.at[0] = Sample(500, 0, 300)
    load = Check("load", passes, is_judged=True)
    assert deploy(production, load).step == "load"
    production.old = Sample(500, 0, 290)  # the machine is busy, and the old version is as slow
    production.at[10] = production.at[100] = Sample(500, 0, 310)
    assert deploy(production, load).kept


def test_a_version_without_clients_is_not_kept(production: Recorded) -> None:
    production.at[100] = Sample(0, 0, 0)
    deployment = deploy(production)
    assert deployment.reason == "only 0 requests to the new version, 100 are needed to judge"
    assert deployment.found_s == 5 + 10 + 4 * 20  # it was watched for longer


@pytest.mark.parametrize("percent", [10, 100])
def test_where_the_deployment_itself_fails_the_old_version_serves(production: Recorded, percent: int) -> None:
    production.shift_fails_at = percent
    with pytest.raises(ConnectionError):
        deploy(production)
    assert told(production)[-1] == "roll back"


def test_a_version_that_somebody_else_took_back_after_the_watch_is_not_kept(production: Recorded) -> None:
    production.keep_fails = RefusedError("an alarm went off")
    assert deploy(production).line().startswith("b: rolled back at 'keep': an alarm went off")


def test_where_the_old_version_cannot_be_ended_the_new_one_goes_on_serving(production: Recorded) -> None:
    production.keep_fails = ConnectionError("the balancer is gone")
    with pytest.raises(ConnectionError):
        deploy(production)
    assert told(production)[-1] == "keep"


def test_where_a_person_interrupts_it_the_old_version_serves(production: Recorded) -> None:
    def interrupted(url: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deploy(production, Check("smoke", interrupted))
    assert told(production) == ["start b", "roll back"]


def test_a_deployment_is_told_in_a_line(production: Recorded) -> None:
    assert deploy(production).line() == "b: kept after 35.0 s: 500 requests, 0 failed, p90 20 ms, the old version 20 ms"
    production.starts = False
    assert deploy(production).line() == (
        "b: rolled back at 'start': it ended; found after 5.0 s, rolled back in 3.0 s; it had 0 % of the clients"
    )
