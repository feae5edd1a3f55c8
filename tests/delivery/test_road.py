"""The workflow walks the road of the table: each step, in its order, as a target of make that exists."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from tools.delivery.road import ROAD, targets

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "delivery.yml").read_text())
BESIDE = {"workflows", "take-back"}
"""Targets that the workflow runs and that no step of the road is."""


def ran() -> list[str]:
    """The targets that the workflow runs, job after job."""
    steps = (step for job in WORKFLOW["jobs"].values() for step in job["steps"])
    found = (re.match(r"make ([a-z-]+)", step.get("run", "")) for step in steps)
    return [match[1] for match in found if match and match[1] not in BESIDE]


def test_the_workflow_walks_the_road() -> None:
    assert ran() == targets()


def test_every_step_is_a_target_and_says_what_it_decides() -> None:
    known = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(targets()) - known <= {"api-tests"}
    assert all(step.decides for step in ROAD)


def test_a_job_waits_for_the_one_before() -> None:
    jobs = list(WORKFLOW["jobs"])
    for before, name in pairwise(jobs):
        needs = WORKFLOW["jobs"][name]["needs"]
        assert before in ([needs] if isinstance(needs, str) else needs)


def test_what_is_deployed_is_what_was_scanned() -> None:
    for name in ("staging", "production"):
        assert WORKFLOW["jobs"][name]["env"]["IMAGE"] == "${{ needs.image.outputs.image }}"


def test_the_tasks_keep_the_right_to_pull() -> None:
    """A person applies an environment with the key of the images: the pipeline applies the same variables."""
    for name in ("staging", "production"):
        assert WORKFLOW["jobs"][name]["env"]["TF_VAR_pull_key_arns"] == "${{ vars.PULL_KEY_ARNS }}"


def test_a_deployment_under_way_is_never_left() -> None:
    assert WORKFLOW["concurrency"] == {"group": "delivery", "cancel-in-progress": False}
    last = WORKFLOW["jobs"]["production"]["steps"][-1]
    assert (last["if"], last["run"]) == ("cancelled()", "make take-back ENVIRONMENT=production")


def test_a_job_may_act_for_as_long_as_it_asks_for() -> None:
    """AWS refuses a session that is longer than the role's."""
    account = (ROOT / "deploy/terraform/roots/account/main.tf").read_text()
    (minutes,) = re.findall(r"session_minutes += (\d+)", account)
    steps = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    asked = [
        step["with"].get("role-duration-seconds", 3600) for step in steps if "role-to-assume" in step.get("with", {})
    ]
    assert len(asked) == 3
    assert max(asked) <= int(minutes) * 60


def test_only_jobs_of_an_environment_may_sign_in() -> None:
    for job in WORKFLOW["jobs"].values():
        assert ("id-token" in job.get("permissions", {})) == ("environment" in job)
