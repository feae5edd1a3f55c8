"""An application's own export and import in place of the copy: on both databases, as commands and as endpoints."""

import json
import shlex
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shardgate.move import mover as mover_module
from shardgate.move.errors import MoveFailedError, NotNowError
from shardgate.move.gateways import Gateways
from shardgate.move.mover import Mover
from shardgate.move.run import settings_from
from shardgate.process.preflight import read
from tests.move import carrier
from tests.move.worlds import TABLES, World, all_of

CARRIER = [sys.executable, str(Path(carrier.__file__))]


def by_commands(world: World, fault: str = "", at: str = "import", **more: Any) -> None:
    """The application has commands."""
    script = world.folder / "carry.sh"
    program = " ".join(map(shlex.quote, CARRIER))
    script.write_text(f'#!/bin/sh\nexec {program} "$1" "$MOVE_DATABASE" "$MOVE_TENANT" "$2" "$3"\n')
    script.chmod(0o755)
    world.movements["application"] = {
        "export_command": [str(script), "export", "{file}", *([fault] if at == "export" else [])],
        "import_command": [str(script), "import", "{file}", *([fault] if at == "import" else [])],
        **more,
    }
    world.write()


@contextmanager
def by_endpoints(world: World, statuses: dict[str, int] | None = None) -> Iterator[list[str]]:
    """The application has endpoints; `statuses`: method → what it answers instead. -1: it hangs up."""
    statuses, asked = statuses or {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve(lambda shard, tenant: json.dumps(carrier.exported(world.url(shard), tenant)).encode())

        def do_POST(self) -> None:
            rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._serve(lambda shard, tenant: carrier.take_in(world.url(shard), tenant, rows) or b"")

        def _serve(self, work: Any) -> None:
            asked.append(f"{self.command} {self.path} {self.headers['Authorization']}")
            status = statuses.get(self.command, 200)
            _, shard, tenant = self.path.split("/")
            body = work(shard, tenant) if status < 400 else b"not today"
            if status == -1:
                self.connection.close()
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/{{shard}}/{{tenant}}"
    headers = {"Authorization": "Bearer operator"}
    world.movements["application"] = {"export_url": url, "import_url": url, "headers": headers}
    world.write()
    try:
        yield asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def rows(world: World) -> dict[str, Any]:
    """The rows of each shard, and who has what by the directory; not the movements, which are noted."""
    return {key: value for key, value in world.everything().items() if key != "movements"}


def test_commands_of_the_application_move_a_tenant(world: World) -> None:
    by_commands(world)
    before = {table: all_of(world, table, list(world.names)) for table in TABLES}
    code, said = world.run("move", "a", "--to", "south")
    assert code == 0, said
    assert (world.home("a"), "8 rows" in said) == ("south", True)
    assert {table: all_of(world, table, list(world.names)) for table in TABLES} == before
    assert world.ask("north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]
    assert world.run("move", "a", "c", "--to", "west")[0] == 0
    assert {table: all_of(world, table, list(world.names)) for table in TABLES} == before
    assert world.run("move", "--undo", "1")[0] == 0
    assert (world.home("a"), world.home("c")) == ("north", "west")


def test_endpoints_of_the_application_move_a_tenant(world: World) -> None:
    before = {table: all_of(world, table, list(world.names)) for table in TABLES}
    with by_endpoints(world) as asked:
        code, said = world.run("move", "a", "--to", "south")
    assert code == 0, said
    assert asked == ["GET /north/a Bearer operator", "POST /south/a Bearer operator"]
    assert {table: all_of(world, table, list(world.names)) for table in TABLES} == before
    assert world.ask("south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]


@pytest.mark.parametrize(
    ("fault", "at", "named"),
    [
        ("fail", "export", "the export of a ended with 1: the application is not well"),
        ("fail", "import", "the import of a ended with 1: the application is not well"),
        ("half", "import", "the import of a ended with 1: the import broke in the middle"),
        ("other", "import", "goods: the import has 3 rows instead of 3, or others: a-1 is the first that differs"),
        ("more", "import", "goods: the import has 4 rows instead of 3, or others: a-more is the first that differs"),
        ("slow", "import", "the import of a took longer than"),
    ],
)
def test_a_failure_leaves_everything_on_the_source(world: World, fault: str, at: str, named: str) -> None:
    by_commands(world, fault, at, timeout_s=3.0)
    before = rows(world)
    code, said = world.run("move", "a", "--to", "south")
    assert (code, "given up, all is on the source as before" in said) == (1, True), said
    assert named in said
    assert rows(world) == before
    by_commands(world)
    assert world.run("move", "a", "--to", "south")[0] == 0


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 500), ("GET", 204), ("POST", 503), ("POST", 202), ("POST", 302)]
)
def test_an_answer_that_is_not_done_leaves_everything_on_the_source(world: World, method: str, status: int) -> None:
    before = rows(world)
    with by_endpoints(world, {method: status}):
        code, said = world.run("move", "a", "--to", "south")
    assert (code, f"was answered {status}" in said) == (1, True), said
    assert rows(world) == before


