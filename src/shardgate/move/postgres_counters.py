"""The sequences of PostgreSQL that count for the columns of one table.

Never: writes.
"""

from typing import Final

from shardgate.move.database import Counter
from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery

# A sequence belongs to the column, or is in the column's default.
_SEQUENCES: Final = """SELECT DISTINCT c.oid::regclass::text, a.attname, s.seqincrement, s.seqmax
    FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
        AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
      OR d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
    LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    JOIN pg_attribute a ON a.attrelid = coalesce(f.adrelid, d.refobjid) AND a.attnum = coalesce(f.adnum, d.refobjsubid)
    WHERE a.attrelid = {}::regclass AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype,
      'numeric'::regtype) AND s.seqincrement > 0"""


def postgres_counters(query: RunQuery, relation: str) -> list[tuple[str, Counter]]:
    """The name of each sequence that counts up for a column of the table, as SQL, and where it is."""
    found = []
    for name, column, step, last in query(_SEQUENCES.format(sql.literal(relation))):
        ((value, called),) = query(sql.select(["last_value", "is_called"], str(name)))
        following = int(str(value)) + (int(str(step)) if called else 0)
        found.append((str(name), Counter(str(column), following, int(str(step)), int(str(last)), remembers=True)))
    return found
