"""Whole runs from MariaDB to MariaDB, with everything in a schema that an application may rely on."""

import re

import pytest

from shardgate.store.sqlite import SqliteStore

SHOP = """
CREATE TABLE categories (id INT PRIMARY KEY, name VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german2_ci UNIQUE);
CREATE TABLE vendors (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  slug VARCHAR(20) NOT NULL UNIQUE,
  since DATE NOT NULL DEFAULT '0000-00-00',
  seen TIMESTAMP NULL,
  mood ENUM('good', 'bad', 'it''s') DEFAULT 'good',
  tags SET('a', 'b', 'c'),
  flags BIT(10),
  born YEAR,
  settings JSON,
  ratio FLOAT, exact DOUBLE, price DECIMAL(20,4),
  raw VARBINARY(20), body LONGBLOB, place POINT,
  loud VARCHAR(40) AS (upper(slug)) VIRTUAL,
  kept VARCHAR(40) AS (lower(slug)) STORED,
  CHECK (price >= 0)
) COMMENT='AUTO_INCREMENT=7';
CREATE TABLE events (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  vendor VARCHAR(20) NOT NULL,
  category_id INT,
  name VARCHAR(30) DEFAULT 'no \\\\ name',
  CONSTRAINT of_vendor FOREIGN KEY (vendor) REFERENCES vendors (slug) ON UPDATE CASCADE,
  CONSTRAINT of_category FOREIGN KEY (category_id) REFERENCES categories (id),
  KEY by_name (name(10)), FULLTEXT KEY words (name)
) ENGINE=InnoDB ROW_FORMAT=COMPRESSED;
CREATE TABLE `order` (
  event_id INT NOT NULL, `day` DATE NOT NULL, note TEXT, PRIMARY KEY (event_id, `day`),
  FOREIGN KEY (event_id) REFERENCES events (id)
);
CREATE TABLE logs (id INT NOT NULL, vendor_id BIGINT UNSIGNED NOT NULL, PRIMARY KEY (id))
  PARTITION BY HASH (id) PARTITIONS 3;
CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what TEXT);
CREATE SEQUENCE codes START WITH 100 INCREMENT BY 5;
CREATE VIEW zz AS SELECT * FROM events WHERE name <> 'x\\\\y';
CREATE VIEW aa AS SELECT id FROM zz WITH CHECK OPTION;
DELIMITER //
CREATE TRIGGER audited AFTER INSERT ON events FOR EACH ROW BEGIN INSERT INTO audit (what) VALUES (NEW.name); END//
CREATE FUNCTION shout(t TEXT) RETURNS TEXT DETERMINISTIC RETURN upper(t)//
CREATE PROCEDURE nothing() BEGIN -- a comment
  SELECT "double"; END//
CREATE EVENT sweep ON SCHEDULE EVERY 1 SECOND DO DELETE FROM audit WHERE what = 'never'//
DELIMITER ;
INSERT INTO categories VALUES (1, 'Straße'), (2, 'boats');
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
INSERT INTO vendors (id, slug, since, seen, mood, tags, flags, born, settings, ratio, exact, price, raw, body, place)
VALUES
 (0, 'zero', '0000-00-00', '2030-06-01 12:00:00', 'good', 'a,c', b'1000000001', 2030, '{"b": 1}', 0.1, 0.1, 1.5000,
  x'00ff27', x'5c2700', POINT(1, 2)),
 (18446744073709551614, 'Best', '2030-00-01', NULL, 'it''s', '', b'0', 1999, '[]', 16777217, 1e308, 99999,
  'a', NULL, NULL),
 (3, 'ünder', '2030-01-01', NULL, 'bad', NULL, NULL, NULL, NULL, -0.0, NULL, NULL, NULL, '', NULL);
INSERT INTO events (vendor, category_id, name) VALUES
 ('ZERO', 1, 'it''s \\\\ "quoted"'), ('best', 2, 'x'), ('Best ', NULL, NULL), ('UNDER', 1, '😀');
INSERT INTO `order` SELECT id, '2030-01-01', NULL FROM events;
INSERT INTO logs VALUES (1, 0), (2, 3), (3, 18446744073709551614);
DELETE FROM audit;
SELECT NEXT VALUE FOR codes;
"""
ROLES = {"reference": "categories", "empty": "audit", "link": "logs.vendor_id=vendors.id"}


