"""Looks up known vulnerabilities of all packages in lock files, by pip-audit.

    python -m tools.supply.audit requirements.lock …

Exit codes: 0, every package was looked up and none is known to be vulnerable; 1, some are; 3, some could not be looked
up, because no database of advisories was reached.

Holds: "ok" is said only of packages that were looked up. pip-audit itself skips the others and exits with 0.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

SERVICES: Final = ("pypi", "osv")
"""Databases of advisories, tried in this order."""
VULNERABLE, NOT_AUDITED = 1, 3
_TIMEOUT_S = 300


class Audited(NamedTuple):
    """What a database said of one lock file."""

    known: list[str]
    """Packages that were looked up, `name==version`."""
    vulnerable: list[str]
    """A line for each known vulnerability."""
    skipped: list[str]
    """Packages that could not be looked up, each with the reason."""


def judged(report: dict[str, Any]) -> Audited:
    """The report of pip-audit, in JSON."""
    audited = Audited([], [], [])
    for each in report["dependencies"]:
        if (reason := each.get("skip_reason")) is not None:
            audited.skipped.append(f"{each['name']}: {reason}")
            continue
        audited.known.append(f"{each['name']}=={each['version']}")
        for found in each["vulns"]:
            fixed = ", ".join(found.get("fix_versions", ())) or "none yet"
            audited.vulnerable.append(f"{audited.known[-1]}: {found['id']}, corrected in {fixed}")
    return audited


def verdict(lock: str, audited: Audited) -> tuple[int, list[str]]:
    """The exit code for one lock file, and what to say of it."""
    lines = [f"audit: {lock}: VULNERABLE: {line}" for line in audited.vulnerable]
    has_gap = bool(audited.skipped) or not audited.known
    if has_gap:
        count = f"{len(audited.skipped)} packages" if audited.skipped else "no package at all"
        first = f", the first: {audited.skipped[0]}" if audited.skipped else ""
        lines.append(f"audit: {lock}: NOT AUDITED: {count} could not be looked up{first}")
    if not lines:
        lines.append(f"audit: {lock}: {len(audited.known)} packages, no known vulnerability")
    code = NOT_AUDITED if has_gap else 0
    return VULNERABLE if audited.vulnerable else code, lines


def ask(lock: Path) -> Audited:
    """Ask the databases about a lock file, one after the other, until one knows all of its packages."""
    answers: list[Audited] = []
    for service in SERVICES:
        answers.append(_ask(lock, service))
        if answers[-1].known and not answers[-1].skipped:
            break
    return best(answers)


def best(answers: Sequence[Audited]) -> Audited:
    """The answer that knows the most packages, with the vulnerabilities that any of them knows."""
    most = max(answers, key=lambda answer: (len(answer.known), len(answer.skipped)))
    vulnerable = dict.fromkeys(line for answer in answers for line in answer.vulnerable)
    return most._replace(vulnerable=[*vulnerable])


def _ask(lock: Path, service: str) -> Audited:
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "--vulnerability-service", service, "-r", str(lock)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return Audited([], [], [f"{service}: no answer within {_TIMEOUT_S} s"])
    try:
        return judged(json.loads(done.stdout))
    except ValueError:
        said = done.stderr.strip().splitlines() or ["pip-audit said nothing"]
        return Audited([], [], [f"{service}: {said[-1]}"])


def main(locks: Sequence[str]) -> int:
    """Audit all lock files; the worst of their exit codes, a vulnerability before a gap."""
    codes = set()
    for lock in locks:
        code, lines = verdict(lock, ask(Path(lock)))
        codes.add(code)
        print("\n".join(lines), file=sys.stderr if code else sys.stdout)
    if VULNERABLE in codes:
        return VULNERABLE
    return max(codes, default=NOT_AUDITED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
