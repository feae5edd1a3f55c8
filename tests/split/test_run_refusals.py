"""Runs that are refused: what the command says, and that it has written nothing."""

from pathlib import Path

import pytest

SHOP = """
CREATE TABLE vendors (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE events (id INTEGER PRIMARY KEY, vendor_id INTEGER REFERENCES vendors (id));
INSERT INTO vendors VALUES (1, 'a'), (2, 'b');
INSERT INTO events VALUES (10, 1), (20, 2);
"""


@pytest.fixture
def refused(split, shards, directory):
    def run(source: str, *reasons: str, **options: object) -> str:
        result = split(source, **options)
        assert result.exit_code == 1, result.output
        assert "split: refused, nothing was written" in result.output
        for reason in reasons:
            assert reason in result.output
        assert not directory.exists()
        assert not any(path.exists() for path in shards)
        return result.output

    return run


def test_a_table_without_a_role(refused, sqlite) -> None:
    refused(
        sqlite(SHOP + "CREATE TABLE sessions (id TEXT PRIMARY KEY)"),
        "- sessions: no foreign key leads from it to vendors. Give --reference sessions",
    )


def test_a_row_without_a_tenant(refused, sqlite) -> None:
    refused(sqlite(SHOP + "INSERT INTO events VALUES (30, NULL)"), "- events: row 30 belongs to no")


def test_a_row_of_two_tenants(refused, sqlite) -> None:
    orders = """
    CREATE TABLE orders (id INTEGER PRIMARY KEY, vendor_id INTEGER NOT NULL REFERENCES vendors,
      event_id INTEGER NOT NULL REFERENCES events);
    INSERT INTO orders VALUES (100, 2, 10);"""
    refused(sqlite(SHOP + orders), "- orders: row 100 has parents in two tenants, 2 and 1")


def test_a_target_that_is_not_empty(split, sqlite, tmp_path: Path) -> None:
    other = sqlite("CREATE TABLE users (id)", name="other.db")
    before = (tmp_path / "other.db").read_bytes()
    result = split(sqlite(SHOP), into=[other, f"sqlite:///{tmp_path}/new.db"])
    assert result.exit_code == 1
    assert "is not empty, it has users" in result.output
    assert (tmp_path / "other.db").read_bytes() == before
    assert not (tmp_path / "new.db").exists()


def test_a_target_that_is_the_source(refused, sqlite) -> None:
    source = sqlite(SHOP)
    refused(source, "is the source itself", into=[source])