@pytest.fixture
def parts(split, mariadb):
    """The source and the three shards it was split into."""
    source = mariadb(SHOP)
    into = [mariadb(), mariadb(), mariadb()]
    result = split(source, into=into, **ROLES)
    assert result.exit_code == 0, result.output
    return source, into, result.output


def without_counters(lines: list[str]) -> list[str]:
    return [re.sub(r" AUTO_INCREMENT=\d+", "", line) for line in lines]


def test_the_dump_of_each_shard_is_the_dump_of_the_source(parts, dump) -> None:
    source, into, _ = parts
    assert any("CREATE TABLE" in line for line in dump(source))
    for shard in into:
        assert without_counters(dump(shard)) == without_counters(dump(source))


def test_the_rows_are_divided_by_the_collation_of_the_key(parts, ask, directory) -> None:
    source, into, said = parts
    assert "split: verified, 5 tables" in said
    for table in ("vendors", "events", "`order`", "logs"):
        everything = ask(source, f"SELECT * FROM {table}")
        found = [row for shard in into for row in ask(shard, f"SELECT * FROM {table}")]
        assert sorted(map(repr, found)) == sorted(map(repr, everything))
    for shard in into:
        assert ask(shard, "SELECT count(*) FROM vendors") == [(1,)]
        lost = "SELECT count(*) FROM events e LEFT JOIN vendors v ON v.slug = e.vendor WHERE v.id IS NULL"
        assert ask(shard, lost) == [(0,)]
    with SqliteStore(directory) as store:
        assert sorted(store.read("vendors")) == ["0", "18446744073709551614", "3"]


def test_counters_go_on_and_triggers_did_not_fire(parts, ask) -> None:
    _, into, _ = parts
    for shard in into:
        assert ask(shard, "SELECT count(*) FROM audit") == [(0,)]
        assert ask(shard, "SELECT NEXT VALUE FOR codes") >= [(105,)]
        vendor = ask(shard, "SELECT slug FROM vendors")[0][0]
        ask(shard, f"INSERT INTO events (vendor, name) VALUES ('{vendor}', 'new')")
        assert ask(shard, "SELECT max(id) FROM events") == [(5,)]
        assert ask(shard, "SELECT what FROM audit") == [("new",)]
        assert ask(shard, "SELECT status FROM information_schema.events WHERE event_schema = DATABASE()") == [
            ("ENABLED",)
        ]
        assert ask(shard, "SHOW TABLES LIKE '%shardgate%'") == []


def test_what_is_not_carried_is_named(parts) -> None:
    _, _, said = parts
    assert "trigger audited, " in said
    assert "is made anew by the account of --into" in said


SMALL = """CREATE TABLE vendors (id INT AUTO_INCREMENT PRIMARY KEY);
CREATE TABLE items (id INT AUTO_INCREMENT PRIMARY KEY, vendor_id INT NOT NULL REFERENCES vendors (id));
INSERT INTO vendors VALUES (1), (2); INSERT INTO items (vendor_id) VALUES (1), (2), (1);"""


def test_ids_in_ranges(split, mariadb, ask) -> None:
    into = [mariadb(), mariadb()]
    result = split(mariadb(SMALL), into=into, ids="range=1000")
    assert result.exit_code == 0, result.output
    for shard, expected in zip(into, (4, 1004), strict=True):
        ask(shard, "INSERT INTO items (vendor_id) SELECT id FROM vendors")
        assert ask(shard, "SELECT max(id) FROM items") == [(expected,)]


