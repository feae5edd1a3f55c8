"""Unique indexes and exclusion constraints as PostgreSQL's catalogue has them."""

import tracemalloc
from contextlib import closing

from proof.postgres_server import PostgresServer
from shardgate.move.postgres import PostgresShard
from shardgate.move.postgres_unique import postgres_unique_indexes
from shardgate.move.tables import MovedTable
from shardgate.move.unique_indexes import UniqueIndex
from shardgate.split.database import sql
from shardgate.split.database.address import parse_address
from shardgate.split.database.schema import Table

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
    assert [each.columns for each in found] == [("id",), ("b",), (), (), ("b",)]


def test_the_rows_of_an_index_are_read_while_they_come(server: PostgresServer) -> None:
    """Found: the clash check of a movement read all of a tenant's rows at once, however many they were."""
    table = MovedTable(0, Table("many", ("id", "a"), ("id",)), (), "true")
    index = UniqueIndex("many_a", ("a",), ("(a)",), ("=",))
    server.create("many_rows")
    try:
        server.ask("CREATE TABLE many (id int PRIMARY KEY, a text)", "many_rows")
        server.ask("INSERT INTO many SELECT n, repeat('x', 200) || n FROM generate_series(1, 50000) n", "many_rows")
        shard = PostgresShard(parse_address(server.url("many_rows"), "--from"))
        tracemalloc.start()
        try:
            count = sum(len(batch) for batch in shard.terms(table, index))
            _, most = tracemalloc.get_traced_memory()
            with closing(shard.terms(table, index)) as batches:
                first = next(batches)
            assert shard.query("SELECT 1") == [(1,)], "who ends early can ask on"
        finally:
            tracemalloc.stop()
            shard.close()
    finally:
        server.ask("DROP DATABASE many_rows WITH (FORCE)")
    assert (count, len(first)) == (50_000, 1000)
    assert most < 2_000_000


def test_terms_are_texts_whatever_is_in_them(server: PostgresServer) -> None:
    odd = ["\\N", "a\tb\nc\\", "", "ä", None]
    table = MovedTable(0, Table("odd", ("id", "a"), ("id",)), (), "true")
    server.create("odd_terms")
    try:
        server.ask("CREATE TABLE odd (id int PRIMARY KEY, a text)", "odd_terms")
        rows = ", ".join(f"({n}, {'NULL' if each is None else sql.literal(each)})" for n, each in enumerate(odd))
        server.ask(f"INSERT INTO odd VALUES {rows}", "odd_terms")
        shard = PostgresShard(parse_address(server.url("odd_terms"), "--from"))
        index = UniqueIndex("i", ("a",), ("(a)",), ("=",), nulls_are_equal=True)
        try:
            assert [row for batch in shard.terms(table, index) for row in batch] == [(each,) for each in odd]
        finally:
            shard.close()
    finally:
        server.ask("DROP DATABASE odd_terms WITH (FORCE)")
