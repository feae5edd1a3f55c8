"""Splits schemas that nobody here wrote, and compares each shard with the source by PostgreSQL's own dump tool.

    python -m proof.schemas --server 'postgresql://postgres@/postgres?host=…' --tenant organizations --dump dump.sql
    python -m proof.schemas --server … --tenant pretixbase_organizer --source 'postgresql://…/pretix?host=…'

The first loads a schema that an application publishes; the second copies that of a database that an application has
migrated itself. Rows are made up by `proof/rows.py`.
Holds: the proof fails if the dump of a shard lacks a line of the source's dump.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
from rich.console import Console
from sqlalchemy import make_url

from proof.rows import Filler
from shardgate.split.decide.ownership import Ownership, TableRoles, decide_ownership
from shardgate.split.errors import SplitError
from shardgate.split.postgres.schema import read_schema
from shardgate.split.request import SplitRequest
from shardgate.split.run import run_split

# A server writes a condition anew once it has read its own text: without casts and parentheses it is the same.
_REWRITTEN: Final = re.compile(r"::(?:character varying|[a-z_][\w.]*)(?:\([\d, ]+\))?(?:\[\])*|[()\s]")
_SHOWN_MAX: Final = 40


def main() -> None:
    """Make the databases, split, compare, and print one line with the result."""
    options = _options()
    source = _made(options.server, "schemas_source")
    into = [_made(options.server, f"schemas_shard{number}") for number in range(1, options.shards + 1)]
    script = options.dump.read_text() if options.dump else _schema(options.source)
    _psql(source, script)
    ownership = _roles(source, options.tenant)
    with closing(psycopg.connect(source, autocommit=True)) as connection:
        filler = Filler(connection)
        filler.fill(ownership, options.tenants, options.rows)
    said = _split(source, into, ownership, options.tenant)
    print(*(line for line in said if line.startswith(("warning:", "schema:", "split:"))), sep="\n")
    missing = [line for shard in into for line in _missing(source, shard)]
    tables = len(ownership.copied()) + len(ownership.empty)
    print(
        f"schemas: {tables} tables ({len(ownership.owned)} divided, {len(ownership.reference)} reference,"
        f" {len(ownership.empty)} empty), {len(into)} shards, {filler.rejected} made-up rows were rejected by the"
        f" application's checks: {len(missing)} lines of the source's dump are missing"
    )
    if missing:
        sys.exit("\n".join(missing[:_SHOWN_MAX]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="URL of a server on which databases may be made and dropped")
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--dump", type=Path, help="a schema as SQL")
    parser.add_argument("--source", help="a database whose schema is copied")
    parser.add_argument("--shards", type=int, default=3)
    parser.add_argument("--tenants", type=int, default=12)
    parser.add_argument("--rows", type=int, default=4, help="for each tenant and table")
    return parser.parse_args()


def _made(server: str, name: str) -> str:
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _psql(url: str, script: str) -> None:
    """Load a script. What the server does not have, such as an extension, is said and left out."""
    done = subprocess.run(["psql", "--quiet", url], input=script, capture_output=True, text=True, check=False)
    print(*(f"left out: {line}" for line in done.stderr.splitlines() if "ERROR" in line), sep="\n")


def _schema(url: str) -> str:
    command = ["pg_dump", "--schema-only", "--no-owner", "--no-privileges", url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _roles(url: str, tenant: str) -> Ownership:
    """Tables from which no key leads to the tenant are for everybody; those that cannot be divided have no rows."""
    with closing(psycopg.connect(url)) as connection:
        schema = read_schema(lambda text: connection.execute(text.encode()).fetchall())
    found = decide_ownership(schema, TableRoles(tenant))
    divided = {each.table.name for each in found.owned}
    reference = tuple(name for name in schema.names() if name not in divided)
    empty = tuple(each.table.name for each in found.owned if not each.table.primary_key)
    return decide_ownership(schema, TableRoles(tenant, reference, empty))


def _split(source: str, into: list[str], ownership: Ownership, tenant: str) -> list[str]:
    said = StringIO()
    with TemporaryDirectory() as folder:
        request = SplitRequest(
            source=source,
            tenant=tenant,
            targets=tuple((f"shard{number}", url) for number, url in enumerate(into, 1)),
            directory=f"{folder}/directory.db",
            space=tenant,
            reference=tuple(table.name for table in ownership.reference),
            empty=tuple(table.name for table in ownership.empty),
        )
        try:
            run_split(request, Console(file=said, width=200))
        except SplitError as error:
            print(said.getvalue())
            sys.exit("schemas: the split ended without success\n  " + "\n  ".join(error.reasons[:_SHOWN_MAX]))
    return said.getvalue().splitlines()


def _missing(source: str, shard: str) -> Iterator[str]:
    """The lines of the source's dump that the shard's dump does not have."""
    there = {_REWRITTEN.sub("", line) for line in _schema(shard).splitlines()}
    for line in _schema(source).splitlines():
        if _REWRITTEN.sub("", line) not in there and not line.startswith(("\\restrict", "\\unrestrict")):
            yield line


if __name__ == "__main__":
    main()
