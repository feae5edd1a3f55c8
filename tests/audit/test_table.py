"""Each rule of the audit finds what it is for, and nothing in a safe configuration."""

import re
from pathlib import Path

import pytest

from shardgate.audit.run import warnings_in
from shardgate.audit.table import RULES
from shardgate.audit.work import _LIMITS_MAX, _TIMEOUTS_S_MAX
from shardgate.core.limits import Limits, Timeouts
from shardgate.process.preflight import read
from tests.audit.cases import CASES

DEFAULTS = {**{f: getattr(Limits(), f) for f in _LIMITS_MAX}, **{f: getattr(Timeouts(), f) for f in _TIMEOUTS_S_MAX}}


def numbers(file: Path) -> list[str]:
    return [warning.rule.number for warning in warnings_in(read(file))]


def test_each_rule_has_a_case_and_a_number_of_its_own() -> None:
    assert [rule.number for rule in RULES] == sorted(CASES)
    assert all(re.fullmatch(r"SGA\d\d", rule.number) for rule in RULES)


@pytest.mark.parametrize("number", CASES)
def test_a_bad_configuration_is_warned_of_by_its_number_alone(number: str, tmp_path: Path) -> None:
    assert set(numbers(CASES[number].bad(tmp_path))) == {number}


@pytest.mark.parametrize("number", CASES)
def test_a_safe_configuration_is_not(number: str, tmp_path: Path) -> None:
    assert numbers(CASES[number].safe(tmp_path)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.number)
def test_each_rule_says_why_and_what_to_do(rule: object) -> None:
    assert rule.why.endswith(".")
    assert rule.cure
    assert rule.title[0].islower()


def test_no_default_is_warned_of() -> None:
    most = {**_LIMITS_MAX, **_TIMEOUTS_S_MAX}
    assert [name for name, value in DEFAULTS.items() if value > most[name]] == []
