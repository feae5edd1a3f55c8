"""`shardgate examples`: what is listed can be copied, and what is copied is a valid beginning."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shardgate.cli.main import app

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/shardgate.yaml"))
MADE = ("node_modules", "__pycache__", ".db", ".secret", ".egg-info")
"""What a run leaves in an example's folder."""


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["examples", *words])
    return result.exit_code, result.output


def test_all_are_listed_with_what_they_are() -> None:
    code, output = run()
    assert code == 0
    lines = [line.split(maxsplit=1) for line in output.splitlines()[1:]]
    assert [name for name, _ in lines] == EXAMPLES
    assert "drf" in EXAMPLES
    assert all(len(title) > 10 for _, title in lines), output


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_can_be_copied_and_has_a_readme(name: str, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    code, output = run(name, "--to", str(target))
    assert (code, output) == (0, f"copied to {target}; next: read {target / 'README.md'}\n")
    assert (target / "shardgate.yaml").read_bytes() == (ROOT / "examples" / name / "shardgate.yaml").read_bytes()
    assert (target / "README.md").is_file()
    assert not [path for path in target.rglob("*") if path.name.endswith(MADE)]


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "shardgate.yaml").write_text("mine")
    code, output = run("drf", "--to", str(tmp_path))
    assert (code, output) == (1, f"examples: {tmp_path} is there already; name another folder with --to\n")
    assert [path.name for path in tmp_path.iterdir()] == ["shardgate.yaml"]


def test_an_unknown_name_is_told_the_known_ones() -> None:
    code, output = run("djangoo")
    assert code == 1
    assert output == f"examples: no example is named 'djangoo'; there are {', '.join(EXAMPLES)}\n"


def test_the_wheel_has_the_examples(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, env={**os.environ, "HATCH_BUILD_HOOKS_ENABLE": ""}, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "shardgate/cli/main.py" in names
    for example in EXAMPLES:
        wanted = {f"shardgate/_examples/{example}/{file}" for file in ("shardgate.yaml", "README.md")}
        assert wanted <= {*names}, example
    assert not [name for name in names if name.startswith("shardgate/_examples") and any(part in name for part in MADE)]
