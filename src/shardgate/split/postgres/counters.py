"""The sequences of PostgreSQL: reading the number that comes next, and setting it."""

from typing import Final

from msgspec import Struct

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery
from shardgate.split.postgres.names import table_name

_OWN: Final = """c.oid >= 16384 AND c.relpersistence <> 't' AND NOT EXISTS (SELECT 1 FROM pg_depend e
  WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')"""
_SEQUENCES: Final = f"""
SELECT c.oid::regclass::text, s.seqincrement, CASE WHEN s.seqincrement < 0 THEN s.seqmin ELSE s.seqmax END, s.seqcycle
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE {_OWN} ORDER BY c.oid"""  # noqa: S608
# The tables whose columns each sequence counts for: it belongs to the column, or is in the column's default.
_USERS: Final = f"""
SELECT DISTINCT c.oid::regclass::text, n.nspname, t.relname, current_schema()
FROM pg_class c JOIN pg_depend d ON c.relkind = 'S'
  AND (d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
      AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    OR d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
JOIN pg_class t ON t.oid = coalesce(a.adrelid, d.refobjid)
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE {_OWN}"""  # noqa: S608


class Sequence(Struct, frozen=True):
    """A sequence of the source."""

    name: str  # as SQL
    next: int  # the number that it gives next
    step: int
    last: int  # the number at which it ends: the greatest, or the least where it counts down
    cycles: bool  # it begins again at its end
    tables: tuple[str, ...]  # those that it counts for

    def passes(self, number: int) -> bool:
        """Whether a number is beyond its end."""
        return number < self.last if self.step < 0 else number > self.last


def read_postgres_sequences(query: RunQuery) -> list[Sequence]:
    """Every sequence of the database."""
    users: dict[str, list[str]] = {}
    for name, schema, table, current in query(_USERS):
        users.setdefault(str(name), []).append(table_name(str(schema), str(table), str(current)))
    found = []
    for name, step, last, cycles in query(_SEQUENCES):
        ((value, called),) = query(sql.select(["last_value", "is_called"], str(name)))
        following = int(str(value)) + (int(str(step)) if called else 0)
        tables = tuple(users.get(str(name), ()))
        found.append(Sequence(str(name), following, int(str(step)), int(str(last)), bool(cycles), tables))
    return found


def statements_to_restart_sequence(name: str, start: int, step: int, last: int) -> tuple[str, str]:
    """Let it give `start` next, and then count in steps up to `last`, or down to it."""
    bound = "MINVALUE" if step < 0 else "MAXVALUE"
    return (
        f"ALTER SEQUENCE {name} INCREMENT BY {step} {bound} {last} RESTART WITH {start}",
        f"SELECT setval({sql.literal(name)}, {start}, false)",
    )


def read_postgres_counter(query: RunQuery, table: str, column: str) -> int:
    """The last number that the column's sequence gave; 0 if the column has no sequence."""
    (sequence,) = query(f"SELECT {_sequence(table, column)}")[0]
    if sequence is None:
        return 0
    ((last, called),) = query(sql.select(["last_value", "is_called"], str(sequence)))
    return int(str(last)) if called else int(str(last)) - 1


def statement_to_set_postgres_counter(table: str, column: str, last: int) -> str:
    return f"SELECT setval({_sequence(table, column)}, {last})"


def _sequence(table: str, column: str) -> str:
    return f"pg_get_serial_sequence({sql.literal(sql.quote(table))}, {sql.literal(column)})"
