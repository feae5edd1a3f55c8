"""Unique indexes and exclusion constraints as PostgreSQL's catalogue has them."""

from proof.postgres_server import PostgresServer
from shardgate.move.postgres_unique import postgres_unique_indexes

TABLE = """
CREATE TABLE "odd table" (id int PRIMARY KEY, a text COLLATE "C", b int, r int4range,
  CONSTRAINT late UNIQUE (b) DEFERRABLE, CONSTRAINT apart EXCLUDE USING gist (r WITH &&) WHERE (b > 0));
CREATE UNIQUE INDEX part ON "odd table" (lower(a) DESC, b) INCLUDE (id) WHERE b IS NOT NULL;
CREATE UNIQUE INDEX nothing ON "odd table" (b) NULLS NOT DISTINCT;
CREATE INDEX no_matter ON "odd table" (a);
"""


def test_the_indexes_of_a_table_are_read_with_operators_and_conditions(server: PostgresServer) -> None:
    server.create("unique_indexes")
    try:
        server.ask(TABLE, "unique_indexes")
        found = postgres_unique_indexes(lambda asked: server.ask(asked, "unique_indexes"), '"odd table"')
    finally:
        server.ask("DROP DATABASE unique_indexes WITH (FORCE)")
    same = "OPERATOR(pg_catalog.=)"
    assert [(each.name, each.terms, each.operators, each.where) for each in found] == [
        ("odd table_pkey", ("(id)",), (same,), ""),
        ("late", ("(b)",), (same,), ""),
        ("apart", ("(r)",), ("OPERATOR(pg_catalog.&&)",), "(b > 0)"),
        ("part", ('(lower(a)) COLLATE pg_catalog."C"', "(b)"), (same, same), "(b IS NOT NULL)"),
        ("nothing", ("(b)",), (same,), ""),
    ]
    assert [each.name for each in found if each.nulls_are_equal] == ["nothing"]
    assert [each.name for each in found if each.excludes] == ["apart"]
