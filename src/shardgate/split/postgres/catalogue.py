"""The queries to PostgreSQL's system catalogue that return the statements to create a schema again.

Holds: a result is a complete statement, or a name with its statements. The rows come in an order in which the
statements can run. Objects that belong to an extension are left out: CREATE EXTENSION makes them.
"""

from typing import Final

_MINE: Final = "current_schema()::regnamespace"
_NOT_EXTENSIONS: Final = (
    "NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = '{catalog}'::regclass"
    " AND e.objid = {alias}.oid AND e.deptype = 'e')"
)
_OWN_CLASS: Final = _NOT_EXTENSIONS.format(catalog="pg_class", alias="c")
_OWN_FUNCTION: Final = _NOT_EXTENSIONS.format(catalog="pg_proc", alias="p")
_OWN_TYPE: Final = _NOT_EXTENSIONS.format(catalog="pg_type", alias="t")

TABLES: Final = f"""
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = {_MINE} AND c.relkind = 'r' AND {_OWN_CLASS} ORDER BY c.oid"""  # noqa: S608

COLUMNS: Final = f"""
SELECT c.relname, concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attcollation NOT IN (0, t.typcollation)
    THEN 'COLLATE ' || a.attcollation::regcollation END,
  CASE WHEN a.attgenerated IN ('s', 'v')
    THEN format('GENERATED ALWAYS AS (%s) ', pg_get_expr(d.adbin, d.adrelid))
      || CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END
    WHEN a.attidentity IN ('a', 'd')
    THEN format('GENERATED %s AS IDENTITY (SEQUENCE NAME %s START %s INCREMENT %s'
      || ' MINVALUE %s MAXVALUE %s CACHE %s %s)',
      CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, s.seqrelid::regclass,
      s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
      CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
    WHEN a.atthasdef THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END,
  CASE WHEN a.attnotnull THEN 'NOT NULL' END)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_sequence s ON a.attidentity <> ''
  AND s.seqrelid = pg_get_serial_sequence(quote_ident(c.relname), a.attname)::regclass
WHERE c.relnamespace = {_MINE} AND c.relkind = 'r' AND {_OWN_CLASS}
ORDER BY c.oid, a.attnum"""  # noqa: S608

# The name, CREATE SEQUENCE, ALTER SEQUENCE OWNED BY, and 'identity' if CREATE TABLE creates the sequence.
SEQUENCES: Final = f"""
SELECT c.relname,
  format('CREATE SEQUENCE %I AS %s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s %s',
    c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
    s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END),
  CASE WHEN d.deptype = 'a' THEN format('ALTER SEQUENCE %I OWNED BY %s.%I', c.relname,
    d.refobjid::regclass, a.attname) END,
  CASE WHEN d.deptype = 'i' THEN 'identity' END
FROM pg_class c
JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE c.relnamespace = {_MINE} AND {_OWN_CLASS} ORDER BY c.oid"""  # noqa: S608

CONSTRAINTS: Final = f"""
SELECT format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s',
  c.oid::regclass, k.conname, pg_get_constraintdef(k.oid))
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = {_MINE} AND c.relkind = 'r' AND k.contype IN ('p', 'u', 'x', 'c', 'f')
  AND {_OWN_CLASS}
ORDER BY position(k.contype::text IN 'puxcf'), k.oid"""  # noqa: S608

INDEXES: Final = f"""
SELECT c.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class r ON r.oid = i.indrelid
WHERE c.relnamespace = {_MINE} AND r.relkind = 'r' AND i.indisvalid AND {_OWN_CLASS}
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k
    WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY c.oid"""  # noqa: S608

VIEWS: Final = f"""
SELECT c.relname,
  format('CREATE %s %I AS %s', kind, c.relname, pg_get_viewdef(c.oid)),
  format('DROP %s IF EXISTS %I', kind, c.relname)
FROM pg_class c,
  LATERAL (SELECT CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind) AS v
WHERE c.relnamespace = {_MINE} AND c.relkind IN ('v', 'm') AND {_OWN_CLASS}
ORDER BY c.oid"""  # noqa: S608

TRIGGERS: Final = f"""
SELECT pg_get_triggerdef(t.oid) || CASE t.tgenabled
  WHEN 'D' THEN format('; ALTER TABLE %s DISABLE TRIGGER %I', c.oid::regclass, t.tgname)
  WHEN 'A' THEN format('; ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', c.oid::regclass, t.tgname)
  WHEN 'R' THEN format('; ALTER TABLE %s ENABLE REPLICA TRIGGER %I', c.oid::regclass, t.tgname)
  ELSE '' END
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = {_MINE} AND NOT t.tgisinternal AND {_OWN_CLASS} ORDER BY t.oid"""  # noqa: S608

FUNCTIONS: Final = f"""
SELECT p.proname, pg_get_functiondef(p.oid),
  format('DROP ROUTINE IF EXISTS %s', p.oid::regprocedure)
FROM pg_proc p
WHERE p.pronamespace = {_MINE} AND p.prokind <> 'a' AND {_OWN_FUNCTION} ORDER BY p.oid"""  # noqa: S608

