"""The wheels that are published: every Python that is supported, both processors, and all hot modules compiled."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from tools.wheels.modules import hot_modules

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHEELS: dict[str, Any] = PROJECT["tool"]["cibuildwheel"]


def test_there_is_a_wheel_for_each_python_that_the_project_names() -> None:
    named = re.findall(r"Python :: (3\.\d+)'", str(PROJECT["project"]["classifiers"]))
    built = [re.sub(r"cp3(\d+)-\*", r"3.\1", each) for each in WHEELS["build"]]
    assert named == built == ["3.11", "3.12", "3.13", "3.14"]


def test_the_hot_modules_are_compiled_in_them() -> None:
    assert WHEELS["environment"] == {"HATCH_BUILD_HOOK_ENABLE_CUSTOM": "1"}
    assert (ROOT / WHEELS["test-command"].split("{package}/")[1].strip()).is_file()
    files = [ROOT / "src" / f"{name.replace('.', '/')}.py" for name in hot_modules()]
    assert len(files) > 50
    assert [str(file) for file in files if not file.is_file()] == []


def test_each_processor_builds_its_own() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/wheels.yml").read_text())["jobs"]
    assert jobs["wheels"]["strategy"]["matrix"]["runner"] == ["ubuntu-24.04", "ubuntu-24.04-arm"]
    assert WHEELS["archs"] == ["native"]
