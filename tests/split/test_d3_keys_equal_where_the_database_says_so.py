"""Case D3: a row belongs to the parent that the database finds for it, however its key is written."""

import pytest

NOCASE = """
CREATE TABLE vendors (id TEXT COLLATE NOCASE PRIMARY KEY);
CREATE TABLE items (id INTEGER PRIMARY KEY, vendor_id TEXT NOT NULL REFERENCES vendors (id));
CREATE TABLE lines (item_id INTEGER NOT NULL REFERENCES items (id), number INTEGER, PRIMARY KEY (item_id, number));
INSERT INTO vendors VALUES ('acme'), ('Best');
INSERT INTO items VALUES (1, 'ACME'), (2, 'acme'), (3, 'BEST');
INSERT INTO lines VALUES (1, 1), (3, 1);
"""
NUMBERS = """
CREATE TABLE vendors (id numeric(10,2) PRIMARY KEY);
CREATE TABLE items (id int PRIMARY KEY, vendor_id int NOT NULL REFERENCES vendors);
CREATE TABLE prices (id int PRIMARY KEY, vendor_id numeric REFERENCES vendors);
CREATE TABLE codes (id int PRIMARY KEY, code char(5) UNIQUE, vendor_id bigint REFERENCES vendors);
CREATE TABLE uses (id int PRIMARY KEY, code varchar(9) REFERENCES codes (code));
INSERT INTO vendors VALUES (1), (2);
INSERT INTO items VALUES (10, 1), (20, 2), (30, 1);
INSERT INTO prices VALUES (1, 1.0), (2, 2.00), (3, 2);
INSERT INTO codes VALUES (1, 'a', 1), (2, 'b', 2);
INSERT INTO uses VALUES (1, 'a'), (2, 'b');
"""


def test_a_collation_of_sqlite(split, sqlite, shards, query) -> None:
    result = split(sqlite(NOCASE))
    assert result.exit_code == 0, result.output
    for shard in shards:
        lost = "SELECT 1 FROM items WHERE NOT EXISTS (SELECT 1 FROM vendors WHERE vendors.id = items.vendor_id)"
        assert query(shard, lost) == []
        assert query(shard, "PRAGMA foreign_key_check") == []
    assert sum(query(shard, "SELECT count(*) FROM items")[0][0] for shard in shards) == 3
    assert sum(query(shard, "SELECT count(*) FROM lines")[0][0] for shard in shards) == 2
    assert sorted(row for shard in shards for row in query(shard, "SELECT vendor_id FROM items")) == [
        ("ACME",), ("BEST",), ("acme",)
    ]  # fmt: skip


def test_a_number_that_sqlite_holds_as_text(split, sqlite, shards, query) -> None:
    result = split(
        sqlite("""CREATE TABLE vendors (id INTEGER PRIMARY KEY);
        CREATE TABLE items (id INTEGER PRIMARY KEY, vendor_id TEXT REFERENCES vendors (id));
        INSERT INTO vendors VALUES (1), (2); INSERT INTO items VALUES (1, '1'), (2, '2'), (3, 2);""")
    )
    assert result.exit_code == 0, result.output
    assert sum(query(shard, "SELECT count(*) FROM items")[0][0] for shard in shards) == 3


@pytest.mark.parametrize("tool", ["dump_tool", "no_dump_tool"])
def test_numbers_and_padded_texts_of_postgresql(split, postgres, query, request, tool) -> None:
    request.getfixturevalue(tool)
    into = [postgres(), postgres()]
    result = split(postgres(NUMBERS), into=into)
    assert result.exit_code == 0, result.output
    for table, rows in (("items", 3), ("prices", 3), ("codes", 2), ("uses", 2)):
        assert sum(query(shard, f"SELECT count(*) FROM {table}")[0][0] for shard in into) == rows


def test_a_row_that_refers_to_nothing_is_still_refused(split, sqlite) -> None:
    result = split(sqlite(NOCASE + "INSERT INTO items VALUES (4, 'nobody');"))
    assert result.exit_code == 1
    assert "items: row 4 refers to vendors nobody, which does not exist" in result.output
    assert "delete the row" not in result.output