TYPES: Final = f"""
SELECT t.typname,
  CASE t.typtype
    WHEN 'e' THEN format('CREATE TYPE %I AS ENUM (%s)', t.typname,
      (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
       FROM pg_enum WHERE enumtypid = t.oid))
    ELSE concat_ws(' ', format('CREATE DOMAIN %I AS %s', t.typname,
        format_type(t.typbasetype, t.typtypmod)),
      CASE WHEN t.typcollation NOT IN (0, b.typcollation)
        THEN 'COLLATE ' || t.typcollation::regcollation END,
      'DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN 'NOT NULL' END,
      (SELECT string_agg(format('CONSTRAINT %I %s', conname, pg_get_constraintdef(k.oid)), ' ')
       FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')) END,
  format('DROP TYPE IF EXISTS %I', t.typname)
FROM pg_type t LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE t.typnamespace = {_MINE} AND t.typtype IN ('e', 'd') AND {_OWN_TYPE} ORDER BY t.oid"""  # noqa: S608

EXTENSIONS: Final = """
SELECT format('CREATE EXTENSION IF NOT EXISTS %I', extname)
FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY oid"""

# One refusal for each object that cannot be split.
REFUSED: Final = f"""
SELECT c.relname || ': is ' || CASE WHEN c.relkind = 'p' OR c.relispartition
  THEN 'partitioned' WHEN c.relkind = 'f' THEN 'a foreign table' ELSE 'inherited' END
  || ', which cannot be split. Move its rows to an ordinary table first'
FROM pg_class c
WHERE c.relnamespace = {_MINE} AND (c.relkind IN ('p', 'f') OR c.relkind = 'r' AND EXISTS
  (SELECT 1 FROM pg_inherits i WHERE i.inhrelid = c.oid)) AND {_OWN_CLASS}
UNION ALL
SELECT c.relname || ': is a composite type, which cannot be copied. Use columns instead'
FROM pg_class c WHERE c.relnamespace = {_MINE} AND c.relkind = 'c' AND {_OWN_CLASS}"""  # noqa: S608

# Identifies the server, the database and the schema. The schema's name is the last column.
IDENTITY: Final = (
    "SELECT pg_postmaster_start_time(), current_setting('port'), oid, current_schema()"
    " FROM pg_database WHERE datname = current_database()"
)
# How the database sorts text.
COLLATION: Final = (
    "SELECT concat_ws(' ', datcollate, datctype, to_jsonb(d) ->> 'datlocale')"
    " FROM pg_database d WHERE datname = current_database()"
)
# Every table, view and sequence of the database, with its schema. An empty target has none.
NAMES: Final = """
SELECT n.nspname, c.relname, current_schema() FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid >= 16384 AND n.nspname !~ '^pg_(toast|temp)' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))"""
# Every sequence, as SQL.
SEQUENCE_NAMES: Final = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relkind = 'S' AND c.oid >= 16384 AND c.relpersistence <> 't'
  AND NOT EXISTS (SELECT 1 FROM pg_depend e
    WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e') ORDER BY c.oid"""
# The statements that delete what pg_dump's script makes. The current schema and extensions stay.
UNDO: Final = r"""
SELECT format('DROP %s IF EXISTS %s CASCADE', replace(i.type, 'composite type', 'type'), i.identity) FROM (
  SELECT 0 AS turn, 'pg_event_trigger'::regclass AS class, oid FROM pg_event_trigger
  UNION ALL SELECT 0, 'pg_publication'::regclass, oid FROM pg_publication
  UNION ALL SELECT 1, 'pg_class'::regclass, oid FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND NOT relispartition
  UNION ALL SELECT 2, 'pg_type'::regclass, oid FROM pg_type t WHERE typtype IN ('e', 'd', 'r', 'b')
    AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
  UNION ALL SELECT 3, 'pg_proc'::regclass, oid FROM pg_proc
  UNION ALL SELECT 3, 'pg_operator'::regclass, oid FROM pg_operator
  UNION ALL SELECT 3, 'pg_opfamily'::regclass, oid FROM pg_opfamily
  UNION ALL SELECT 3, 'pg_collation'::regclass, oid FROM pg_collation
  UNION ALL SELECT 3, 'pg_conversion'::regclass, oid FROM pg_conversion
  UNION ALL SELECT 3, 'pg_cast'::regclass, oid FROM pg_cast
  UNION ALL SELECT 3, 'pg_ts_config'::regclass, oid FROM pg_ts_config
  UNION ALL SELECT 3, 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
  UNION ALL SELECT 3, 'pg_ts_parser'::regclass, oid FROM pg_ts_parser
  UNION ALL SELECT 3, 'pg_ts_template'::regclass, oid FROM pg_ts_template
  UNION ALL SELECT 3, 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
  UNION ALL SELECT 4, 'pg_namespace'::regclass, oid FROM pg_namespace WHERE nspname <> current_schema()
) o, LATERAL pg_identify_object(o.class, o.oid, 0) i
WHERE o.oid >= 16384 AND coalesce(i.schema, i.identity) !~ '^pg_(toast|temp)'
  AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = o.class AND e.objid = o.oid
    AND (e.deptype = 'e' OR e.deptype = 'i' AND o.class = 'pg_proc'::regclass))
ORDER BY o.turn, o.oid DESC"""
