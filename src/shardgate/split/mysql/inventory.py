"""Every object of a MySQL or MariaDB database, by information_schema and SHOW CREATE.

Holds: a table's definition is the server's own, with its columns, keys, checks, partitions, engine and character sets.
Left out of it are the next id, which `counters` sets, and who made an object.
"""

from typing import Final

from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.inventory import Inventory, inventory_of
from shardgate.split.mysql import catalogue
from shardgate.split.mysql.catalogue import shown, without_counter, without_database, without_definer

NEVER_CARRIED: Final = frozenset({"grant", "definer"})

_TABLE_KINDS: Final = ("BASE TABLE", "SYSTEM VERSIONED")


def read_inventory(query: RunQuery) -> Inventory:
    """Every object of the connection's database."""
    ((database,),) = query("SELECT DATABASE()")
    ((charset, collation),) = query(catalogue.DEFAULTS)
    rows: list[tuple[object, ...]] = [("setting", "default character set", f"{charset} {collation}")]
    for name, kind, _ in query(catalogue.TABLES):
        rows += _of_table(query, str(name), str(kind), str(database))
    for kind, names in (("TRIGGER", query(catalogue.TRIGGERS)), ("EVENT", query(catalogue.EVENTS))):
        rows += [_of_program(query, kind, str(name)) for name, *_ in names]
    for kind, name in query(catalogue.ROUTINES):
        known = str(kind) in ("PROCEDURE", "FUNCTION")
        rows.append(_of_program(query, str(kind), str(name)) if known else (str(kind).lower(), name, "unknown"))
    rows += [("grant", f"to {grantee}", "") for (grantee,) in query(catalogue.GRANTS)]
    return inventory_of(rows)


def _of_table(query: RunQuery, name: str, kind: str, database: str) -> list[tuple[object, ...]]:
    if kind == "VIEW":
        found = shown(query, "VIEW", name)
        text = without_database(without_definer(found["text"]), database)
        return [("view", name, f"{text} {found['collation']}")]
    if kind == "SEQUENCE":
        return [("sequence", name, ""), ("steps of sequence", name, shown(query, "SEQUENCE", name)["text"])]
    text = without_counter(shown(query, "TABLE", name)["text"])
    return [("table" if kind in _TABLE_KINDS else kind.lower(), name, text)]


def _of_program(query: RunQuery, kind: str, name: str) -> tuple[object, ...]:
    """An event is carried as it is, but made disabled until all is verified."""
    found = shown(query, kind, name)
    text = without_definer(found["text"])
    if kind == "EVENT":
        text = text.replace(" DISABLE DO ", " ENABLE DO ").replace(" DISABLE COMMENT ", " ENABLE COMMENT ")
    return (kind.lower(), name, f"{text} {found['mode']} {found['collation']} {found.get('zone', '')}")
