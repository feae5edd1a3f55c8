"""The unique indexes and exclusion constraints of a table in PostgreSQL, read from its catalogue.

Holds: terms, conditions and operators are as the server itself writes them; also of constraints that are deferred.
Never: writes.
"""

from typing import Final

from shardgate.move.unique_indexes import UniqueIndex
from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery

# One row a term. An index has no operator: its class has one for equality, number 3 of every btree.
_TERMS: Final = """SELECT c.relname, pg_get_indexdef(i.indexrelid, k.place, true),
    CASE WHEN l.oid IS NOT NULL THEN format('%I.%I', ln.nspname, l.collname) END,
    format('OPERATOR(%I.%s)', o_n.nspname, o.oprname),
    coalesce(pg_get_expr(i.indpred, i.indrelid), ''),
    coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
    x.oid IS NOT NULL, CASE WHEN i.indisunique THEN a.attname END
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    CROSS JOIN LATERAL generate_series(1, i.indnkeyatts::int) AS k(place)
    JOIN pg_opclass s ON s.oid = i.indclass[k.place - 1]
    LEFT JOIN pg_constraint x ON x.conindid = i.indexrelid AND x.conexclop IS NOT NULL
    LEFT JOIN pg_amop e ON e.amopfamily = s.opcfamily AND e.amopstrategy = 3
      AND e.amoplefttype = s.opcintype AND e.amoprighttype = s.opcintype
    JOIN pg_operator o ON o.oid = coalesce(x.conexclop[k.place], e.amopopr)
    JOIN pg_namespace o_n ON o_n.oid = o.oprnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place - 1] AND a.attnum <> 0
    LEFT JOIN pg_collation l ON l.oid = i.indcollation[k.place - 1]
    LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
    WHERE i.indrelid = {}::regclass AND (i.indisunique OR i.indisexclusion)
    ORDER BY i.indisprimary DESC, i.indexrelid, k.place"""


def postgres_unique_indexes(query: RunQuery, relation: str) -> list[UniqueIndex]:
    """Of one table, the primary key first. `relation`: its name as SQL."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for row in query(_TERMS.format(sql.literal(relation))):
        found.setdefault(str(row[0]), []).append(row)
    return [_index(name, rows) for name, rows in found.items()]


def _index(name: str, rows: list[tuple[object, ...]]) -> UniqueIndex:
    *_, where, nulls_are_equal, excludes, _ = rows[0]
    columns = [row[-1] for row in rows]
    return UniqueIndex(
        name,
        tuple(str(term) for _, term, *_ in rows),
        tuple(f"({term})" + (f" COLLATE {collation}" if collation else "") for _, term, collation, *_ in rows),
        tuple(str(operator) for _, _, _, operator, *_ in rows),
        str(where),
        nulls_are_equal=bool(nulls_are_equal),
        excludes=bool(excludes),
        columns=() if None in columns else tuple(map(str, columns)),
    )