def test_an_import_that_is_not_answered_stands_still_until_it_is_given_up(world: World) -> None:
    """The rows are on the target, and uncommitted at the source: gateways hold lists until somebody decides."""
    before = rows(world)
    with by_endpoints(world, {"POST": -1}):
        code, said = world.run("move", "a", "--to", "south")
    assert (code, "stands still" in said) == (1, True), said
    assert "the import of a was not answered by south" in said
    assert "committing" in world.run("move", "--status")[1]
    assert world.run("move", "--abandon")[0] == 0
    assert rows(world) == before


def test_what_changes_after_the_export_is_exported_again(world: World) -> None:
    by_commands(world)
    told: list[int] = []

    def report(*_: object) -> None:
        if not told:
            told.append(1)
            world.ask("north", "UPDATE goods SET note = 'new' WHERE id = 'a-0'")
            world.ask("north", "DELETE FROM lines WHERE sale = 'a-s' AND no = 2")

    with closing(Mover(settings_from(read(world.config), {}), report)) as mover:
        (done,) = mover.move(["a"], "south")
    assert (done.phase, told) == ("done", [1])
    assert world.ask("south", "SELECT note FROM goods WHERE id = 'a-0'") == [("new",)]
    assert world.ask("south", "SELECT no FROM lines WHERE sale = 'a-s' ORDER BY no") == [(0,), (1,)]


def test_a_mover_that_was_killed_while_it_imported_goes_on_from_the_source(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_commands(world)
    before = {table: all_of(world, table, list(world.names)) for table in TABLES}
    settings = settings_from(read(world.config), {})

    def die(*_: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patch, closing(Mover(settings, lambda *_: None)) as mover:
        patch.setattr("shardgate.move.handed_rows.HandedRows._differences", die)
        with pytest.raises(MoveFailedError, match="phase committing"):
            mover.move(["a"], "south")
    assert world.ask("south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]
    assert world.run("move", "--resume")[0] == 0
    assert world.home("a") == "south"
    assert {table: all_of(world, table, list(world.names)) for table in TABLES} == before


@pytest.mark.parametrize("late", [False, True])
def test_after_a_long_read_of_the_source_only_its_own_late_changes_are_named(
    world: World, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    by_commands(world)

    def behind(_: Gateways, turn: int, patience_s: float) -> None:
        if patience_s == mover_module._FLIPPED_S:
            world.ask("south", "UPDATE goods SET note = 'by a client' WHERE id = 'a-1'")
            raise NotNowError("a worker still reads")
        if late and patience_s == mover_module._FINISH_S:
            world.ask("north", "UPDATE goods SET note = 'late' WHERE id = 'a-0'")

    monkeypatch.setattr(Gateways, "await_turn", behind)
    with closing(Mover(settings_from(read(world.config), {}), lambda *_: None)) as mover:
        (done,) = mover.move(["a"], "south")
    assert (done.phase, done.told.late) == ("done", "goods: other rows" if late else "")
    assert world.ask("north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]
    assert world.ask("south", "SELECT note FROM goods WHERE id = 'a-1'") == [("by a client",)]


@pytest.mark.parametrize(
    ("application", "named"),
    [
        ({"export_url": "http://x/"}, "movements.application.import_command and movements.application.import_url"),
        ({"export_url": "ftp://x", "import_url": "http://x"}, "ftp://x begins with neither http:// nor https://"),
        ({"export_command": ["x", "{tenat}"], "import_command": ["x"]}, "there is no {tenat}"),
        ({"export_url": "http://x/{file}", "import_url": "http://x"}, "there is no {file}"),
        ({"export_command": ["/no/such"], "import_command": ["x"]}, "/no/such"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(world: World, application: dict[str, Any], named: str) -> None:
    world.movements["application"] = application
    world.write()
    before = rows(world)
    code, said = world.run("move", "a", "--to", "south")
    assert (code, named in said) == (1, True), said
    assert rows(world) == before