def test_a_range_that_does_not_fit_is_refused(split, mariadb) -> None:
    result = split(mariadb(SMALL), into=[mariadb(), mariadb()], ids="range=2000000000")
    assert result.exit_code == 1
    assert "--ids: the ids of items end at 2147483647, which is too small for 2 ranges" in result.output


def test_steps_are_of_the_server(split, mariadb) -> None:
    result = split(mariadb(SMALL), into=[mariadb(), mariadb()], ids="step")
    assert result.exit_code == 1
    assert "auto_increment_increment = 2 and auto_increment_offset" in result.output


def test_a_target_with_another_character_set_is_refused(split, mariadb, ask) -> None:
    target = mariadb(options="CHARACTER SET latin1")
    result = split(mariadb(SMALL), into=[target])
    assert result.exit_code == 1
    assert "setting default character set is different: the split cannot carry it" in result.output
    assert ask(target, "SHOW TABLES") == []


def test_a_key_that_refers_to_nothing_is_refused(split, mariadb) -> None:
    source = mariadb(SMALL + "SET foreign_key_checks = 0; INSERT INTO items (vendor_id) VALUES (9);")
    result = split(source, into=[mariadb()])
    assert result.exit_code == 1
    assert "items: row 4 refers to vendors 9, which does not exist" in result.output


def test_another_kind_of_target_is_refused(split, mariadb, tmp_path) -> None:
    result = split(mariadb(SMALL), into=[f"sqlite:///{tmp_path}/x.db"])
    assert result.exit_code == 1
    assert "from mysql to sqlite the schema cannot be translated" in result.output
    assert not (tmp_path / "x.db").exists()


