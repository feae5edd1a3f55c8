"""A plug-in in a file, in real workers: none dies of it, and a reload reads the file anew."""

from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.cluster

MERGE = """
from shardgate.extend import Combining, Reply


class Merge(Combining, frozen=True):
    def combine(self, replies):
        BODY

    def describe(self):
        return "by a plug-in"
"""
RULES = {"GET /any": {"rule": "gather", "merge": {"kind": "custom", "class": "./merge.py:Merge"}}}


def test_no_worker_dies_of_a_plug_in_and_a_reload_reads_its_file_anew(
    tmp_path: Path,
    serve: Any,
    shards: list[str],
) -> None:
    file = tmp_path / "merge.py"
    file.write_text(MERGE.replace("BODY", "raise SystemExit(7)"))
    serving = serve(shards={"a": shards[0], "b": shards[1]}, rules=RULES)
    workers = serving.workers
    for _ in range(4):
        answer = httpx.get(f"{serving.url}/any")
        assert (answer.status_code, answer.json()["code"]) == (500, "SG9001")
    assert serving.workers == workers
    assert "plug-in ./merge.py:Merge: take raised SystemExit: 7" in serving.errors.read_text()
    file.write_text(MERGE.replace("BODY", 'return Reply(200, [], b"right")'))
    serving.reload()
    serving.wait_for(lambda: not set(workers) & set(serving.workers))
    assert httpx.get(f"{serving.url}/any").text == "right"
    file.write_text(MERGE.replace("BODY", "return ("))
    serving.reload(outcome="refused")
    assert "rules.GET /any.merge.class" in serving.errors.read_text()
    assert httpx.get(f"{serving.url}/any").text == "right"
