"""Every object of a PostgreSQL database, from the system catalogue.

Holds: each catalogue of the server is read here, or is listed in UNREAD with the reason why not. A catalogue that this
module does not know, because a newer server has it, is an object of the kind `catalogue`. Objects of extensions are
left out: CREATE EXTENSION makes them.
Never: depends on search_path. Names in definitions have their schemas.
"""

from typing import Final

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.inventory import Inventory, inventory_of
from shardgate.split.database.mark import FINISHED, MARK

# Kinds that neither pg_dump nor this package carries, because they belong to one server or to its roles.
NEVER_CARRIED: Final = frozenset(
    {
        "catalogue", "database setting", "default grant", "extension rows", "grant", "index that is not valid",
        "large object", "owner", "security label", "subscription", "tablespace",
    }
)  # fmt: skip

UNREAD: Final = {
    "pg_attrdef": "read with its column",
    "pg_auth_members": "roles are of the server",
    "pg_authid": "roles are of the server",
    "pg_database": "the target exists already; its locale is compared apart",
    "pg_depend": "follows from the other catalogues",
    "pg_enum": "read with its type",
    "pg_inherits": "read with its table",
    "pg_init_privs": "subtracted from the grants",
    "pg_largeobject": "read as pg_largeobject_metadata",
    "pg_parameter_acl": "settings are of the server",
    "pg_replication_origin": "replication is of the server",
    "pg_shdepend": "follows from the other catalogues",
    "pg_shdescription": "comments on objects of the server",
    "pg_shseclabel": "labels of objects of the server",
    "pg_statistic": "ANALYZE makes it",
    "pg_statistic_ext_data": "ANALYZE makes it",
    "pg_subscription_rel": "read as subscription",
}

_FIRST_OID: Final = 16384  # of objects that users made; the server's own have smaller ones
_MARKS: Final = f"('{MARK}', '{FINISHED}')"


def _own(catalogue: str, alias: str) -> str:
    return (
        f"{alias}.oid >= {_FIRST_OID} AND NOT EXISTS (SELECT FROM pg_depend e"
        f" WHERE e.classid = '{catalogue}'::regclass AND e.objid = {alias}.oid AND e.deptype = 'e')"
    )


_OWN_CLASS: Final = (
    _own("pg_class", "c") + f" AND c.relpersistence <> 't' AND c.relname NOT IN {_MARKS} AND NOT EXISTS"
    f" (SELECT FROM pg_index x JOIN pg_class m ON m.oid = x.indrelid WHERE x.indexrelid = c.oid"
    f" AND m.relname IN {_MARKS}) AND c.relnamespace NOT IN"
    r" (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast|temp)')"
)


def _name(catalogue: str, oid: str, column: str = "0") -> str:
    return f"(pg_identify_object('{catalogue}'::regclass, {oid}, {column})).identity"


def _row(catalogue: str, kind: str, without: str, more: str = "''", where: str = "") -> str:
    """Objects whose definition is their row: the columns that are numbers of other objects are taken out."""
    return (
        f"SELECT '{kind}', {_name(catalogue, 'o.oid')},"
        f" (to_jsonb(o) - '{{oid,{without}}}'::text[])::text || {more}"
        f" FROM {catalogue} o WHERE {_own(catalogue, 'o')} {where}"
    )


_OPTIONS: Final = "(SELECT string_agg(w, ', ' ORDER BY w) FROM unnest({}) AS w)"

