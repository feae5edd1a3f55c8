"""The names of PostgreSQL's tables, here and in SQL."""

import pytest

from shardgate.split.postgres.names import relation, table_name


@pytest.mark.parametrize(
    ("schema", "table", "name", "as_sql"),
    [
        ("public", "items", "items", '"items"'),
        ("public", "Items", "Items", '"Items"'),
        ("log", "items", "log.items", '"log"."items"'),
        ("public", "a.b", '"a.b"', '"a.b"'),
        ("log", "a.b", 'log."a.b"', '"log"."a.b"'),
        ("x.y", 'q"r', '"x.y"."q""r"', '"x.y"."q""r"'),
    ],
)
def test_a_name_is_plain_where_it_can_be(schema: str, table: str, name: str, as_sql: str) -> None:
    assert table_name(schema, table, "public") == name
    assert relation(name) == as_sql
