"""The schema as PostgreSQL's own dump writes it: what comes before the rows, and what comes after them.

Holds: pg_dump reads the snapshot of the split. It writes every object of the database in the order of its dependencies,
so it is used wherever it is on the PATH and is not older than the server. It is never given a password as an argument.
"""

import os
import re
import shutil
import subprocess
from typing import Final

from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shardgate.split.errors import SplitRefusedError

# Owners and grants name roles, which are of the server and may not exist at the target. Large objects are data.
_OPTIONS: Final = (
    "--no-owner", "--no-privileges", "--no-tablespaces", "--no-security-labels", "--no-subscriptions", "--no-blobs",
    "--no-password",
)  # fmt: skip
_VERSION: Final = re.compile(rb"\(PostgreSQL\) (\d+)[\d.]*")
_SCHEMA: Final = re.compile(r"^CREATE SCHEMA (?!IF NOT EXISTS)", re.M)
_REFRESH: Final = re.compile(r"^REFRESH MATERIALIZED VIEW [^;]+;\n", re.M)
_EVENT_TRIGGER: Final = re.compile(r"^CREATE EVENT TRIGGER ", re.M)
_PSQL_ONLY: Final = re.compile(r"^\\(?:un)?restrict .*\n", re.M)
_AFTERWARDS: Final = "\nRESET search_path; RESET default_tablespace; RESET default_table_access_method;"


class DumpTool(Struct, frozen=True):
    """A pg_dump that can read the source."""

    path: str
    version: str  # as it says itself

    def section(self, name: str, conninfo: str, snapshot: str) -> str:
        """A section of the dump, `pre-data` or `post-data`, as a script for one call of the server."""
        known = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value is not None}
        password = known.pop("password", None)
        command = [
            self.path, f"--section={name}", f"--snapshot={snapshot}", *_OPTIONS, f"--dbname={make_conninfo(**known)}"
        ]  # fmt: skip
        environment = os.environ | ({"PGPASSWORD": password} if password else {})
        done = subprocess.run(command, capture_output=True, env=environment, check=False)  # noqa: S603
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise SplitRefusedError([f"{self.version} could not read the schema of the source: {said}"])
        return _for_the_server(done.stdout.decode())


def find_dump_tool(server_version: int) -> DumpTool | None:
    """The pg_dump of the PATH, or None if there is none or it is older than the server, given as 180004 for 18.4."""
    path = shutil.which("pg_dump")
    if path is None:
        return None
    try:
        said = subprocess.run([path, "--version"], capture_output=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    found = _VERSION.search(said)
    if found is None or int(found[1]) < server_version // 10_000:
        return None
    return DumpTool(path, said.decode(errors="replace").strip())


def _for_the_server(script: str) -> str:
    """Without what only psql understands. A schema that the user has made in the target stays."""
    script = _event_triggers_last(_PSQL_ONLY.sub("", script))
    return _SCHEMA.sub("CREATE SCHEMA IF NOT EXISTS ", script).strip() + _AFTERWARDS


def _event_triggers_last(script: str) -> str:
    """pg_dump fills materialized views behind the event triggers, which would act on that."""
    first = _EVENT_TRIGGER.search(script)
    if first is None:
        return script
    before, behind = script[: first.start()], script[first.start() :]
    return before + "".join(_REFRESH.findall(behind)) + _REFRESH.sub("", behind)
