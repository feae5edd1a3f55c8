"""compose.yaml is read as `make compose-test` starts it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from proof.compose.composed import read

COMPOSED: dict[str, Any] = yaml.safe_load((Path(__file__).resolve().parents[2] / "deploy/compose.yaml").read_text())


def test_each_service_starts_after_those_that_it_needs() -> None:
    services = read(COMPOSED, {"BOOKINGS_SECRET": "s"})
    names = [each.name for each in services]
    assert sorted(names) == sorted(COMPOSED["services"])
    for number, service in enumerate(services):
        assert service.needs.keys() <= set(names[:number])
    assert names[-2:] == ["prometheus", "grafana"]


def test_variables_are_filled_in_and_one_without_a_value_is_an_error() -> None:
    prepare = {each.name: each for each in read(COMPOSED, {"BOOKINGS_SECRET": "s", "SCALE": "2"})}["prepare"]
    assert prepare.environment["SERVER"] == "postgresql://postgres:s@postgres:5432"
    assert prepare.environment["SCALE"] == "2"
    assert {each.name: each for each in read(COMPOSED, {"BOOKINGS_SECRET": "s"})}["prepare"].environment[
        "SCALE"
    ] == "0.1"
    with pytest.raises(KeyError, match="BOOKINGS_SECRET"):
        read(COMPOSED, {})


def test_what_a_service_may_do_is_kept() -> None:
    gateway = {each.name: each for each in read(COMPOSED, {"BOOKINGS_SECRET": "s"})}["gateway-1"]
    assert gateway.is_read_only
    assert gateway.options == ["--cap-drop=all", "--security-opt=no-new-privileges:true"]
    assert gateway.stop_s == 30
    assert set(gateway.needs.values()) == {"service_healthy"}


def test_services_that_wait_for_each_other_are_refused() -> None:
    circle = {"services": {"a": {"image": "x", "depends_on": ["b"]}, "b": {"image": "x", "depends_on": ["a"]}}}
    with pytest.raises(ValueError, match="a, b"):
        read(circle, {})
