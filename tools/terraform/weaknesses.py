"""Asks checkov what is weak in the code."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final, NamedTuple

from tools.terraform.layout import VENV

_SKIP: Final = re.compile(r"#checkov:skip=(\w+):(.*)")


class Weaknesses(NamedTuple):
    """What checkov found."""

    passed: int
    failed: list[str]
    """A line for each check that failed: its number, the resource and what is wanted."""
    skipped: int
    """How often a check was left out; one comment may leave it out for several resources."""


def look(code: Path) -> Weaknesses:
    """Run all checks of checkov for Terraform. Nothing is asked of the network."""
    command = [str(VENV / "bin" / "checkov"), "-d", str(code), "--framework", "terraform"]
    command += ["--skip-download", "--compact", "--quiet", "--output", "json"]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return judged(json.loads(ran.stdout))


def judged(report: Any) -> Weaknesses:
    """The report of checkov, in JSON. Raises ValueError if not everything could be read."""
    if "summary" not in report or report["summary"]["parsing_errors"]:
        raise ValueError(f"checkov could not read the code: {report}")
    checks = report["results"]["failed_checks"]
    failed = [f"{each['check_id']} {each['resource']}: {each['check_name']}" for each in checks]
    summary = report["summary"]
    return Weaknesses(summary["passed"], sorted(set(failed)), summary["skipped"])


def exceptions(code: Path) -> dict[tuple[str, str], str]:
    """File and number of each check that a comment leaves out → the reason."""
    return {
        (str(file.relative_to(code)), number): reason.strip()
        for file in sorted(code.rglob("*.tf"))
        for number, reason in _SKIP.findall(file.read_text())
    }
