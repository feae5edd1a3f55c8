"""Case D5: options of views, row security, publications, comments: carried, or named in the plan."""

import subprocess

import pytest

SHOP = """
CREATE TABLE vendors (id int PRIMARY KEY);
CREATE TABLE items (id int PRIMARY KEY, vendor_id int NOT NULL REFERENCES vendors, price numeric)
  WITH (fillfactor = 70);
INSERT INTO vendors VALUES (1), (2);
INSERT INTO items VALUES (1, 1, 5), (2, 2, 6);
"""
OBJECTS = {
    "view": "CREATE VIEW v WITH (security_invoker = true) AS SELECT * FROM items",
    "check option": "CREATE VIEW v AS SELECT * FROM items WHERE price > 1 WITH CHECK OPTION",
    "row security": "ALTER TABLE items ENABLE ROW LEVEL SECURITY",
    "policy": "CREATE POLICY mine ON items USING (vendor_id > 0)",
    "index of a materialized view": "CREATE MATERIALIZED VIEW m AS SELECT 1 AS x; CREATE UNIQUE INDEX i ON m (x)",
    "unlogged": "CREATE UNLOGGED TABLE notes (id int PRIMARY KEY, vendor_id int REFERENCES vendors)",
    "publication": "CREATE PUBLICATION feed FOR TABLE items WHERE (vendor_id > 1)",
    "publication of all": "CREATE PUBLICATION feed FOR ALL TABLES",
    "rule": "CREATE RULE r AS ON DELETE TO items DO INSTEAD NOTHING",
    "statistics": "CREATE STATISTICS st ON vendor_id, price FROM items",
    "text search": "CREATE TEXT SEARCH CONFIGURATION mine (COPY = english)",
    "aggregate": "CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')",
    "event trigger": "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS"
    " 'BEGIN RAISE EXCEPTION ''no DDL''; END'; CREATE EVENT TRIGGER no_ddl ON sql_drop EXECUTE FUNCTION f()",
    "replica identity": "ALTER TABLE items REPLICA IDENTITY FULL",
    "column options": "ALTER TABLE items ALTER COLUMN price SET STATISTICS 500, ALTER price SET STORAGE EXTERNAL",
    "comment": "COMMENT ON TABLE items IS 'things'",
    "operator": "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
    "disabled trigger": "CREATE TRIGGER t BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION"
    " suppress_redundant_updates_trigger(); ALTER TABLE items DISABLE TRIGGER t",
    "key that is not validated": "ALTER TABLE items ADD CONSTRAINT c CHECK (price > 100) NOT VALID",
    "exclusion": "ALTER TABLE items ADD CONSTRAINT e EXCLUDE USING btree (price WITH =)",
}
SCHEMA = "--schema-only --no-owner --no-privileges --restrict-key=x"


def schema_of(url: str) -> list[str]:
    command = ["pg_dump", *SCHEMA.split(), url]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()


@pytest.mark.parametrize("what", OBJECTS)
def test_the_dump_of_a_shard_is_the_dump_of_the_source(split, postgres, dump_tool, what) -> None:
    source, target = postgres(f"{SHOP}; {OBJECTS[what]}"), postgres()
    result = split(source, into=[target])
    assert result.exit_code == 0, result.output
    assert schema_of(target) == schema_of(source)


@pytest.mark.parametrize("what", [name for name in OBJECTS if name not in {"comment", "disabled trigger", "exclusion"}])
def test_without_the_tool_it_is_refused_by_name(split, postgres, query, no_dump_tool, what) -> None:
    target = postgres()
    result = split(postgres(f"{SHOP}; {OBJECTS[what]}"), into=[target])
    assert result.exit_code == 1, result.output
    assert "the split cannot carry it. Put PostgreSQL's own pg_dump" in result.output
    assert query(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_without_the_tool_a_comment_is_named(split, postgres, no_dump_tool) -> None:
    source = postgres("CREATE TABLE vendors (id int PRIMARY KEY); INSERT INTO vendors VALUES (1);"
                      "COMMENT ON TABLE vendors IS 'sellers'")  # fmt: skip
    result = split(source, into=[postgres()])
    assert result.exit_code == 0, result.output
    assert "table public.vendors: this comment is NOT carried" in result.output


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("GRANT SELECT ON items TO PUBLIC", "on table public.items: this grant is NOT carried"),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", "this default grant is NOT carried"),
    ],
)
def test_what_belongs_to_the_server_is_named(split, postgres, dump_tool, script, named) -> None:
    result = split(postgres(f"{SHOP}; {script}"), into=[postgres()])
    assert result.exit_code == 0, result.output
    assert named in result.output