# By catalogue: the queries that read it. Each returns kind, name, definition.
QUERIES: Final[dict[str, tuple[str, ...]]] = {
    "pg_namespace": (
        f"SELECT 'schema', quote_ident(n.nspname), '' FROM pg_namespace n WHERE {_own('pg_namespace', 'n')}"
        r" AND n.nspname !~ '^pg_(toast|temp)'",
    ),
    "pg_extension": (
        "SELECT 'extension', extname, '' FROM pg_extension WHERE extname <> 'plpgsql'",
        "SELECT 'extension rows', extname, '' FROM pg_extension WHERE extconfig IS NOT NULL",
    ),
    "pg_class": (
        f"""SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
              WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END,
            {_name("pg_class", "c.oid")},
            concat_ws('; ', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' END,
              {_OPTIONS.format("c.reloptions")},
              (SELECT 'toast ' || {_OPTIONS.format("t.reloptions")} FROM pg_class t WHERE t.oid = c.reltoastrelid),
              CASE WHEN c.relrowsecurity THEN 'row security' END,
              CASE WHEN c.relforcerowsecurity THEN 'forced row security' END,
              CASE WHEN c.relreplident <> 'd' AND c.relkind IN ('r', 'p')
                THEN concat('replica identity ', c.relreplident) END,
              CASE WHEN c.reloftype <> 0 THEN 'of ' || c.reloftype::regtype END,
              (SELECT 'access method ' || amname FROM pg_am WHERE oid = c.relam AND amname <> 'heap'),
              CASE WHEN c.relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(c.oid) END,
              pg_get_expr(c.relpartbound, c.oid),
              (SELECT 'inherits ' || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
                FROM pg_inherits WHERE inhrelid = c.oid),
              CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'without data' END,
              CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
          FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND {_OWN_CLASS}""",
        f"SELECT 'tablespace', {_name('pg_class', 'c.oid')}, '' FROM pg_class c"
        f" WHERE c.reltablespace <> 0 AND {_OWN_CLASS}",
    ),
    "pg_partitioned_table": (),
    "pg_attribute": (
        f"""SELECT 'column', {_name("pg_class", "c.oid", "a.attnum")},
            concat_ws('; ', format_type(a.atttypid, a.atttypmod),
              CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN 'collate ' || a.attcollation::regcollation END,
              CASE WHEN a.attgenerated <> '' THEN concat('generated ', a.attgenerated) END,
              CASE WHEN a.attidentity <> '' THEN concat('identity ', a.attidentity) END,
              pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attnotnull THEN 'not null' END,
              CASE WHEN a.attstorage <> t.typstorage THEN concat('storage ', a.attstorage) END,
              (SELECT 'compression ' || v FROM nullif(to_jsonb(a) ->> 'attcompression', '') AS v),
              CASE WHEN a.attstattarget >= 0 THEN 'statistics ' || a.attstattarget END,
              {_OPTIONS.format("a.attoptions")}, {_OPTIONS.format("a.attfdwoptions")})
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          JOIN pg_type t ON t.oid = a.atttypid
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
          WHERE (c.relkind IN ('r', 'p', 'f', 'c') OR c.relkind = 'v' AND d.oid IS NOT NULL) AND {_OWN_CLASS}""",
    ),
    "pg_sequence": (
        f"""SELECT 'sequence', {_name("pg_class", "c.oid")},
            concat_ws('; ', s.seqtypid::regtype, 'start ' || s.seqstart, 'cache ' || s.seqcache,
              CASE WHEN s.seqcycle THEN 'cycle' END, CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' END,
              (SELECT 'owned by ' || {_name("pg_class", "d.refobjid", "d.refobjsubid")} FROM pg_depend d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refobjsubid > 0
                AND d.deptype IN ('a', 'i')))
          FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE {_OWN_CLASS}""",
        f"""SELECT 'steps of sequence', {_name("pg_class", "c.oid")},
            concat_ws(' ', s.seqincrement, s.seqmin, s.seqmax)
          FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE {_OWN_CLASS}""",
    ),
    "pg_constraint": (
        f"""SELECT 'constraint', {_name("pg_constraint", "k.oid")}, pg_get_constraintdef(k.oid)
          FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
          WHERE k.contype <> 't' AND k.conparentid = 0 AND {_OWN_CLASS}""",
        f"""SELECT 'constraint', {_name("pg_constraint", "k.oid")}, pg_get_constraintdef(k.oid)
          FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid WHERE {_own("pg_type", "t")}""",
    ),
    "pg_index": (
        f"""SELECT CASE WHEN i.indisvalid THEN 'index' ELSE 'index that is not valid' END,
            {_name("pg_class", "c.oid")},
            concat_ws('; ', pg_get_indexdef(c.oid), CASE WHEN i.indisclustered THEN 'clustered' END,
              CASE WHEN i.indisreplident THEN 'replica identity' END)
          FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE {_OWN_CLASS}""",
    ),
    "pg_trigger": (
        f"""SELECT 'trigger', {_name("pg_trigger", "g.oid")}, concat(pg_get_triggerdef(g.oid), ' ', g.tgenabled)
          FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal AND {_OWN_CLASS}""",
    ),
    "pg_rewrite": (
        f"""SELECT 'rule', {_name("pg_rewrite", "r.oid")}, concat(pg_get_ruledef(r.oid), ' ', r.ev_enabled)
          FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN' AND {_OWN_CLASS}""",
    ),
    "pg_policy": (
        f"""SELECT 'policy', {_name("pg_policy", "p.oid")},
            concat_ws('; ', p.polcmd, p.polpermissive, ARRAY(SELECT r::regrole::text FROM unnest(p.polroles) r
              ORDER BY 1)::text, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
          FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE {_OWN_CLASS}""",
    ),
    "pg_proc": (
        f"""SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, {_name("pg_proc", "p.oid")},
            pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.prokind <> 'a' AND {_own("pg_proc", "p")}""",
    ),
    "pg_aggregate": (
        f"""SELECT 'aggregate', {_name("pg_proc", "p.oid")}, (to_jsonb(g)
            - '{{aggfnoid,aggtranstype,aggmtranstype,aggsortop}}'::text[])::text || concat_ws('; ',
              pg_get_function_arguments(p.oid), g.aggtranstype::regtype, nullif(g.aggmtranstype, 0)::regtype,
              nullif(g.aggsortop, 0)::regoperator)
          FROM pg_aggregate g JOIN pg_proc p ON p.oid = g.aggfnoid WHERE {_own("pg_proc", "p")}""",
    ),
    "pg_type": (
        f"""SELECT 'type', {_name("pg_type", "t.oid")}, concat_ws('; ', t.typtype,
              CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typdefault,
              CASE WHEN t.typnotnull THEN 'not null' END,
              CASE WHEN t.typcollation <> 0 THEN 'collate ' || t.typcollation::regcollation END,
              (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
                FROM pg_enum WHERE enumtypid = t.oid),
              CASE WHEN t.typtype = 'b' THEN concat_ws(' ', t.typlen, t.typbyval, t.typalign, t.typstorage,
                t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout) END)
          FROM pg_type t WHERE t.typtype IN ('b', 'd', 'e', 'p')
          AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid) AND {_own("pg_type", "t")}""",
    ),
    "pg_range": (
        f"""SELECT 'type', {_name("pg_type", "t.oid")}, concat_ws('; ', 'range', r.rngsubtype::regtype,
              (SELECT opcname FROM pg_opclass WHERE oid = r.rngsubopc), nullif(r.rngcollation, 0)::regcollation,
              r.rngcanonical, r.rngsubdiff)
          FROM pg_range r JOIN pg_type t ON t.oid = r.rngtypid WHERE {_own("pg_type", "t")}""",
    ),
    "pg_collation": (_row("pg_collation", "collation", "collname,collnamespace,collowner,collversion"),),
    "pg_conversion": (_row("pg_conversion", "conversion", "conname,connamespace,conowner"),),
    "pg_operator": (
        _row(
            "pg_operator",
            "operator",
            "oprname,oprnamespace,oprowner,oprleft,oprright,oprresult,oprcom,oprnegate",
            "concat_ws(' ', o.oprresult::regtype, nullif(o.oprcom, 0)::regoperator, nullif(o.oprnegate,"
            " 0)::regoperator)",
            "AND o.oprcode <> 0",
        ),
    ),
    "pg_opclass": (
        _row(
            "pg_opclass",
            "operator class",
            "opcmethod,opcname,opcnamespace,opcowner,opcfamily,opcintype,opckeytype",
            f"concat_ws(' ', {_name('pg_opfamily', 'o.opcfamily')}, o.opcintype::regtype, nullif(o.opckeytype,"
            " 0)::regtype)",
        ),
    ),
    "pg_opfamily": (_row("pg_opfamily", "operator family", "opfmethod,opfname,opfnamespace,opfowner"),),
    "pg_amop": (
        f"SELECT 'operator of a family', {_name('pg_amop', 'o.oid')}, '' FROM pg_amop o WHERE {_own('pg_amop', 'o')}",
    ),
    "pg_amproc": (
        f"SELECT 'function of a family', {_name('pg_amproc', 'o.oid')}, o.amproc::regprocedure::text"
        f" FROM pg_amproc o WHERE {_own('pg_amproc', 'o')}",
    ),
    "pg_am": (_row("pg_am", "access method", "amname"),),
    "pg_ts_parser": (_row("pg_ts_parser", "text search parser", "prsname,prsnamespace"),),
    "pg_ts_template": (_row("pg_ts_template", "text search template", "tmplname,tmplnamespace"),),
    "pg_ts_dict": (
        _row(
            "pg_ts_dict",
            "text search dictionary",
            "dictname,dictnamespace,dictowner,dicttemplate",
            _name("pg_ts_template", "o.dicttemplate"),
        ),
    ),
    "pg_ts_config": (
        _row(
            "pg_ts_config",
            "text search configuration",
            "cfgname,cfgnamespace,cfgowner,cfgparser",
            "concat_ws(' ', (SELECT string_agg(concat(m.maptokentype, ' ', m.mapseqno, ' ', m.mapdict::regdictionary),"
            " ', ' ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = o.oid))",
        ),
    ),
    "pg_ts_config_map": (),
    "pg_statistic_ext": (
        f"SELECT 'statistics object', {_name('pg_statistic_ext', 'o.oid')}, concat_ws(' ',"
        " pg_get_statisticsobjdef(o.oid), o.stxstattarget)"
        f" FROM pg_statistic_ext o WHERE {_own('pg_statistic_ext', 'o')}",
    ),
    "pg_foreign_data_wrapper": (
        _row(
            "pg_foreign_data_wrapper",
            "foreign-data wrapper",
            "fdwowner,fdwacl,fdwhandler,fdwvalidator,fdwoptions",
            "concat_ws(' ', o.fdwhandler::regproc, o.fdwvalidator::regproc, " + _OPTIONS.format("o.fdwoptions") + ")",
        ),
    ),
    "pg_foreign_server": (
        _row(
            "pg_foreign_server",
            "server",
            "srvowner,srvfdw,srvacl,srvoptions",
            "concat_ws(' ', (SELECT fdwname FROM pg_foreign_data_wrapper f WHERE f.oid = o.srvfdw),"
            f" {_OPTIONS.format('o.srvoptions')})",
        ),
    ),
    "pg_user_mapping": (
        "SELECT 'user mapping', concat(m.usename, ' on server ', m.srvname), "
        f" {_OPTIONS.format('m.umoptions')} FROM pg_user_mappings m",
    ),
    "pg_foreign_table": (
        f"SELECT 'server of foreign table', {_name('pg_class', 'c.oid')}, concat_ws(' ', s.srvname,"
        f" {_OPTIONS.format('f.ftoptions')}) FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver"
        f" JOIN pg_class c ON c.oid = f.ftrelid WHERE {_OWN_CLASS}",
    ),
    "pg_publication": (_row("pg_publication", "publication", "pubname,pubowner"),),
    "pg_publication_rel": (
        "SELECT 'table of a publication', concat(v.pubname, ' ', v.schemaname, '.', v.tablename), concat_ws(' ',"
        " to_jsonb(v) ->> 'attnames', to_jsonb(v) ->> 'rowfilter') FROM pg_publication_tables v"
        f" WHERE v.tablename NOT IN {_MARKS}",
    ),
    "pg_publication_namespace": (
        f"SELECT 'schema of a publication', {_name('pg_publication_namespace', 'o.oid')}, ''"
        " FROM pg_publication_namespace o",
    ),
    "pg_subscription": (
        "SELECT 'subscription', subname, '' FROM pg_subscription"
        " WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
    ),
    "pg_event_trigger": (
        _row("pg_event_trigger", "event trigger", "evtname,evtowner,evtfoid", "o.evtfoid::regproc::text"),
    ),
    "pg_cast": (
        f"SELECT 'cast', {_name('pg_cast', 'o.oid')}, concat_ws(' ', nullif(o.castfunc, 0)::regprocedure,"
        f" o.castcontext, o.castmethod) FROM pg_cast o WHERE {_own('pg_cast', 'o')}",
    ),
    "pg_transform": (
        f"SELECT 'transform', {_name('pg_transform', 'o.oid')}, concat_ws(' ', o.trffromsql, o.trftosql)"
        f" FROM pg_transform o WHERE {_own('pg_transform', 'o')}",
    ),
    "pg_language": (
        _row(
            "pg_language",
            "language",
            "lanname,lanowner,lanplcallfoid,laninline,lanvalidator,lanacl",
            "concat_ws(' ', o.lanplcallfoid::regproc, o.laninline::regproc, o.lanvalidator::regproc)",
        ),
    ),
    "pg_description": (
        f"""SELECT 'comment', concat(i.type, ' ', i.identity), d.description FROM pg_description d,
            LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
          WHERE (d.objoid >= {_FIRST_OID} OR d.classoid = 'pg_namespace'::regclass AND i.name = 'public')
          AND i.type NOT IN ('extension', 'language') AND NOT EXISTS (SELECT FROM pg_depend e
            WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')""",
    ),
    "pg_seclabel": (
        "SELECT 'security label', concat(i.type, ' ', i.identity, ' ', l.provider), l.label FROM pg_seclabel l,"
        " LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) i",
    ),
    "pg_largeobject_metadata": (
        "SELECT 'large object', count(*)::text || ' of them', '' FROM pg_largeobject_metadata HAVING count(*) > 0",
    ),
    "pg_default_acl": (
        f"SELECT 'default grant', {_name('pg_default_acl', 'o.oid')}, o.defaclacl::text FROM pg_default_acl o",
    ),
    "pg_db_role_setting": (
        "SELECT 'database setting', concat(w, CASE WHEN s.setrole <> 0 THEN ' for a role' END), ''"
        " FROM pg_db_role_setting s, unnest(s.setconfig) w"
        " WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())",
    ),
    "pg_tablespace": (),
}

