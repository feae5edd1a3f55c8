"""Every compiled module is fit for mypyc: docs/decisions/0054 says what mypyc would change silently."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]
MODULES: list[str] = HOOK["custom"]["modules"]
BASES = {"Value": {"frozen"}, "LightValue": {"frozen", "gc"}}


def classes_of(module: str) -> list[ast.ClassDef]:
    tree = ast.parse((ROOT / "src" / "shardgate" / f"{module}.py").read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def test_modules_are_in_order() -> None:
    assert sorted(set(MODULES)) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_keywords_of_a_class_are_those_that_its_base_hands_on(module: str) -> None:
    for found in classes_of(module):
        keywords = {keyword.arg for keyword in found.keywords}
        handed_on = set().union(*(BASES.get(ast.unparse(base), set()) for base in found.bases))
        assert keywords == handed_on, f"{module}.{found.name}: give it a base of core/value.py, or do not compile it"


@pytest.mark.parametrize("module", MODULES)
def test_no_class_derives_from_one_of_the_event_loop(module: str) -> None:
    for found in classes_of(module):
        assert not any(ast.unparse(base).startswith("asyncio.") for base in found.bases), f"{module}.{found.name}"
