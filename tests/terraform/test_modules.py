"""Each module of Terraform is documented, has an example, and is tested; and what it says of the gateway is so."""

import re
from pathlib import Path

import msgspec
import pytest

from shardgate.core.limits import Timeouts
from shardgate.observe.log_line import Line
from tools.docs.headings import anchors_in
from tools.terraform.code import declared
from tools.terraform.costs import SIZES, parts
from tools.terraform.layout import CODE, ENVIRONMENTS, MODULES, ROOTS, modules
from tools.terraform.readme import PAGE, described, with_costs, written
from tools.terraform.weaknesses import exceptions

TESTS = ("defaults", "extremes", "mistakes")
GIVEN_BY_OTHERS = {"log_group_name", "log_bucket", "load_balancer_arn_suffix", "cluster_name", "service_name"}
GIVEN_BY_OTHERS |= {"load_balancer_arn", "load_balancer_dns_name", "load_balancer_zone_id", "database_identifier"}
"""Outputs of other modules, whose form is AWS's: there is nothing that a person could get wrong."""


@pytest.mark.parametrize("name", modules())
def test_a_module_has_readme_example_and_tests(name: str) -> None:
    folder = MODULES / name
    assert (folder / "README.md").exists()
    assert 'source = "../.."' in re.sub(" +", " ", (folder / "examples/basic/main.tf").read_text())
    for kind in TESTS:
        assert 'run "' in (folder / "tests" / f"{kind}.tftest.hcl").read_text(), kind


@pytest.mark.parametrize("folder", described(), ids=lambda folder: folder.name)
def test_the_tables_of_a_readme_are_its_variables_and_outputs(folder: Path) -> None:
    assert (folder / "README.md").read_text() == written(folder), "make terraform-docs"
    named = [*declared(folder, "variable"), *declared(folder, "output")]
    assert [each.name for each in named if not each.description.endswith(".")] == []


@pytest.mark.parametrize("name", modules())
def test_each_variable_is_validated_and_each_validation_has_a_mistake(name: str) -> None:
    variables = declared(MODULES / name, "variable")
    free = {each.name for each in variables if not each.validated and each.type != "bool"}
    assert free <= GIVEN_BY_OTHERS | {"rollback_alarm_names"}
    mistakes = (MODULES / name / "tests" / "mistakes.tftest.hcl").read_text()
    caught = set(re.findall(r"expect_failures = \[var\.(\w+)\]", mistakes))
    assert {each.name for each in variables if each.validated} - caught == set()


def test_every_exception_of_checkov_has_a_reason() -> None:
    assert exceptions(CODE)
    assert [place for place, reason in exceptions(CODE).items() if len(reason) < 20] == []


def test_the_environments_differ_in_variables_alone() -> None:
    assert sorted(each.name for each in (CODE / "roots").iterdir()) == sorted(ROOTS)
    known = {each.name for each in declared(CODE / "roots" / "environment", "variable")}
    for name in ENVIRONMENTS:
        text = (CODE / "environments" / f"{name}.tfvars").read_text()
        assert set(re.findall(r"^(\w+) +=", text, re.MULTILINE)) <= known
        assert "use_lockfile = true" in (CODE / "environments" / f"{name}.s3.tfbackend").read_text()


# What a module's variable is called in an environment, where it has another name there.
RENAMED = {"instance_class": "database_instance_class", "target_p90_s": "p90_s", "environment": "gateway_environment"}
OF_THE_MODULE_ALONE = {"name", "kms_key_arn", "secrets"}
"""An environment has other things by these names."""


@pytest.mark.parametrize("name", modules())
def test_what_an_environment_repeats_of_a_module_is_the_same(name: str) -> None:
    """A default that is written twice is the same twice, and so is a type."""
    whole = {each.name: each for each in declared(CODE / "roots" / "environment", "variable")}
    of_module = {RENAMED.get(each.name, each.name): each for each in declared(MODULES / name, "variable")}
    both = whole.keys() & of_module.keys() - OF_THE_MODULE_ALONE
    different = [
        (each, whole[each].default, of_module[each].default, whole[each].type, of_module[each].type)
        for each in sorted(both)
        if of_module[each].default is not None
        and (whole[each].default, whole[each].type) != (of_module[each].default, of_module[each].type)
    ]
    assert different == []


def test_every_alarm_is_explained() -> None:
    text = (MODULES / "observability" / "alarms.tf").read_text()
    found = re.findall(r"^ +([a-z0-9-]+) = \{\n +why .*?rollback = (true|false)", text, re.MULTILINE | re.DOTALL)
    simple = {name for name, _ in found}
    taking_back = {name for name, back in found if back == "true"}
    page = PAGE.read_text().partition("## What each alarm means")[2].partition("\n## ")[0]
    explained = dict(re.findall(r"^\| `([a-z0-9-]+)`( \*\(back\)\*)? \|", page, re.MULTILINE))
    assert set(explained) == simple | {"availability-fast", "availability-slow"}
    assert len(simple) > 10
    assert {name for name, back in explained.items() if back} == taking_back | {"availability-fast"}


def test_metrics_are_counted_in_members_that_a_line_has() -> None:
    text = (MODULES / "observability" / "logs.tf").read_text()
    members = set(re.findall(r"\$\.(\w+)", text)) | set(re.findall(r'= "(\w+_us)"', text))
    assert members <= {field.encode_name for field in msgspec.structs.fields(Line)}
    assert len(members) > 4


def test_a_connection_is_closed_by_the_load_balancer_first() -> None:
    text = (MODULES / "gateway" / "variables.tf").read_text()
    assert f"var.idle_timeout_s < {Timeouts().client_idle_timeout_s:g}" in text


def test_the_costs_are_those_that_are_computed() -> None:
    assert PAGE.read_text() == with_costs(), "make terraform-docs"
    small, middle, large, with_database = (sum(parts(size).values()) for size in SIZES)
    assert 50 < small < middle < large < with_database < 5000
    assert "what-it-costs" in anchors_in(PAGE.read_text())
