"""A deployment of ECS is watched from its begin to its end, and taken back where it must be."""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools.delivery.__main__ import SETTLE_S, _plan
from tools.delivery.aws import AwsError
from tools.delivery.deployment import Deploying, Plan, RefusedError
from tools.delivery.ecs import Ecs, Service, take_back
from tools.delivery.terraform import Terraform, TerraformError

ROOT = Path(__file__).resolve().parents[2]
SERVICE = Service("shardgate-production", "gateway", "https://api.example.com")
IMAGE = "registry/shardgate@sha256:0"


@dataclass
class Steady:
    """Time that passes only where somebody waits."""

    instant: float = 0

    def now(self) -> float:
        return self.instant

    def wait(self, seconds: float) -> None:
        self.instant += seconds


@dataclass
class Account:
    """An account of AWS with one service, as its command line answers. Each time, a deployment has the next state."""

    states: list[tuple[str, str]]
    """Status and stage; the last one stays."""
    newest: str = "deployment-1"
    asked: list[tuple[str, ...]] = field(default_factory=list)
    stopped: bool = False
    is_begun: bool = False
    """Whether Terraform has begun a deployment; it has after the first look."""

    def __call__(self, *arguments: str) -> Any:
        self.asked.append(arguments)
        answer: Callable[[tuple[str, ...]], Any] = getattr(self, arguments[1].replace("-", "_"))
        return answer(arguments[2:])

    def list_service_deployments(self, _: tuple[str, ...]) -> Any:
        listed = [{"serviceDeploymentArn": "deployment-0", "createdAt": "2026-01-01"}]
        if self.is_begun:
            listed.append({"serviceDeploymentArn": self.newest, "createdAt": "2026-01-02"})
        self.is_begun = True
        return {"serviceDeployments": listed}

    def describe_service_deployments(self, _: tuple[str, ...]) -> Any:
        status, stage = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if self.stopped:
            status, self.stopped = "ROLLBACK_IN_PROGRESS", False
            self.states = [("ROLLBACK_SUCCESSFUL", stage)]
        revisions = {"sourceServiceRevisions": [{"arn": "old"}], "targetServiceRevision": {"arn": "new"}}
        return {"serviceDeployments": [{"status": status, "lifecycleStage": stage, "statusReason": "why", **revisions}]}

    def stop_service_deployment(self, arguments: tuple[str, ...]) -> Any:
        assert arguments == (f"--service-deployment-arn={self.newest}", "--stop-type=ROLLBACK")
        self.stopped = True

    def describe_service_revisions(self, arguments: tuple[str, ...]) -> Any:
        group = arguments[0].partition("=")[2]
        return {"serviceRevisions": [{"resolvedConfiguration": {"loadBalancers": [{"targetGroupArn": group}]}}]}

    def describe_target_groups(self, _: tuple[str, ...]) -> Any:
        return {"TargetGroups": [{"LoadBalancerArns": ["loadbalancer/app/x/1"]}]}

    def describe_services(self, _: tuple[str, ...]) -> Any:
        return {"services": [{"currentServiceRevisions": [{"arn": "old"}]}]}

    def get_metric_data(self, arguments: tuple[str, ...]) -> Any:
        requests = 7 if '"new"' in arguments[-1] else 400
        return {"MetricDataResults": [{"Id": "requests", "Timestamps": ["m1"], "Values": [requests]}]}


class Applied(Terraform):
    """Terraform whose apply has ended."""

    def applying(self, image: str, log: Path) -> "subprocess.Popen[bytes]":
        log.write_text(f"applied {image}")
        ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
        ended.wait()
        return ended


def ecs(account: Account, folder: Path) -> Ecs:
    return Ecs(SERVICE, Applied("production"), account, Steady(), folder / "terraform.log")


STARTING = [("PENDING", "RECONCILE_SERVICE"), ("IN_PROGRESS", "SCALE_UP"), ("IN_PROGRESS", "PRODUCTION_TRAFFIC_SHIFT")]


def test_it_is_started_when_the_new_tasks_have_the_clients(tmp_path: Path) -> None:
    production = ecs(Account([*STARTING, ("IN_PROGRESS", "BAKE_TIME")]), tmp_path)
    assert production.seen(0)[0].requests == 400
    assert production.start(IMAGE) == SERVICE.url
    assert [sample.requests for sample in production.seen(0)] == [400, 7]


