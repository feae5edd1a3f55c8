"""The tables of a PostgreSQL database with their keys, from the system catalogue.

Holds: every table of every schema is here, by its exact name, except those of extensions. The rows of a partition are
those of its partitioned table, so partitions have no entry of their own.
"""

from collections import defaultdict
from typing import Final

from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.mark import FINISHED, MARK
from shardgate.split.database.schema import UNLIKE, ForeignKey, Schema, Table
from shardgate.split.postgres.names import table_name

_TABLES: Final = rf"""
SELECT c.oid::text, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND c.oid >= 16384
  AND n.nspname !~ '^pg_(toast|temp)' AND c.relname NOT IN ('{MARK}', '{FINISHED}')
  AND NOT EXISTS (SELECT 1 FROM pg_depend e
    WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')"""  # noqa: S608

# Two columns hold equal values exactly when the values are printed alike, if both have the same of these words.
_EQUALITY: Final = """
CASE WHEN t.typname IN ('int2', 'int4', 'int8') THEN 'integer'
  WHEN t.typname IN ('text', 'varchar') AND l.collisdeterministic THEN 'text'
  WHEN t.typname IN ('uuid', 'bool', 'date', 'timestamp', 'timestamptz', 'bytea', 'oid', 'inet') THEN t.typname
  WHEN t.typbasetype = 'bytea'::regtype THEN 'bytea'
  WHEN t.typtype = 'e' THEN 'enum ' || t.oid ELSE '' END"""

_COLUMNS: Final = f"""
SELECT a.attrelid::text, a.attnum::int, a.attname, a.attnotnull, a.attgenerated <> '', {_EQUALITY},
  a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid), '') LIKE 'nextval(%'
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND c.oid >= 16384
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum"""  # noqa: S608

# Also columns of a domain over oid, as the extension lo makes one.
# The last column: whether the type is oid itself, or a domain over it. A number may also lie in an array or in a row.
_OIDS: Final = """
WITH RECURSIVE holds(type) AS (
  SELECT 'oid'::regtype::oid
  UNION
  SELECT t.oid FROM holds JOIN pg_type t ON t.typbasetype = holds.type OR t.typelem = holds.type OR EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND a.atttypid = holds.type))
SELECT n.nspname, c.relname, a.attname, 'oid'::regtype IN (t.oid, t.typbasetype)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
  AND t.oid IN (SELECT type FROM holds) ORDER BY 1, 2, 3"""

_KEYS: Final = """
SELECT k.conrelid::text, k.contype, k.conkey::int[], k.confrelid::text, k.confkey::int[]
FROM pg_constraint k WHERE k.contype IN ('p', 'f') AND k.conparentid = 0 ORDER BY k.conname"""


def read_schema(query: RunQuery) -> Schema:
    """Every table of the connection's database, sorted by name."""
    ((current,),) = query("SELECT current_schema()")
    names = {str(oid): table_name(str(schema), str(table), str(current)) for oid, schema, table in query(_TABLES)}
    columns: dict[str, dict[int, tuple[str, bool, bool, str, bool]]] = defaultdict(dict)
    for oid, number, name, not_null, generated, equality, counts in query(_COLUMNS):
        columns[str(oid)][int(str(number))] = (
            str(name), bool(not_null), bool(generated), str(equality or UNLIKE), bool(counts)
        )  # fmt: skip
    primary: dict[str, tuple[str, ...]] = {}
    foreign: dict[str, list[ForeignKey]] = defaultdict(list)
    for oid, kind, own, parent, theirs in query(_KEYS):
        if str(oid) not in names:
            continue
        key = [columns[str(oid)][number] for number in _numbers(own)]
        if kind == "p":
            primary[str(oid)] = tuple(name for name, *_ in key)
        elif str(parent) in names:
            foreign[str(oid)].append(
                ForeignKey(
                    tuple(name for name, *_ in key),
                    names[str(parent)],
                    tuple(columns[str(parent)][number][0] for number in _numbers(theirs)),
                    nullable=not all(not_null for _, not_null, *_ in key),
                )
            )
    tables = [
        _table(name, list(columns[oid].values()), primary.get(oid, ()), foreign[oid]) for oid, name in names.items()
    ]
    return Schema(tuple(sorted(tables, key=lambda table: table.name)))


def _numbers(found: object) -> list[int]:
    return [int(str(number)) for number in found] if isinstance(found, list) else []


def _table(
    name: str,
    columns: list[tuple[str, bool, bool, str, bool]],
    primary_key: tuple[str, ...],
    foreign_keys: list[ForeignKey],
) -> Table:
    return Table(
        name=name,
        columns=tuple(column for column, _, generated, _, _ in columns if not generated),
        primary_key=primary_key,
        foreign_keys=tuple(dict.fromkeys(foreign_keys)),
        counts_up=any(counts and primary_key == (column,) for column, _, _, _, counts in columns),
        equality={column: equality for column, _, _, equality, _ in columns},
    )


def columns_of_large_objects(query: RunQuery) -> list[tuple[str, str, bool]]:
    """The table and the name of each column that may have numbers of large objects, and whether it is one number."""
    ((current,),) = query("SELECT current_schema()")
    return [
        (table_name(str(schema), str(table), str(current)), str(column), bool(single))
        for schema, table, column, single in query(_OIDS)
    ]
