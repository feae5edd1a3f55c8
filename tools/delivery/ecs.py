"""Production on AWS: a service of ECS that deploys by blue/green, driven by Terraform and watched from here.

ECS itself starts the new tasks, asks whether they are ready, and moves the clients. It takes a deployment back whose
tasks do not start, or during which an alarm goes off. What is decided here comes on top: while both sets run, the new
one is compared with the old one, and the deployment is told to go back.

*Holds:* a deployment that is refused is over, and the old version serves, when `roll_back` returns.
"""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from tools.delivery import metrics
from tools.delivery.aws import Aws, AwsError
from tools.delivery.deployment import Clock, RefusedError
from tools.delivery.terraform import Terraform
from tools.delivery.verdict import Sample

POLL_S = 10.0
APPEARS_S = 600.0
"""Terraform refreshes and registers before ECS begins."""
OVER_S = 3600.0
MOVED: Final = frozenset({"POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"})
"""The stages of a deployment in which the new set has the clients."""
UNDER_WAY: Final = frozenset({"PENDING", "IN_PROGRESS"})
BACK: Final = "ROLLBACK_SUCCESSFUL"
GOING_BACK: Final = frozenset({"STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})


class Service(msgspec.Struct, frozen=True):
    """A service of ECS."""

    cluster: str
    name: str
    url: str
    """Where clients reach it."""

    @property
    def words(self) -> Sequence[str]:
        """As the AWS command line wants it."""
        return (f"--cluster={self.cluster}", f"--service={self.name}")


class Groups(msgspec.Struct, frozen=True):
    """The target groups of both sets."""

    load_balancer: str
    old: str
    new: str


class Watched:
    """The deployments of a service, as ECS tells of them."""

    def __init__(self, service: Service, aws: Aws, clock: Clock) -> None:
        self._service = service
        self._aws = aws
        self._clock = clock

    def newest(self) -> str:
        """The ARN of the service's last deployment; empty where there was none."""
        listed = self._aws("ecs", "list-service-deployments", *self._service.words)["serviceDeployments"]
        return str(max(listed, key=lambda each: str(each["createdAt"]))["serviceDeploymentArn"]) if listed else ""

    def described(self, deployment: str) -> dict[str, Any]:
        """All that ECS knows of it."""
        answer = self._aws("ecs", "describe-service-deployments", f"--service-deployment-arns={deployment}")
        found: dict[str, Any] = answer["serviceDeployments"][0]
        return found

    def stop(self, deployment: str) -> None:
        """Tell ECS to go back, where the deployment is not over."""
        if self.described(deployment)["status"] in UNDER_WAY:
            arn = f"--service-deployment-arn={deployment}"
            self._aws("ecs", "stop-service-deployment", arn, "--stop-type=ROLLBACK")

    def ended(self, deployment: str) -> str:
        """Wait until it is over, or its rollback. Returns its status. Raises RefusedError where it takes too long."""
        deadline_at = self._clock.now() + OVER_S
        while self._clock.now() < deadline_at:
            status = str(self.described(deployment)["status"])
            if status not in UNDER_WAY | GOING_BACK:
                return status
            self._clock.wait(POLL_S)
        raise RefusedError(f"ECS was not done within {OVER_S:g} s")


def take_back(service: Service, aws: Aws, clock: Clock) -> str:
    """By hand: take back the deployment that is under way. Returns what became of it."""
    watched = Watched(service, aws, clock)
    if not (newest := watched.newest()):
        return "there was no deployment"
    watched.stop(newest)
    return f"{newest}: {watched.ended(newest)}"


class Ecs:
    """One deployment of the service; `start` comes first."""

    def __init__(self, service: Service, terraform: Terraform, aws: Aws, clock: Clock, log: Path) -> None:
        self._service = service
        self._watched = Watched(service, aws, clock)
        self._terraform = terraform
        self._aws = aws
        self._clock = clock
        self._log = log
        self._applying: subprocess.Popen[bytes] | None = None
        self._deployment = ""
        self._groups: Groups | None = None

    def start(self, version: str) -> str:
        """Apply the new image, and wait until ECS has moved the clients."""
        before = self._watched.newest()
        self._applying = self._terraform.applying(version, self._log)
        self._deployment = self._appeared(before)
        deadline_at = self._clock.now() + OVER_S
        while self._clock.now() < deadline_at:
            found = self._watched.described(self._deployment)
            if found["status"] not in UNDER_WAY:
                raise RefusedError(f"ECS: {found['status']}: {found.get('statusReason', 'no reason given')}")
            if found.get("lifecycleStage") in MOVED:
                self._groups = self._found_groups(found)
                return self._service.url
            self._clock.wait(POLL_S)
        raise RefusedError(f"ECS did not move the clients within {OVER_S:g} s")

    def shift(self, percent: int) -> None:
        """ECS has done it."""

    def seen(self, since: float) -> tuple[Sample, Sample]:
        """By CloudWatch, whose figures are a minute or two old. Before `start` all clients are the old version's."""
        if self._groups is None:
            lone = self._alone()
            return self._sample(lone, lone.old, since), Sample(0, 0, 0.0)
        return self._sample(self._groups, self._groups.old, since), self._sample(self._groups, self._groups.new, since)

    def keep(self) -> None:
        """Wait until the bake time is over and ECS has ended the old tasks."""
        if (status := self._ended()) != "SUCCESSFUL":
            raise RefusedError(f"ECS: {status} after the watch")

    def roll_back(self) -> None:
        """Tell ECS to go back, and wait until it has. Raises AwsError where it has not: the old tasks may be gone."""
        if self._deployment:
            self._watched.stop(self._deployment)
            if (status := self._ended()) != BACK:
                raise AwsError(f"NOT ROLLED BACK: ECS ended {self._deployment} as {status}; deploy the version before")

    def _ended(self) -> str:
        status = self._watched.ended(self._deployment)
        if self._applying is not None:
            self._applying.wait(OVER_S)
        return status

    def _appeared(self, before: str) -> str:
        deadline_at = self._clock.now() + APPEARS_S
        while self._clock.now() < deadline_at:
            if (newest := self._watched.newest()) != before:
                return newest
            if self._applying is not None and (code := self._applying.poll()) is not None:
                raise RefusedError(f"terraform ended with {code} before ECS began: {_end_of(self._log)}")
            self._clock.wait(POLL_S)
        raise RefusedError(f"ECS began no deployment within {APPEARS_S:g} s")

    def _found_groups(self, deployment: dict[str, Any]) -> Groups:
        old, new = deployment["sourceServiceRevisions"][0]["arn"], deployment["targetServiceRevision"]["arn"]
        return Groups(self._balancer_of(self._group_of(new)), self._group_of(old), self._group_of(new))

    def _group_of(self, revision: str) -> str:
        """The target group that ECS chose for a revision of the service."""
        answer = self._aws("ecs", "describe-service-revisions", f"--service-revision-arns={revision}")
        balancers = answer["serviceRevisions"][0]["resolvedConfiguration"]["loadBalancers"]
        return str(balancers[0]["targetGroupArn"])

    def _balancer_of(self, group: str) -> str:
        answer = self._aws("elbv2", "describe-target-groups", f"--target-group-arns={group}")
        return str(answer["TargetGroups"][0]["LoadBalancerArns"][0])

    def _alone(self) -> Groups:
        """The set that serves while nothing is deployed."""
        words = (f"--cluster={self._service.cluster}", f"--services={self._service.name}")
        deployments = self._aws("ecs", "describe-services", *words)["services"][0]["currentServiceRevisions"]
        group = self._group_of(deployments[0]["arn"])
        return Groups(self._balancer_of(group), group, group)

    def _sample(self, groups: Groups, group: str, since: float) -> Sample:
        until = datetime.now(UTC)
        began = until - timedelta(seconds=self._clock.now() - since)
        return metrics.sample(self._aws(*metrics.question(groups.load_balancer, group, began, until)))


def _end_of(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