@pytest.mark.parametrize("status", ["ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "STOPPED"])
def test_tasks_that_do_not_start_are_taken_back_by_ecs_and_that_is_said(tmp_path: Path, status: str) -> None:
    production = ecs(Account([*STARTING[:2], (status, "SCALE_UP"), ("ROLLBACK_SUCCESSFUL", "SCALE_UP")]), tmp_path)
    with pytest.raises(RefusedError, match=f"ECS: {status}: why"):
        production.start(IMAGE)
    production.roll_back()


def test_a_rollback_is_over_when_ecs_says_so(tmp_path: Path) -> None:
    account = Account([("IN_PROGRESS", "BAKE_TIME")])
    production = ecs(account, tmp_path)
    production.start(IMAGE)
    production.roll_back()
    assert account.states == [("ROLLBACK_SUCCESSFUL", "BAKE_TIME")]
    assert [each[1] for each in account.asked].count("stop-service-deployment") == 1


@pytest.mark.parametrize("status", ["SUCCESSFUL", "ROLLBACK_FAILED", "STOPPED"])
def test_what_ecs_did_not_take_back_is_never_called_rolled_back(tmp_path: Path, status: str) -> None:
    """The bake time was over before the watch was."""
    account = Account([("IN_PROGRESS", "BAKE_TIME"), (status, "CLEAN_UP")])
    deploying = Deploying(ecs(account, tmp_path), IMAGE, (), plan_of(15, watch_s=60), Steady(), lambda _: None)
    with pytest.raises(AwsError, match=f"NOT ROLLED BACK: ECS ended deployment-1 as {status}"):
        deploying.run()


def plan_of(bake_time_minutes: float | None, watch_s: float) -> Plan:
    given = argparse.Namespace(before_s=1.0, watch_s=watch_s, requests_min=100)
    return _plan(given, bake_time_minutes)


@pytest.mark.parametrize("watch_s", [60.0, 300.0, 600.0, 780.0])
def test_the_watch_ends_before_the_old_tasks_do(watch_s: float) -> None:
    (stage,) = plan_of(15, watch_s).stages
    assert stage.seconds <= stage.seconds * stage.longer <= 15 * 60 - SETTLE_S


def test_a_watch_that_ends_too_late_and_a_deployment_without_one_are_refused() -> None:
    with pytest.raises(TerraformError, match="choose a bake_time_minutes of 12 or more"):
        plan_of(10, 600)
    with pytest.raises(TerraformError, match="blue_green"):
        plan_of(None, 600)


def test_production_has_a_bake_time_that_the_pipeline_can_watch() -> None:
    text = (ROOT / "deploy/terraform/environments/production.tfvars").read_text()
    (minutes,) = re.findall(r"^bake_time_minutes += (\d+)", text, re.MULTILINE)
    assert plan_of(int(minutes), 600).stages[0].longer >= 1


def test_a_deployment_is_kept_when_ecs_has_ended_it(tmp_path: Path) -> None:
    production = ecs(
        Account([("IN_PROGRESS", "BAKE_TIME"), ("IN_PROGRESS", "CLEAN_UP"), ("SUCCESSFUL", "CLEAN_UP")]), tmp_path
    )
    production.start(IMAGE)
    production.keep()


def test_an_alarm_after_the_watch_is_no_success(tmp_path: Path) -> None:
    production = ecs(Account([("IN_PROGRESS", "BAKE_TIME"), ("ROLLBACK_SUCCESSFUL", "BAKE_TIME")]), tmp_path)
    production.start(IMAGE)
    with pytest.raises(RefusedError, match="ROLLBACK_SUCCESSFUL after the watch"):
        production.keep()


def test_where_terraform_fails_ecs_has_nothing_to_take_back(tmp_path: Path) -> None:
    account = Account([("SUCCESSFUL", "CLEAN_UP")], newest="deployment-0")
    production = ecs(account, tmp_path)
    with pytest.raises(RefusedError, match="terraform ended with 1 before ECS began: applied registry"):
        production.start(IMAGE)
    production.roll_back()
    assert "stop-service-deployment" not in {each[1] for each in account.asked}


def test_a_person_takes_back_what_is_under_way_and_nothing_else() -> None:
    account = Account([("IN_PROGRESS", "BAKE_TIME")], is_begun=True)
    assert take_back(SERVICE, account, Steady()) == "deployment-1: ROLLBACK_SUCCESSFUL"
    account = Account([("SUCCESSFUL", "CLEAN_UP")], is_begun=True)
    assert take_back(SERVICE, account, Steady()) == "deployment-1: SUCCESSFUL"
    assert "stop-service-deployment" not in {each[1] for each in account.asked}
