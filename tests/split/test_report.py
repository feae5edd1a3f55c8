"""What the command prints of a verification."""

from io import StringIO

import pytest
from rich.console import Console

from shardgate.split.database.rows import TableDigest
from shardgate.split.report import SplitReport
from shardgate.split.verify import VerifiedTable

SHARDS = tuple(f"shard{number}" for number in range(12))


def printed(table: VerifiedTable, width: int) -> str:
    output = StringIO()
    SplitReport(Console(file=output, width=width)).verification([table], SHARDS)
    return output.getvalue()


@pytest.mark.parametrize("width", [50, 60, 80, 200])
def test_every_shard_is_shown_whatever_the_width(width: int) -> None:
    found = tuple(TableDigest(1, 1) for _ in SHARDS)
    text = printed(VerifiedTable("events", divided=True, source_rows=12, sent=found, found=found), width)
    assert [name for name in SHARDS if name not in text.replace("│", " ").replace("┃", " ").split()] == []
    assert "DIFFER" not in text


def test_a_difference_is_marked() -> None:
    sent = tuple(TableDigest(1, 1) for _ in SHARDS)
    found = (*sent[:-1], TableDigest(0, 0))
    text = printed(VerifiedTable("events", divided=True, source_rows=12, sent=sent, found=found), 200)
    assert "DIFFER " in text
    assert "DIFFERS" in text
