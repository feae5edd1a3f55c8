"""Reads how much work each tenant makes: from access logs of the gateway, or from a file of weights.

A line of an access log counts for the tenant that its path names, and for the tenant of a row whose key it names. Its
weight is the time that shards took for it. A line of a file of weights is a tenant and a number.

Never: writes.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Struct

from shardgate.core.topology import ShardId
from shardgate.move.database import ShardDatabase
from shardgate.move.errors import MoveRefusedError
from shardgate.move.paths import tenant_paths
from shardgate.move.shards import TenantDivision
from shardgate.move.spellings import TenantNames
from shardgate.split.database import sql

_ASKED_MAX: Final = 10_000  # keys of one question: SQLite takes 1 MB of text
_KEY_MAX: Final = 80


class _Line(Struct):
    """What is read of a line of the access log."""

    path: str = ""
    shards: Sequence[str] = ()
    upstream_us: int = 0
    duration_us: int = 0


def read_loads(files: Sequence[Path], shards: Collection[ShardId]) -> dict[str, int]:
    """Key → weight, of all keys that requests to these shards name. Raises MoveRefusedError."""
    found: dict[str, int] = {}
    for file in files:
        for key, weight in _of_file(file, shards):
            found[key] = found.get(key, 0) + weight
    return found


def _of_file(file: Path, shards: Collection[ShardId]) -> Iterator[tuple[str, int]]:
    decode = msgspec.json.Decoder(_Line).decode
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    if line.startswith(b"{"):
                        yield from _of_request(decode(line), shards)
                    elif line.strip():
                        tenant, weight = line.decode().rsplit(maxsplit=1)
                        yield tenant, _positive(weight)
                except (ValueError, msgspec.DecodeError) as error:
                    cure = "Give lines of the access log, or lines of a tenant and a number"
                    raise MoveRefusedError([f"{file}:{number}: is no line of loads: {error}. {cure}"]) from error
    except OSError as error:
        raise MoveRefusedError([f"{file}: cannot be read: {error.strerror}"]) from error


def _positive(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(f"{number} is below 0")
    return number


def _of_request(line: _Line, shards: Collection[ShardId]) -> Iterator[tuple[str, int]]:
    if line.shards and not {*shards}.intersection(line.shards):
        return
    path, _, query = line.path.partition("?")
    keys = {unquote(part) for part in path.split("/")} | {value for _, value in parse_qsl(query)}
    weight = max(1, line.upstream_us or line.duration_us)
    for key in keys - {""}:
        yield key, weight


def loads_of_tenants(
    loads: Mapping[str, int], tenants: Collection[str], division: TenantDivision, database: ShardDatabase
) -> dict[str, int]:
    """Tenant → weight: its own key's, and those of the keys of its rows."""
    found = {tenant: loads[tenant] for tenant in tenants if tenant in loads}
    others = sorted(key for key in loads if key not in found and len(key) <= _KEY_MAX and "\0" not in key)
    names = TenantNames(tenants)
    for tenant, key in _owners(others, division, database, names):
        if tenant in tenants:
            found[tenant] = found.get(tenant, 0) + loads[key]
    return found


def _owners(
    keys: Sequence[str], division: TenantDivision, database: ShardDatabase, names: TenantNames
) -> Iterator[tuple[str, str]]:
    for path in tenant_paths(division.ownership, division.by, database.relation):
        table = path.table.table
        if len(table.primary_key) != 1 or table is division.ownership.tenant:
            continue
        key = f"CAST(t.{sql.quote(table.primary_key[0])} AS TEXT)"
        for start in range(0, len(keys), _ASKED_MAX):
            listed = ", ".join(map(sql.literal, keys[start : start + _ASKED_MAX]))
            found = database.query(f"SELECT {path.tenant}, {key} FROM {path.source} WHERE {key} IN ({listed})")
            yield from ((names.of(tenant), str(value)) for tenant, value in found)