_ACLS: Final = (
    ("pg_class", "relacl", "relowner"), ("pg_proc", "proacl", "proowner"), ("pg_namespace", "nspacl", "nspowner"),
    ("pg_type", "typacl", "typowner"), ("pg_foreign_data_wrapper", "fdwacl", "fdwowner"),
    ("pg_foreign_server", "srvacl", "srvowner"),
)  # fmt: skip
_GRANTS: Final = (
    *(
        f"SELECT 'grant', concat('on ', i.type, ' ', i.identity), o.{acl}::text FROM {catalogue} o,"
        f" LATERAL pg_identify_object('{catalogue}'::regclass, o.oid, 0) i WHERE o.{acl} IS NOT NULL"
        f" AND {_own(catalogue, 'o')}"
        for catalogue, acl, _ in _ACLS
    ),
    "SELECT 'grant', concat('on column ', i.identity), a.attacl::text FROM pg_attribute a,"
    " LATERAL pg_identify_object('pg_class'::regclass, a.attrelid, a.attnum) i"
    f" WHERE a.attacl IS NOT NULL AND a.attrelid >= {_FIRST_OID}",
)
_OWNERS: Final = tuple(
    f"SELECT 'owner', concat(i.type, ' ', i.identity), pg_get_userbyid(o.{owner}) FROM {catalogue} o,"
    f" LATERAL pg_identify_object('{catalogue}'::regclass, o.oid, 0) i"
    f" WHERE pg_get_userbyid(o.{owner}) <> current_user AND {_own(catalogue, 'o')}"
    + {
        "pg_class": " AND o.relkind IN ('r', 'p', 'v', 'm', 'f') AND o.relnamespace NOT IN (SELECT oid FROM"
        " pg_namespace WHERE nspname ~ '^pg_(toast|temp)')",
        "pg_type": " AND o.typtype IN ('e', 'd', 'r')",
    }.get(catalogue, "")
    for catalogue, _, owner in _ACLS
)

_CATALOGUES: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'"
    f" AND oid < {_FIRST_OID}"
)


def read_inventory(query: RunQuery) -> Inventory:
    """Every object of the connection's database. The query must run in a transaction."""
    ((path,),) = query("SELECT current_setting('search_path')")
    query("SELECT set_config('search_path', 'pg_catalog', true)")
    there = {str(name) for (name,) in query(_CATALOGUES)}
    rows = [row for name, some in QUERIES.items() if name in there for each in some for row in query(each)]
    for each in (*_GRANTS, *_OWNERS):
        rows += query(each)
    rows += [("catalogue", name, "") for name in sorted(there - {*QUERIES, *UNREAD})]
    query(f"SELECT set_config('search_path', {sql.literal(str(path))}, true)")
    return inventory_of(rows)
