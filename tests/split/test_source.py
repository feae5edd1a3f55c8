"""The source as a snapshot."""

import psycopg
import pytest

from shardgate.split.database.address import parse_address
from shardgate.split.source import opened_source


def test_the_snapshot_is_one_instant(postgres) -> None:
    """A row that is committed after the source was opened is not read."""
    source = postgres("CREATE TABLE vendors (id int PRIMARY KEY); INSERT INTO vendors VALUES (1)")
    with opened_source(parse_address(source, "--source"), 10) as opened:
        (table,) = opened.schema().tables
        with psycopg.connect(source) as application:
            application.execute("INSERT INTO vendors VALUES (2)")
        assert opened.count(table) == 1
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            opened.reader.query("INSERT INTO vendors VALUES (3) RETURNING id")
        opened.close()
