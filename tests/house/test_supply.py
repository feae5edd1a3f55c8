"""The dependencies: locked with hashes, under licences that are listed, and audited without a false "ok"."""

import re
from pathlib import Path
from typing import Any

import pytest

from tools.supply.audit import NOT_AUDITED, VULNERABLE, Audited, best, judged, verdict
from tools.supply.licences import PAGE, is_permissive, licence
from tools.supply.packages import LOCK, ROOT, installed_gateway, is_installed, locked
from tools.supply.runtime import entries

LOCKS = sorted(ROOT.glob("requirements*.lock"))
LISTED = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE))
BASE, EXTRAS = installed_gateway()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda file: file.name)
def test_every_package_of_a_lock_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    with_hash = re.findall(r"^[A-Za-z0-9].*==.*\\\n[ \t]+--hash=sha256:[0-9a-f]{64}\b", text, re.MULTILINE)
    assert len(with_hash) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE)) > 10
    assert "://" not in text


def test_what_an_installed_gateway_needs_is_locked() -> None:
    assert locked() >= BASE | EXTRAS


def test_every_package_is_listed_with_its_licence() -> None:
    here = {name for name in locked() if is_installed(name)}
    assert {name: licence(name) for name in here} == {name: LISTED.get(name) for name in here}, "make licences"
    assert set(LISTED) - {"package", "---"} <= locked(), "make licences"


@pytest.mark.parametrize("name", sorted(BASE | EXTRAS))
def test_an_installed_gateway_is_under_permissive_licences(name: str) -> None:
    assert is_permissive(licence(name))


@pytest.mark.parametrize(
    ("expression", "permissive"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND AGPL-3.0-only", False),
        ("?", False),
    ],
)
def test_which_licences_are_permissive(expression: str, permissive: bool) -> None:
    assert is_permissive(expression) == permissive


def test_the_runtime_part_of_the_lock_keeps_its_hashes() -> None:
    part = "".join(entries(LOCK.read_text(), BASE))
    assert set(re.findall(r"^([a-z0-9-]+)==", part, re.MULTILINE)) == BASE
    assert part.count("--hash=sha256:") >= len(BASE)


def package(name: str, *vulnerabilities: str) -> dict[str, Any]:
    return {"name": name, "version": "1", "vulns": [{"id": each, "fix_versions": ["2"]} for each in vulnerabilities]}


SKIPPED = {"name": "uvloop", "skip_reason": "Dependency not found and could not be audited"}


@pytest.mark.parametrize(
    ("dependencies", "code", "said"),
    [
        ([package("a"), package("b")], 0, "2 packages, no known vulnerability"),
        ([package("a", "CVE-1")], VULNERABLE, "VULNERABLE: a==1: CVE-1, corrected in 2"),
        ([package("a"), SKIPPED], NOT_AUDITED, "NOT AUDITED: 1 packages could not be looked up"),
        ([package("a", "CVE-1"), SKIPPED], VULNERABLE, "VULNERABLE"),
        ([], NOT_AUDITED, "NOT AUDITED: no package at all"),
    ],
)
def test_an_audit_says_ok_only_of_what_was_looked_up(dependencies: list[Any], code: int, said: str) -> None:
    found, lines = verdict("x.lock", judged({"dependencies": dependencies}))
    assert found == code
    assert said in "\n".join(lines)
    assert ("no known vulnerability" in "\n".join(lines)) == (code == 0)


def test_what_one_database_knows_is_kept_where_another_is_not_reached() -> None:
    partial = judged({"dependencies": [package("a", "CVE-1"), SKIPPED]})
    assert best([partial, Audited([], [], ["osv: no address"])]) == partial
    assert best([partial, judged({"dependencies": [package("a"), package("b")]})]).vulnerable == partial.vulnerable


def test_a_database_that_is_not_reached_is_no_ok() -> None:
    code, lines = verdict("x.lock", Audited([], [], ["osv: no address"]))
    assert (code, "osv: no address" in lines[0]) == (NOT_AUDITED, True)
