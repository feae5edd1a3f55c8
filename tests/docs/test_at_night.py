"""The page for the night is right: its commands are run, and its alarms, codes and lines of the log exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from proof.chaos.faults.table import all_faults
from shardgate.core.limits import BUDGETS
from shardgate.observe.layout import FAMILIES
from tests.docs.test_documentation import ERRORS
from tests.process.conftest import serve as serve
from tests.process.conftest import shards as shards
from tools.docs.blocks import blocks_in

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/howto/at-night.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("|")][2:]


def source() -> str:
    """The texts of the package's strings: pieces that are joined are one text."""
    text = "\n".join(file.read_text() for file in (ROOT / "src/shardgate").rglob("*.py"))
    return re.sub(r'"\s*\n\s*f?"', "", text)


def pieces(line: str) -> list[str]:
    """What stands between the ellipses of a line of the log."""
    return [piece.strip() for piece in line.split("…") if len(piece.strip(" :;")) > 2]


def quoted(cell: str) -> list[str]:
    """The lines of the log that a cell quotes: with spaces and an ellipsis."""
    return [text for text in re.findall(r"`([^`]+)`", cell) if "…" in text and " " in text]


def test_every_line_of_the_log_is_written_by_the_gateway() -> None:
    text, seen = source(), 0
    for row in ROWS:
        for line in quoted(row.split("|")[1]):
            for piece in pieces(line):
                words = re.escape(piece).replace(r"\ ", r"[ {}%a-z_.\"']*? ?")
                assert piece in text or re.search(words, text), f"{piece!r} of {line!r}"
                seen += 1
    assert seen > 12


def test_every_metric_code_and_budget_exists() -> None:
    families = {family.name for family in FAMILIES}
    assert {name for name in re.findall(r"shardgate_[a-z_]+[a-z]", PAGE) if "(" not in name} - {
        "shardgate_"
    } <= families
    assert set(re.findall(r"SG\d{4}", PAGE)) <= {error.code for error in ERRORS}
    named = {
        word
        for row in ROWS
        if "the same of" in row or "budget_refusals" in row
        for word in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert {name for name in named if not name.startswith("shardgate_")} <= {*BUDGETS}


def test_it_is_one_page() -> None:
    assert len(PAGE.split()) < 1100


def test_what_it_names_of_the_chaos_is_there() -> None:
    (word,) = re.findall(r"make chaos ONLY=(\w+)", PAGE)
    assert [fault for fault in all_faults() if word in fault.name]


@pytest.mark.cluster
def test_its_first_commands_tell_what_is_wrong(serve: Any, shards: list[str], tmp_path: Path) -> None:
    """On a gateway of which one shard is down and another answers."""
    serving = serve(
        shards={"here": shards[0], "away": "http://127.0.0.1:1"},
        store=str(tmp_path / "store.db"),
        locators={"thing": [{"kind": "prefix", "shards": {"here": "here", "away": "away"}}]},
        rules={"GET /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"}},
    )
    assert httpx.get(f"{serving.url}/things/away-1").status_code == 503
    serving.wait_for_line("shard away is down")
    first, *_ = [block.text for block in blocks_in(PAGE) if block.language == "sh"]
    settings, *commands = first.splitlines()
    given = {"ADMIN": serving.admin.removeprefix("http://"), "CONFIG": str(serving.file), "LOG": str(serving.errors)}
    assert all(f"{name}=" in settings for name in given)
    serving.wait_for(lambda: 'shard="away"' in httpx.get(f"{serving.admin}/metrics").text)
    said = [ran(command, given) for command in commands]
    assert '"away"' in said[0] or "away" in said[0]
    assert "shard away is down" in said[1]
    assert re.search(r'shardgate_upstream_errors_total\{.*shard="away".*\} [1-9]', said[2])
    assert "id" in said[3] or "no change" in said[3].lower() or said[3] == ""
    request_id = httpx.get(f"{serving.url}/things/away-1").json()["request_id"]
    serving.wait_for_line(request_id)
    assert "shard away" in ran(f"shardgate why {request_id} --log $LOG", given)
    assert ran("shardgate check -c $CONFIG", given)
    ran(f"kill -HUP {serving.pid}", given)
    serving.wait_for_line("the configuration was read anew; 2 workers serve it")


def ran(command: str, environment: dict[str, str]) -> str:
    """What a command prints; it must end with 0."""
    path = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    done = subprocess.run(
        ["sh", "-c", command], env={**path, **environment}, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout
