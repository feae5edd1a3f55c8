"""Case D6: a declared way to keep rows with a NULL tenant, and rows with parents in two tenants."""

import pytest

SHOP = """
CREATE TABLE vendors (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE accounts (id INTEGER PRIMARY KEY, vendor_id INTEGER NOT NULL REFERENCES vendors (id));
CREATE TABLE logs (id INTEGER PRIMARY KEY, vendor_id INTEGER REFERENCES vendors (id), text TEXT);
CREATE TABLE log_lines (id INTEGER PRIMARY KEY, log_id INTEGER NOT NULL REFERENCES logs (id));
CREATE TABLE deals (id INTEGER PRIMARY KEY, seller INTEGER NOT NULL REFERENCES accounts (id),
  buyer INTEGER NOT NULL REFERENCES accounts (id));
CREATE TABLE deal_lines (id INTEGER PRIMARY KEY, deal_id INTEGER NOT NULL REFERENCES deals (id));
INSERT INTO vendors VALUES (1, 'a'), (2, 'b');
INSERT INTO accounts VALUES (10, 1), (20, 2), (11, 1);
INSERT INTO logs VALUES (1, 1, 'x'), (2, 2, 'y');
INSERT INTO log_lines VALUES (1, 1), (2, 2);
INSERT INTO deals VALUES (1, 10, 11);
INSERT INTO deal_lines VALUES (1, 1);
"""
FREE = "INSERT INTO logs VALUES (3, NULL, 'all'); INSERT INTO log_lines VALUES (3, 3), (4, 3);"
TORN = "INSERT INTO deals VALUES (2, 10, 20); INSERT INTO deal_lines VALUES (2, 2), (3, 2);"


@pytest.fixture
def rows(shards, query):
    """The ids of a table on each shard."""
    return lambda table: [[key for (key,) in query(shard, f"SELECT id FROM {table} ORDER BY id")] for shard in shards]


def test_the_cures_keep_the_data(split, sqlite) -> None:
    result = split(sqlite(SHOP + FREE + TORN))
    assert result.exit_code == 1
    assert "--unowned logs=all sends them to every shard" in result.output
    assert "--shared deals=each sends them" in result.output
    assert "delete" not in result.output


def test_rows_without_a_tenant_go_to_every_shard(split, sqlite, rows) -> None:
    result = split(sqlite(SHOP + FREE), unowned="logs=all")
    assert result.exit_code == 0, result.output
    assert "logs: 1 rows without one owner go to north, south" in result.output
    assert "log_lines: 2 rows without one owner go to north, south" in result.output
    assert rows("logs") == [[1, 3], [2, 3]]
    assert rows("log_lines") == [[1, 3, 4], [2, 3, 4]]


def test_a_link_that_the_database_does_not_declare_may_lead_nowhere(split, sqlite, rows) -> None:
    """The log of a vendor that was deleted is sound: no foreign key says otherwise."""
    source = sqlite("""CREATE TABLE vendors (id INTEGER PRIMARY KEY); INSERT INTO vendors VALUES (1), (2);
    CREATE TABLE logs (id INTEGER PRIMARY KEY, vendor INTEGER);
    INSERT INTO logs VALUES (1, 1), (2, 2), (3, 9), (4, NULL);""")
    refused = split(source, link="logs.vendor=vendors.id")
    assert "logs: row 3 refers to vendors 9, which does not exist, so it belongs to no tenant" in refused.output
    result = split(source, link="logs.vendor=vendors.id", unowned="logs=north")
    assert result.exit_code == 0, result.output
    assert rows("logs") == [[1, 3, 4], [2]]


def test_rows_without_a_tenant_go_to_one_shard(split, sqlite, rows) -> None:
    result = split(sqlite(SHOP + FREE), unowned="logs=south")
    assert result.exit_code == 0, result.output
    assert rows("logs") == [[1], [2, 3]]
    assert rows("log_lines") == [[1], [2, 3, 4]]


def test_what_is_left_out_is_counted_before(split, sqlite, rows) -> None:
    source = sqlite(SHOP + FREE)
    planned = split(source, unowned="logs=none", plan=True)
    assert "logs: 1 rows are left out, because no tenant owns them" in planned.output
    assert "log_lines: 2 rows are left out" in planned.output
    assert split(source, unowned="logs=none").exit_code == 0
    assert rows("logs") == [[1], [2]]


def test_rows_of_two_tenants_go_to_both_with_all_that_they_refer_to(split, sqlite, rows, query, shards) -> None:
    result = split(sqlite(SHOP + TORN), shared="deals=each")
    assert result.exit_code == 0, result.output
    assert rows("deals") == [[1, 2], [2]]
    assert rows("deal_lines") == [[1, 2, 3], [2, 3]]
    assert rows("accounts") == [[10, 11, 20], [10, 20]]
    assert rows("vendors") == [[1, 2], [1, 2]]
    assert [query(shard, "PRAGMA foreign_key_check") for shard in shards] == [[], []]
    assert "rows go to other shards too, because rows of two tenants refer to them" in result.output


def test_rows_of_two_tenants_go_to_one_shard(split, sqlite, rows) -> None:
    result = split(sqlite(SHOP + TORN), shared="deals=south")
    assert result.exit_code == 0, result.output
    assert rows("deals") == [[1], [2]]
    assert rows("accounts") == [[10, 11], [10, 20]]


def test_the_same_in_postgresql(split, postgres, query) -> None:
    into = [postgres(), postgres()]
    result = split(postgres(SHOP + FREE + TORN), into=into, unowned="logs=all", shared="deals=each")
    assert result.exit_code == 0, result.output
    assert [query(shard, "SELECT count(*) FROM deals") for shard in into] == [[(2,)], [(1,)]]


def test_an_empty_table_says_how_many_rows_it_leaves_out(split, sqlite) -> None:
    result = split(sqlite(SHOP), empty="logs,log_lines", plan=True)
    assert result.exit_code == 0, result.output
    assert "created without rows: 2 are left out" in result.output


def test_a_mistake_in_the_option_is_named(split, sqlite) -> None:
    assert (
        "WHERE is one of all, none, north, south. Did you mean south?"
        in split(sqlite(SHOP), unowned="logs=sout").output
    )
    assert "Did you mean logs?" in split(sqlite(SHOP), unowned="log=all").output
