"""Workflows are pinned, may do little, and run nothing that a stranger writes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+")


def problems(text: str) -> Iterator[str]:
    """What is wrong in a workflow."""
    for line in re.findall(r"^.*\buses:.*$", text, re.MULTILINE):
        if not PINNED.fullmatch(line.strip().removeprefix("- ")):
            yield f"not pinned by commit, with its version in a comment: {line.strip()}"
    read: dict[Any, Any] = yaml.safe_load(text)
    triggers = read.get("on", read.get(True))  # YAML 1.1 reads `on` as true
    for trigger in ("pull_request_target", "workflow_run", "issue_comment"):
        if trigger in triggers:
            yield f"{trigger} runs with the rights of the repository what strangers write"
    if read.get("permissions") not in ({}, {"contents": "read"}):
        yield "the workflow does not say that it only reads"
    for name, job in read["jobs"].items():
        yield from (f"{name}: {problem}" for problem in _in_job(job))
        if "id-token" in str(job.get("permissions")) and "pull_request" in triggers:
            yield f"{name}: a pull request may sign in to AWS"
    if "concurrency" not in read:
        yield "two runs may be under way at the same time"
    yield from (f"no target of make: {name}" for name in _unknown_targets(text))


def _in_job(job: dict[str, Any]) -> Iterator[str]:
    rights = job.get("permissions") or {}
    # `id-token` writes nothing: the job gets a token that says which job of which repository it is.
    if not isinstance(rights, dict) or any(right == "write" and name != "id-token" for name, right in rights.items()):
        yield "it may write"
    if "timeout-minutes" not in job:
        yield "it may run for hours"
    for step in job["steps"]:
        if "actions/checkout@" in step.get("uses", "") and step.get("with", {}).get("persist-credentials") is not False:
            yield "the checkout leaves a token behind"
        if re.search(r"\$\{\{.*\b(?:github\.event|github\.head_ref|inputs)\b", step.get("run", "")):
            yield "a command contains what a stranger writes"


def _unknown_targets(text: str) -> list[str]:
    """What a workflow asks of make, and the Makefile does not have."""
    known = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    return sorted({name for name in re.findall(r"\bmake ([a-z][a-z0-9-]*)", text) if name not in known})


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_is_pinned_and_may_do_little(workflow: Path) -> None:
    assert list(problems(workflow.read_text())) == []


BAD = """
on: {pull_request_target: {}}
jobs:
  a:
    permissions: {contents: write}
    steps:
      - uses: actions/checkout@v4
      - run: echo ${{ github.event.issue.title }}
      - run: make no-such-thing
"""


def test_what_is_wrong_is_found() -> None:
    assert [problem.partition(": ")[0] for problem in problems(BAD)] == [
        "not pinned by commit, with its version in a comment",
        "pull_request_target runs with the rights of the repository what strangers write",
        "the workflow does not say that it only reads",
        *["a"] * 4,
        "two runs may be under way at the same time",
        "no target of make",
    ]


SIGNS_IN = """
on: {pull_request: {}}
permissions: {}
concurrency: x
jobs:
  a:
    timeout-minutes: 5
    permissions: {id-token: write}
    steps: []
"""


def test_no_pull_request_may_sign_in() -> None:
    assert list(problems(SIGNS_IN)) == ["a: a pull request may sign in to AWS"]
    assert list(problems(SIGNS_IN.replace("pull_request", "push"))) == []


def test_new_versions_of_actions_and_packages_are_proposed() -> None:
    config = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    assert {each["package-ecosystem"] for each in config["updates"]} == {"github-actions", "pip"}
