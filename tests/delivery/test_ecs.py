"""A deployment of ECS is watched from its begin to its end, and taken back where it must be."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools.delivery.deployment import RefusedError
from tools.delivery.ecs import Ecs, Service, take_back
from tools.delivery.terraform import Terraform

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