def test_an_interrupted_run_goes_on(split, mariadb, ask, monkeypatch) -> None:
    from shardgate.split import run as split_run

    source, into = mariadb(SHOP), [mariadb(), mariadb()]

    def killed(*_: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(split_run, "_finish_schema", killed)
        assert split(source, into=into, **ROLES).exit_code == 1
    ask(into[0], "DROP TABLE logs")  # as if the run had been killed while it made the tables
    ask(into[0], "DELETE FROM _shardgate_split_tables WHERE name = 'logs'")
    assert split(source, into=into, **ROLES).exit_code == 1
    result = split(source, into=into, resume=True, **ROLES)
    assert result.exit_code == 0, result.output


def test_a_restart_deletes_what_the_run_made(split, mariadb, ask, monkeypatch) -> None:
    from shardgate.split import run as split_run

    source, into = mariadb(SHOP), [mariadb()]

    def killed(*_: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(split_run, "_verify", killed)
        assert split(source, into=into, **ROLES).exit_code == 1
    result = split(source, into=into, restart=True, **ROLES)
    assert result.exit_code == 0, result.output
    assert ask(into[0], "SELECT count(*) FROM vendors") == [(3,)]


ODD = """
CREATE TABLE vendors (id CHAR(5) CHARACTER SET latin1 COLLATE latin1_swedish_ci PRIMARY KEY) ENGINE=InnoDB;
CREATE TABLE items (id INT(5) UNSIGNED ZEROFILL PRIMARY KEY,
  vendor_id CHAR(5) CHARACTER SET latin1 REFERENCES vendors (id));
CREATE TABLE `Items` (id INT PRIMARY KEY, vendor_id CHAR(5) CHARACTER SET latin1, item INT(9) UNSIGNED,
  CONSTRAINT of_v FOREIGN KEY (vendor_id) REFERENCES vendors (id),
  CONSTRAINT of_i FOREIGN KEY (item) REFERENCES items (id));
CREATE TABLE `odd ``"name` (`a "b"` INT, `c``d` INT AS (`a "b"` + 1),
  `e'f` TIMESTAMP(6) NOT NULL DEFAULT current_timestamp(6),
  g UUID DEFAULT uuid(), h INET6, i TEXT DEFAULT ('x'), KEY (`a "b"` DESC)) ENGINE=MyISAM COMMENT='it''s "odd"';
CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2;
CREATE VIEW far AS SELECT twice(id) AS n, schema_name FROM items, information_schema.schemata;
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE COMMENT 'a DISABLE DO' DO SELECT 1;
CREATE EVENT f ON SCHEDULE EVERY 1 DAY COMMENT 'x' DO SELECT 1;
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT';
CREATE TRIGGER one BEFORE INSERT ON items FOR EACH ROW SET @a = "NEW".vendor_id || 'x';
CREATE TRIGGER two BEFORE INSERT ON items FOR EACH ROW PRECEDES one SET @b = 'DEFINER=`a`@`b`';
SET sql_mode = '';
INSERT INTO vendors VALUES ('a'), ('\u00fc');
INSERT INTO items VALUES (1, 'A '), (2, 'Y');
INSERT INTO `Items` VALUES (1, 'a', 1), (2, 'y', 2), (3, NULL, 2);
INSERT INTO `odd ``"name` (`a "b"`, h) VALUES (1, '::1'), (NULL, NULL);
"""


def test_odd_names_modes_and_engines(split, mariadb, dump, ask) -> None:
    source, into = mariadb(ODD), [mariadb(), mariadb()]
    result = split(source, into=into, reference='odd `"name')
    assert result.exit_code == 0, result.output
    assert 'odd `"name: the engine MyISAM has no transactions' in result.output
    for shard in into:
        assert without_counters(dump(shard)) == without_counters(dump(source))
    assert [ask(shard, "SELECT count(*) FROM items") for shard in into] == [[(1,)], [(1,)]]
    assert sum(ask(shard, "SELECT count(*) FROM `Items`")[0][0] for shard in into) == 3


CARELESS = """
CREATE TABLE vendors (id BINARY(16) PRIMARY KEY) ENGINE=InnoDB;
CREATE TABLE items (id INT PRIMARY KEY, v BINARY(16) NOT NULL, kind ENUM('a', 'b') NOT NULL, doc TEXT,
  tenant BINARY(16) AS (unhex(json_value(doc, '$.v'))) STORED, FOREIGN KEY (v) REFERENCES vendors (id));
CREATE TABLE logs (tenant BINARY(16), line TEXT);
SET sql_mode = '';
INSERT INTO vendors VALUES (x'8c0fbb0a111142228333aabbccddeeff'), (x'ff0fbb0a111142228333aabbccddee00');
INSERT INTO items (id, v, kind, doc)
  SELECT ascii(id), id, 'no such kind', concat('{"v": "', hex(id), '"}') FROM vendors;
INSERT INTO logs SELECT id, 'x' FROM vendors; INSERT INTO logs SELECT id, 'x' FROM vendors;
"""


def test_binary_keys_rejected_words_and_tables_without_a_key(split, mariadb, ask, query, directory) -> None:
    # Found: the directory had the bytes of the ids; the '' of an ENUM was "rejected, correct it in the source"; and a
    # table without a primary key was refused.
    source, into = mariadb(CARELESS), [mariadb(), mariadb()]
    result = split(source, into=into, link=["logs.tenant=vendors.id", "items.tenant=vendors.id"])
    assert result.exit_code == 0, result.output
    keys = [key for (key,) in query(directory, "SELECT key FROM directory ORDER BY key")]
    assert keys == ["8c0fbb0a-1111-4222-8333-aabbccddeeff", "ff0fbb0a-1111-4222-8333-aabbccddee00"]
    assert [ask(shard, "SELECT count(*), min(kind + 0) FROM items") for shard in into] == [[(1, 0)]] * 2
    assert [ask(shard, "SELECT count(*) FROM logs JOIN vendors ON tenant = id") for shard in into] == [[(2,)]] * 2
