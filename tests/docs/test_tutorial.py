"""The tutorial does what it says: all of its commands are run, and what they print is what it shows."""

import shutil
from pathlib import Path

import pytest

from tools.docs.blocks import blocks_in
from tools.docs.walkthrough import corrected, matches, run

PAGE = (Path(__file__).resolve().parents[2] / "docs/tutorial.md").read_text()
NEEDED = ("bash", "curl")

needs_programs = pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason=f"it needs {' and '.join(NEEDED)}")


def shell(*commands: str) -> str:
    """A block of commands."""
    return "```sh\n" + "".join(f"{command}\n" for command in commands) + "```\n"


@needs_programs
@pytest.mark.cluster
@pytest.mark.slow
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    outcomes = run(PAGE, tmp_path)
    wrong = [
        f"{outcome.step.commands.text}{outcome.problem}:\n{outcome.printed}" for outcome in outcomes if outcome.problem
    ]
    assert wrong == [], (
        "correct the page, or write its outputs anew: .venv/bin/python -m tools.docs.walkthrough --write"
    )
    assert len(outcomes) > 15


def test_all_commands_of_the_tutorial_are_among_those_that_are_run() -> None:
    assert {block.language for block in blocks_in(PAGE)} == {"sh", "text", "json", "yaml"}
    assert [block.run for block in blocks_in(PAGE) if block.run] == ["install", "exit 1", "exit 1"]


@needs_programs
def test_what_is_not_as_the_page_says_is_found(tmp_path: Path) -> None:
    page = f"{shell('echo 1')}```text\n2\n```\n<!-- run: exit 3 -->\n{shell('(exit 3)')}"
    page += shell("false", "true") + shell("true")
    outcomes = run(page, tmp_path)
    assert [outcome.problem for outcome in outcomes] == [
        "printed something else than the page shows",
        "",
        "ended with 1, and the page says 0",
        "was not reached",
    ]
    assert "```text\n1\n```" in corrected(page, outcomes)


@needs_programs
def test_a_file_of_the_page_is_there_with_a_free_port(tmp_path: Path) -> None:
    listens = "listen: 127.0.0.1:8080\n```\n"
    page = f'```yaml title="a.yaml"\n{listens}{shell("cat a.yaml")}```text\n{listens}'
    (outcome,) = run(page, tmp_path)
    assert outcome.problem == ""
    assert "8080" not in (tmp_path / "a.yaml").read_text()


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("took … s\n", "took 0.3 s\n", True),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nd\n", True),
        ("a\n…\nd\n", "a\nb\n", False),
    ],
)
def test_an_ellipsis_stands_for_anything(shown: str, printed: str, *, same: bool) -> None:
    assert matches(shown, printed) is same
