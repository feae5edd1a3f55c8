"""Whole runs from PostgreSQL to PostgreSQL, with everything in a schema that an application may rely on."""

import pytest

SHOP = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100);
CREATE SEQUENCE codes START 1000 INCREMENT 5;
CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
CREATE TABLE audit (id serial PRIMARY KEY, what text);
CREATE TABLE categories (id integer PRIMARY KEY, name text COLLATE "C" UNIQUE);
CREATE TABLE vendors (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL,
  code integer NOT NULL DEFAULT nextval('codes'),
  mood mood DEFAULT 'good',
  discount percent,
  tags text[] NOT NULL DEFAULT '{}',
  area numrange,
  settings jsonb,
  head bigint
);
CREATE TABLE events (
  id serial PRIMARY KEY,
  vendor_id bigint NOT NULL REFERENCES vendors ON DELETE CASCADE,
  category_id integer REFERENCES categories,
  name varchar(20) DEFAULT 'no name',
  loud text GENERATED ALWAYS AS (upper(name)) STORED,
  price numeric(10,2) CONSTRAINT dear CHECK (price >= 0),
  at timestamptz DEFAULT now(),
  UNIQUE (vendor_id, name),
  UNIQUE (id, vendor_id)
);
ALTER TABLE vendors ADD FOREIGN KEY (head) REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE "Order" (
  event_id integer, vendor_id bigint, day date, note text, PRIMARY KEY (event_id, day),
  FOREIGN KEY (event_id, vendor_id) REFERENCES events (id, vendor_id)
);
CREATE INDEX by_shout ON events (shout(name));
CREATE UNIQUE INDEX cheap ON events (vendor_id) WHERE price < 1;
CREATE INDEX settings_of ON vendors USING gin (settings);
CREATE VIEW dear_events AS SELECT id, name FROM events WHERE price > 10;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO audit (what) VALUES (NEW.name); RETURN NEW; END';
CREATE TRIGGER noted AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO categories VALUES (1, 'Walks'), (2, 'boats');
INSERT INTO vendors (name, tags, area, settings, discount)
  SELECT 'v' || n, ARRAY['a', 'tab\there'], numrange(n, n + 1), '{"b": 1, "a": [1.50]}', n
  FROM generate_series(1, 7) n;
INSERT INTO events (vendor_id, category_id, name, price)
  SELECT 1 + n % 7, 1 + n % 2, E'e\\t\\\\\\n' || n, n FROM generate_series(1, 50) n;
INSERT INTO "Order" SELECT id, vendor_id, DATE '2030-01-01' + id, NULL FROM events
  WHERE vendor_id < 7;
UPDATE vendors SET head = (SELECT min(id) FROM events WHERE vendor_id = vendors.id);
DELETE FROM audit;
"""
ROLES = {"reference": "categories", "empty": "audit"}
CONSTRAINTS = """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace ORDER BY 1"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
COLUMNS = """SELECT table_name, column_name, data_type, udt_name, collation_name, is_nullable,
  column_default, is_identity, identity_generation, generation_expression, numeric_precision
  FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"""
OTHERS = """SELECT 'view', viewname, definition FROM pg_views WHERE schemaname = 'public'
  UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'sequence', sequencename, start_value || ' ' || increment_by
    FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1, 2"""


@pytest.fixture
def parts(split, postgres, directory):
    """The source and the two shards it was split into."""
    source = postgres(SHOP)
    into = [postgres(), postgres()]
    result = split(source, into=into, **ROLES)
    assert result.exit_code == 0, result.output
    return source, into


def test_the_shards_have_the_catalogue_of_the_source(parts, query) -> None:
    source, into = parts
    for question in (CONSTRAINTS, INDEXES, COLUMNS, OTHERS):
        expected = query(source, question)
        assert expected
        assert [query(shard, question) for shard in into] == [expected, expected]


def test_the_rows_are_divided(parts, query) -> None:
    source, into = parts
    for table in ("vendors", "events", '"Order"'):
        found = [row for shard in into for row in query(shard, f"SELECT t::text FROM {table} t")]
        assert sorted(found) == sorted(query(source, f"SELECT t::text FROM {table} t"))
        assert all(query(shard, f"SELECT count(*) FROM {table}") != [(0,)] for shard in into)


def test_sequences_continue_where_the_source_stood(parts, query) -> None:
    source, into = parts
    for statement in (
        "SELECT nextval('codes')",
        "SELECT nextval('events_id_seq')",
        "SELECT nextval(pg_get_serial_sequence('vendors', 'id'))",
        "SELECT nextval('audit_id_seq')",
    ):
        expected = query(source, statement)
        assert [query(shard, statement) for shard in into] == [expected, expected]


