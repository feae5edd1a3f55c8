"""Case D2: a large object is outside of all tables, and a column has only its number."""

import pytest

DOCUMENTS = """
CREATE TABLE vendors (id int PRIMARY KEY);
CREATE TABLE documents (id int PRIMARY KEY, vendor_id int NOT NULL REFERENCES vendors, body oid);
INSERT INTO vendors VALUES (1), (2);
INSERT INTO documents VALUES (1, 1, lo_from_bytea(0, 'first')), (2, 2, lo_from_bytea(0, 'second'));
"""


@pytest.mark.parametrize("tool", ["dump_tool", "no_dump_tool"])
def test_large_objects_are_refused_with_the_cure(split, postgres, query, request, tool) -> None:
    request.getfixturevalue(tool)
    source, target = postgres(DOCUMENTS), postgres()
    result = split(source, into=[target])
    assert result.exit_code == 1
    assert "documents.body: may refer to large objects, which are not copied (2 of them" in result.output
    assert "ALTER TABLE documents ALTER COLUMN body TYPE bytea USING lo_get(body)" in result.output
    assert query(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


@pytest.mark.parametrize(
    "types",
    [
        "CREATE DOMAIN held AS oid[];",
        "CREATE TYPE held AS (title text, body oid);",
        "CREATE DOMAIN inner_held AS oid; CREATE DOMAIN held AS inner_held;",
        "CREATE TYPE page AS (body oid); CREATE DOMAIN held AS page[];",
    ],
)
def test_numbers_of_large_objects_are_found_in_arrays_rows_and_domains(split, postgres, types) -> None:
    source = postgres(f"{types} {DOCUMENTS} ALTER TABLE documents DROP body; ALTER TABLE documents ADD pages held;")
    result = split(source, into=[postgres()])
    assert result.exit_code == 1
    assert "documents.pages: may refer to large objects, which are not copied (2 of them" in result.output


def test_the_cure_works(split, postgres, query) -> None:
    into = [postgres(), postgres()]
    source = postgres(DOCUMENTS + "ALTER TABLE documents ALTER COLUMN body TYPE bytea USING lo_get(body);")
    result = split(source, into=into)
    assert result.exit_code == 0, result.output
    assert "this large object is NOT carried" in result.output
    assert sorted(query(into[0], "SELECT body FROM documents") + query(into[1], "SELECT body FROM documents")) == [
        (b"first",), (b"second",)
    ]  # fmt: skip


def test_a_table_without_rows_needs_no_large_objects(split, postgres) -> None:
    result = split(postgres(DOCUMENTS), into=[postgres()], empty="documents")
    assert result.exit_code == 0, result.output
    assert "created without rows: 2 are left out" in result.output