def test_one_target_under_two_names(refused, sqlite, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    into = [f"sqlite:///{tmp_path}/x.db", f"sqlite:///{tmp_path}/link/x.db"]
    refused(sqlite(SHOP), "is the same database as shard1", into=into)


def test_a_target_that_is_no_database(split, sqlite, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("shopping list " * 100)
    result = split(sqlite(SHOP), into=[f"sqlite:///{tmp_path}/notes.txt"])
    assert result.exit_code == 1
    assert "notes.txt: cannot open it: file is not a database" in result.output


def test_a_server_that_does_not_answer(refused, sqlite) -> None:
    into = ["postgresql://nobody:secret@127.0.0.1:1/none"]
    said = refused(sqlite(SHOP), "://nobody:***@127.0.0.1:1/none: cannot open it: connection", into=into)
    assert "secret" not in said


def test_a_source_that_does_not_exist(refused, tmp_path: Path) -> None:
    refused(f"sqlite:///{tmp_path}/nothing.db", "there is no such file")
    assert not (tmp_path / "nothing.db").exists()


def test_other_kinds_of_database(refused) -> None:
    refused("mssql://root@localhost/shop", "mssql is not supported")
    refused("shop.db", "this is not a database URL")
    refused("sqlite://", "give the path of a file")


def test_broken_foreign_keys_in_the_source(refused, sqlite) -> None:
    broken = """
    CREATE TABLE cities (id INTEGER PRIMARY KEY);
    CREATE TABLE shops (id INTEGER PRIMARY KEY, vendor_id INTEGER NOT NULL REFERENCES vendors,
      city_id INTEGER REFERENCES cities);
    INSERT INTO shops VALUES (1, 1, 77);"""
    refused(sqlite(SHOP + broken), "- shops: has rows that refer to rows of cities that do not",
            reference="cities")  # fmt: skip


def test_a_directory_that_has_the_space(split, sqlite, directory, tmp_path: Path) -> None:
    first = split(sqlite(SHOP))
    assert first.exit_code == 0, first.output
    again = split(sqlite(SHOP), into=[f"sqlite:///{tmp_path}/new.db"])
    assert again.exit_code == 1
    assert "has a space 'vendors' already" in again.output
    other = split(sqlite(SHOP), into=[f"sqlite:///{tmp_path}/new.db"], space="shops")
    assert other.exit_code == 0, other.output


def test_a_directory_that_is_something_else(split, sqlite, shards, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("shopping list " * 100)
    result = split(sqlite(SHOP), directory=f"{tmp_path}/notes.txt")
    assert result.exit_code == 1
    assert "Is this the file of a store?" in result.output
    assert not any(path.exists() for path in shards)


def test_mistyped_names_get_a_hint(refused, sqlite) -> None:
    source = sqlite(SHOP)
    refused(source, "vendor: the source has no such table. Did you mean vendors?", tenant="vendor")
    refused(source, "--by nam: vendors has no such column. Did you mean name?", by="nam")
    refused(source, "Did you mean events?", link="event.vendor_id=vendors.id")
    refused(source, "--type events.idd: there is no such column. Did you mean events.id?",
            type="events.idd=uuid")  # fmt: skip


def test_a_tenant_table_without_rows(refused, sqlite) -> None:
    refused(sqlite("CREATE TABLE vendors (id INTEGER PRIMARY KEY)"), "vendors: has no rows")


def test_a_virtual_table_that_should_be_copied(refused, split, sqlite) -> None:
    source = sqlite(SHOP + "CREATE VIRTUAL TABLE words USING fts5 (text);")
    refused(source, "- words: no foreign key leads from it")
    refused(source, "- words: is a virtual table, which cannot be copied", reference="words")
    assert split(source, empty="words").exit_code == 0


def test_rows_that_refer_to_an_empty_table(refused, sqlite) -> None:
    plans = """
    CREATE TABLE plans (id INTEGER PRIMARY KEY);
    CREATE TABLE deals (id INTEGER PRIMARY KEY, vendor_id INTEGER NOT NULL REFERENCES vendors,
      plan_id INTEGER REFERENCES plans);
    INSERT INTO plans VALUES (7); INSERT INTO deals VALUES (1, 1, 7);"""
    refused(sqlite(SHOP + plans), "- deals: 1 rows refer by (plan_id)", empty="plans")


def test_resume_and_restart_together(refused, sqlite) -> None:
    refused(sqlite(SHOP), "choose one", resume=True, restart=True)


def test_all_problems_are_reported_at_once(refused, sqlite) -> None:
    more = """
    CREATE TABLE sessions (id TEXT PRIMARY KEY);
    CREATE TABLE logs (vendor_id INTEGER NOT NULL);
    INSERT INTO events VALUES (30, NULL);"""
    refused(
        sqlite(SHOP + more),
        "--reference citys: the source has no such table",
        "- sessions: no foreign key",
        "- logs: no foreign key",
        "- events: row 30 belongs to no tenant",
        reference="citys",
    )


def test_a_plan_changes_nothing(split, sqlite, shards, directory) -> None:
    result = split(sqlite(SHOP), plan=True)
    assert result.exit_code == 0, result.output
    assert "events → vendors" in result.output
    assert "imbalance:" in result.output
    assert not directory.exists()
    assert not any(path.exists() for path in shards)