def test_triggers_exist_but_did_not_fire(parts, query) -> None:
    _, into = parts
    for shard in into:
        assert query(shard, "SELECT count(*) FROM audit") == [(0,)]
        inserted = "INSERT INTO events (vendor_id) SELECT min(id) FROM vendors RETURNING name"
        assert query(shard, f"WITH i AS ({inserted}) SELECT name FROM i") == [("no name",)]


def test_no_mark_is_left(parts, query) -> None:
    _, into = parts
    for shard in into:
        assert query(shard, "SELECT tablename FROM pg_tables WHERE tablename LIKE '%shardgate%'") == []


def test_a_target_with_another_collation_gets_a_warning(split, postgres) -> None:
    source = postgres("CREATE TABLE vendors (id int PRIMARY KEY); INSERT INTO vendors VALUES (1)")
    template = "TEMPLATE template0 LOCALE 'C'"
    result = split(source, into=[postgres(template=template)])
    assert result.exit_code == 0, result.output
    assert "The order of lists will change" in result.output


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("CREATE TABLE logs (id int) PARTITION BY RANGE (id)", "logs: is partitioned"),
        ("CREATE TYPE pair AS (a int, b int)", "pair: is a composite type"),
        (
            "CREATE SCHEMA x; CREATE TABLE x.t (id int PRIMARY KEY);"
            "CREATE TABLE logs (id int PRIMARY KEY REFERENCES x.t)",
            "logs: refers to x.t, in another schema",
        ),
    ],
)
def test_an_object_that_cannot_be_split_is_refused(split, postgres, query, script, reason) -> None:
    source = postgres("CREATE TABLE vendors (id int PRIMARY KEY);" + script)
    target = postgres()
    result = split(source, into=[target], empty="logs" if "TABLE logs" in script else "")
    assert result.exit_code == 1
    assert reason in result.output
    assert query(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_type_that_sqlite_lacks_is_refused(split, postgres, shards) -> None:
    source = postgres("CREATE TABLE vendors (id int[] PRIMARY KEY, area numrange UNIQUE)")
    result = split(source)
    assert result.exit_code == 1
    assert "vendors: column id is of type ARRAY" in result.output
    assert "vendors: column area is of type NUMRANGE" in result.output
    assert not any(path.exists() for path in shards)


def test_a_target_in_a_schema_of_another_name_is_refused(split, postgres, query) -> None:
    source = postgres("CREATE TABLE vendors (id int PRIMARY KEY); CREATE SCHEMA other")
    result = split(source, into=[source + "&options=-csearch_path%3Dother"])
    assert result.exit_code == 1
    assert "its schema is other, the source's is public" in result.output


def test_a_value_the_target_refuses_leaves_it_marked(split, sqlite, postgres, query, directory) -> None:
    """PostgreSQL enforces the length of text, SQLite does not."""
    source = sqlite("""CREATE TABLE vendors (id INTEGER PRIMARY KEY, name VARCHAR(3));
    INSERT INTO vendors VALUES (1, 'too long');""")
    target = postgres()
    result = split(source, into=[target])
    assert result.exit_code == 1
    assert "split: failed, the targets must not be used" in result.output
    assert "Correct it in the source, then run again with --restart" in result.output
    assert "vendors: a target rejected a row: value too long" in result.output
    assert query(target, "SELECT state FROM _shardgate_split") == [("copying",)]
    assert not directory.exists()


def test_a_value_that_does_not_fit_its_column_is_named(split, sqlite, postgres) -> None:
    source = sqlite("""CREATE TABLE vendors (id INTEGER PRIMARY KEY, since DATE);
    INSERT INTO vendors VALUES (1, 'long ago');""")
    result = split(source, into=[postgres()])
    assert result.exit_code == 1
    assert "vendors: column since holds 'long ago', which is not a valid date" in result.output


def test_what_is_not_translated_gets_a_warning(split, sqlite, postgres) -> None:
    source = sqlite("""CREATE TABLE vendors (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE);
    CREATE INDEX low ON vendors (lower(name)); CREATE VIEW v AS SELECT 1;
    INSERT INTO vendors VALUES (1, 'a');""")
    result = split(source, into=[postgres()])
    assert result.exit_code == 0, result.output
    assert "vendors: index low is on an expression and is NOT translated" in result.output
    assert "view v is NOT translated" in result.output
    assert "collation of vendors is NOT translated" in result.output


def test_a_schema_the_target_refuses_is_known_before_any_row(split, sqlite, postgres, query) -> None:
    source = sqlite("""CREATE TABLE vendors (id INTEGER PRIMARY KEY, n TEXT CHECK (n GLOB 'a*'));
    INSERT INTO vendors VALUES (1, 'a');""")
    target = postgres()
    result = split(source, into=[target])
    assert result.exit_code == 1
    assert "the schema cannot be created there" in result.output
    assert query(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
