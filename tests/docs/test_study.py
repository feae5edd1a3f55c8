"""The study agrees with the result files, and has no numbers of its own."""

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from bench.study.tables import DOCUMENT, MARKED, RESULTS, rendered

TEXT = DOCUMENT.read_text()
TABLES = [found[2] for found in MARKED.finditer(TEXT)]


def test_the_tables_are_those_of_the_result_files() -> None:
    assert rendered(TEXT, RESULTS) == TEXT, "write them anew: .venv/bin/python -m bench.study.tables"


def test_other_results_make_other_tables(tmp_path: Path) -> None:
    shutil.copytree(RESULTS, tmp_path, dirs_exist_ok=True)
    study = msgspec.json.decode((tmp_path / "study.json").read_bytes())
    study["lines"]["shardgate"] += 1
    (tmp_path / "study.json").write_bytes(msgspec.json.encode(study))
    assert rendered(TEXT, tmp_path) != TEXT


@pytest.mark.parametrize("name", TABLES)
def test_every_table_names_its_result_file(name: str) -> None:
    (block,) = (found[0] for found in MARKED.finditer(TEXT) if found[2] == name)
    assert "](../bench/results/" in block or "Not measured here yet" in block


def test_no_figure_is_typed_by_hand() -> None:
    prose = MARKED.sub("", TEXT).replace("one shard 200 ms late", "")
    assert re.findall(r"[\d.,]+ ?(?:ms|µs|s|MiB|%|times|requests)\b", prose) == []


def test_what_is_kept_was_no_quick_run() -> None:
    for name in ("study", "k6"):
        assert msgspec.json.decode((RESULTS / f"{name}.json").read_bytes())["quick"] is False
