"""Kinds of keys and tables that real schemas have: binary tenants, no primary key, keys in generated columns."""

import pytest

UUIDS = ("8c0fbb0a-1111-4222-8333-aabbccddeeff", "ff0fbb0a-1111-4222-8333-aabbccddee00")


def names(query, directory) -> list[str]:
    return [name for (name,) in query(directory, "SELECT key FROM directory ORDER BY key")]


def _blob(key: str) -> str:
    return f"x'{key.replace('-', '')}'"


BINARY = """
CREATE TABLE vendors (id {type} PRIMARY KEY); CREATE TABLE items (id INTEGER PRIMARY KEY, v {type} REFERENCES vendors);
INSERT INTO vendors VALUES ({0}), ({1}); INSERT INTO items VALUES (1, {0}), (2, {1});
"""


def test_a_binary_uuid_is_in_the_directory_as_clients_write_it(split, sqlite, query, directory) -> None:
    # Found: the names were the bytes, with U+FFFD for what is not UTF-8; "verified", and no client could name a tenant.
    result = split(sqlite(BINARY.format(*map(_blob, UUIDS), type="BLOB")))
    assert result.exit_code == 0, result.output
    assert names(query, directory) == [*UUIDS]
    assert f"vendors.id: is binary. The directory names tenants by its UUID, as in {UUIDS[0]}" in result.output


@pytest.mark.parametrize("kind", ["bytea", "ulid"])
def test_a_bytea_is_named_in_the_same_way(split, postgres, query, directory, kind) -> None:
    keys = [f"'\\x{key.replace('-', '')}'" for key in UUIDS]
    source = postgres("CREATE DOMAIN ulid AS bytea;" + BINARY.format(*keys, type=kind))
    result = split(source, into=[postgres(), postgres()])
    assert result.exit_code == 0, result.output
    assert names(query, directory) == [*UUIDS]


@pytest.mark.parametrize(
    ("keys", "named", "form"),
    [
        (("x'ff01'", "x'ff02'"), ["ff01", "ff02"], "hexadecimal digits"),
        (("x'ff01'", "x'61'"), ["61", "ff01"], "hexadecimal digits"),
        (("x'61636d65'", "x'62c3a4'"), ["acme", "bä"], "text"),
        (("x'61'", "x'00'"), ["00", "61"], "hexadecimal digits"),
    ],
)
def test_other_binary_keys_are_all_named_in_one_way(split, sqlite, query, directory, keys, named, form) -> None:
    # Found: two keys that are no UTF-8 got one name, and were refused as two rows with one id.
    result = split(sqlite(BINARY.format(*keys, type="BLOB")))
    assert result.exit_code == 0, result.output
    assert names(query, directory) == named
    assert f"by its {form}" in result.output


@pytest.mark.parametrize("keys", [("'acme'", "x'61636d65'"), ("'a'", "x'ff01'"), ("7", "x'61'")])
def test_keys_of_which_only_some_are_binary_are_refused(split, sqlite, keys) -> None:
    # Found: a text and bytes that are the same text got one name, and one of the two tenants was not in the directory.
    result = split(sqlite(BINARY.format(*keys, type="BLOB")))
    assert result.exit_code == 1, result.output
    assert "vendors: id is binary in some rows, and not in others" in result.output


KEYLESS = """
CREATE TABLE vendors (id INT PRIMARY KEY); CREATE TABLE tags (id INT PRIMARY KEY);
CREATE TABLE items (id INT UNIQUE, vendor INT NOT NULL REFERENCES vendors (id));
CREATE TABLE items_tags (item INT NOT NULL REFERENCES items (id), tag INT NOT NULL REFERENCES tags (id));
INSERT INTO vendors VALUES (1), (2); INSERT INTO tags VALUES (7); INSERT INTO items VALUES (1, 1), (2, 2);
INSERT INTO items_tags VALUES (1, 7), (1, 7), (2, 7);
"""


def test_tables_without_a_primary_key_are_divided(split, sqlite, query, shards) -> None:
    # Found: the join tables of Rails and Django's logs were refused; only the --tenant table needs one.
    result = split(sqlite(KEYLESS), reference="tags")
    assert result.exit_code == 0, result.output
    rows = [query(shard, "SELECT item, tag FROM items_tags") for shard in shards]
    assert sorted(rows) == [[(1, 7), (1, 7)], [(2, 7)]]


def test_tables_without_a_primary_key_in_postgresql(split, postgres, query) -> None:
    into = [postgres(), postgres()]
    result = split(postgres(KEYLESS), reference="tags", into=into)
    assert result.exit_code == 0, result.output
    assert sorted(query(url, "SELECT item, tag FROM items_tags") for url in into) == [[(1, 7), (1, 7)], [(2, 7)]]


def test_rows_of_no_single_tenant_need_a_primary_key(split, sqlite) -> None:
    script = KEYLESS.replace("vendor INT NOT NULL", "vendor INT") + "INSERT INTO items VALUES (3, NULL);"
    result = split(sqlite(script), reference="tags", unowned="items=all")
    assert result.exit_code == 1
    assert "items: has no primary key, which --unowned and --shared need here" in result.output


GENERATED = """
CREATE TABLE vendors (id INT PRIMARY KEY);
CREATE TABLE events (id INT PRIMARY KEY, doc TEXT, vendor INT GENERATED ALWAYS AS ({}) STORED {});
INSERT INTO vendors VALUES (1), (2); INSERT INTO events (id, doc) VALUES (1, '{{"v": 1}}'), (2, '{{"v": 2}}');
"""
OF_SQLITE, OF_POSTGRES = "json_extract(doc, '$.v')", "(doc::jsonb ->> 'v')::int"


@pytest.mark.parametrize("declared", ["", "REFERENCES vendors"])
def test_a_tenant_in_json_is_reached_by_a_generated_column(split, sqlite, query, shards, declared) -> None:
    # Found: with a foreign key a traceback, with --link "events has no column vendor".
    link = {} if declared else {"link": "events.vendor=vendors.id"}
    result = split(sqlite(GENERATED.format(OF_SQLITE, declared)), **link)
    assert result.exit_code == 0, result.output
    assert sorted(query(shard, "SELECT id, vendor FROM events") for shard in shards) == [[(1, 1)], [(2, 2)]]


@pytest.mark.parametrize("declared", ["", "REFERENCES vendors"])
def test_the_same_in_postgresql(split, postgres, query, declared) -> None:
    link = {} if declared else {"link": "events.vendor=vendors.id"}
    into = [postgres(), postgres()]
    result = split(postgres(GENERATED.format(OF_POSTGRES, declared)), into=into, **link)
    assert result.exit_code == 0, result.output
    assert sorted(query(url, "SELECT id, vendor FROM events") for url in into) == [[(1, 1)], [(2, 2)]]


def test_columns_that_the_database_cannot_compare_are_named(split, postgres) -> None:
    # Found: the refusal was the database's alone: "operator does not exist: integer = integer[]".
    script = "CREATE TABLE vendors (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, v int[]);"
    script += "INSERT INTO vendors VALUES (1); INSERT INTO t VALUES (1, '{1}');"
    result = split(postgres(script), into=[postgres(), postgres()], link="t.v=vendors.id")
    assert result.exit_code == 1
    assert "must be comparable in the database: t (v) -> vendors(id)" in " ".join(result.output.split())
