"""A real MariaDB server on loopback, from the packages of the distribution."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.waiting import wait_until

try:
    import pymysql
except ModuleNotFoundError:
    pymysql = None

NO_DRIVER = "PyMySQL is missing: the split of MySQL databases is NOT TESTED. pip install 'shardgate[split]'"
MISSING = (
    "MariaDB is missing: the split of MySQL databases is NOT TESTED. apt-get install mariadb-server-core"
    " mariadb-client-core mariadb-client"
)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Path]:
    """The socket of a server. Its folder is short, because the path of a socket may not be long."""
    if pymysql is None:
        pytest.skip(NO_DRIVER)
    server = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    install = shutil.which("mariadb-install-db")
    if server is None or install is None:
        pytest.skip(MISSING)
    with TemporaryDirectory(prefix="sg-maria-", ignore_cleanup_errors=True) as folder:
        data, socket = Path(folder) / "data", Path(folder) / "s"
        common = ["--no-defaults", f"--datadir={data}", "--user=root"]
        subprocess.run(
            [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, capture_output=True,
        )  # fmt: skip
        command = [
            server, *common, f"--socket={socket}", "--skip-networking", "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=0", "--event-scheduler=ON",
        ]  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
            wait_until(lambda: _answers(socket))
            yield socket
            running.terminate()
            running.wait()


def _answers(socket: Path) -> bool:
    command = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "--execute=SELECT 1"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def name_of(url: str) -> str:
    return url.partition("@localhost/")[2].partition("?")[0]


def run_on(socket: Path, database: str | None, script: str) -> None:
    """Run a script with the server's own client, which knows DELIMITER."""
    command = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "--default-character-set=utf8mb4"]
    subprocess.run(
        [*command, *([database] if database else [])], input=script.encode(), check=True, capture_output=True
    )


@pytest.fixture
def mariadb(mariadb_server: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """Make a database, empty unless a script fills it. Returns its URL."""
    made: list[str] = []

    def make(script: str = "", options: str = "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci") -> str:
        name = f"db_{abs(hash(request.node.nodeid))}_{len(made)}"
        run_on(mariadb_server, None, f"CREATE DATABASE `{name}` {options}")
        made.append(name)
        if script:
            run_on(mariadb_server, name, script)
        return f"mariadb://root@localhost/{name}?unix_socket={mariadb_server}"

    yield make
    for name in made:
        run_on(mariadb_server, None, f"DROP DATABASE `{name}`")


@pytest.fixture
def ask(mariadb_server: Path) -> Callable[[str, str], list[tuple[Any, ...]]]:
    """Run a statement on a database, given by URL."""

    def run(url: str, statement: str) -> list[tuple[Any, ...]]:
        name = name_of(url)
        with (
            closing(
                pymysql.connect(unix_socket=str(mariadb_server), user="root", database=name, autocommit=True)
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return list(cursor.fetchall())

    return run


@pytest.fixture
def dump(mariadb_server: Path) -> Callable[[str], list[str]]:
    """The schema of a database as the server's own tool writes it, without the lines that name the database."""

    def write(url: str) -> list[str]:
        name = name_of(url)
        command = ["mariadb-dump", "--no-defaults", f"--socket={mariadb_server}", "--user=root", "--no-data"]
        more = ["--routines", "--triggers", "--events", "--skip-dump-date", name]
        text = subprocess.run([*command, *more], check=True, capture_output=True).stdout.decode()
        return [line for line in text.replace(name, "DATABASE").splitlines() if not line.startswith("-- Host")]

    return write
