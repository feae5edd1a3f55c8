"""The schema from MySQL or MariaDB to the same kind: what the server's own SHOW CREATE says.

Holds: tables have their engine, character sets, generated columns, checks and partitions. An event is made disabled,
and switched on when all is verified. AUTO_INCREMENT gives the id next that the source would have given next.
Never: copies grants, or who made a view, a trigger, a routine or an event: the account of the split makes them.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.ddl import Ddl
from shardgate.split.mysql import catalogue
from shardgate.split.mysql.catalogue import SQL_MODE, backticked, shown, without_database, without_definer
from shardgate.split.mysql.inventory import NEVER_CARRIED

# As the servers' own dump tools write it: defaults may be zero dates, and a backslash means what it means there.
_DDL_MODE: Final = "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"
_OUR_MODE: Final = f"SET SESSION sql_mode = '{SQL_MODE}'"
_OUR_ZONE: Final = "SET SESSION time_zone = '+00:00'"
_OUR_COLLATION: Final = "SET SESSION collation_connection = @shardgate_collation"


def read_mysql_ddl(query: RunQuery) -> Ddl:
    """The whole schema of the connection's database."""
    ((database,),) = query("SELECT DATABASE()")
    found = [(str(name), str(kind), str(engine)) for name, kind, engine in query(catalogue.TABLES)]
    tables = [name for name, kind, _ in found if kind in ("BASE TABLE", "SYSTEM VERSIONED")]
    views = [name for name, kind, _ in found if kind == "VIEW"]
    sequences = [name for name, kind, _ in found if kind == "SEQUENCE"]
    query(_DDL_MODE)  # SHOW CREATE writes names as the mode says
    created = [_table(shown(query, "TABLE", name)["text"]) for name in tables]
    view_texts = {name: shown(query, "VIEW", name) for name in views}
    programs = [("TRIGGER", str(name)) for (name,) in query(catalogue.TRIGGERS)]
    routines = [(str(kind), str(name)) for kind, name in query(catalogue.ROUTINES)]
    events = [(str(name), str(status)) for name, status in query(catalogue.EVENTS)]
    texts = {
        (kind, name): shown(query, kind, name)
        for kind, name in [*programs, *routines, *(("EVENT", name) for name, _ in events)]
        if kind in _KINDS
    }
    made_sequences = _sequences(query, sequences)
    query(_OUR_MODE)
    hidden = [f"{kind.lower()} {name}" for (kind, name), each in texts.items() if not each["text"]]
    return Ddl(
        before=(_DDL_MODE, *made_sequences, *created, _OUR_MODE),
        after=(
            "SET @shardgate_collation = @@collation_connection",
            *(line for kind, name in routines if kind in _KINDS for line in _program(kind, name, texts[kind, name])),
            *(line for name in in_order(view_texts) for line in _view(name, view_texts[name], str(database))),
            *(line for kind, name in programs for line in _program(kind, name, texts[kind, name])),
            *(line for name, _ in events for line in _program("EVENT", name, texts["EVENT", name])),
            *_set_sequences(query, sequences),
            _OUR_MODE,
            _OUR_COLLATION,
            _OUR_ZONE,
        ),
        closing=tuple(f"ALTER EVENT {sql.quote(name)} ENABLE" for name, status in events if status == "ENABLED"),
        objects=tuple(name for name, *_ in found),
        undo=(
            *(f"DROP EVENT IF EXISTS {sql.quote(name)}" for name, _ in events),
            *(f"DROP {kind} IF EXISTS {sql.quote(name)}" for kind, name in routines),
            *(f"DROP VIEW IF EXISTS {sql.quote(name)}" for name in views),
            *(f"DROP TABLE IF EXISTS {sql.quote(name)}" for name in tables),
            *(f"DROP SEQUENCE IF EXISTS {sql.quote(name)}" for name in sequences),
        ),
        repeatable=True,
        not_carried=NEVER_CARRIED,
        refusals=tuple(f"{name}: its text may not be read. Give --source an account that may" for name in hidden)
        + tuple(_refused(found)),
        warnings=tuple(_warnings(found, texts.items(), str(database))),
    )


_KINDS: Final = frozenset({"TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"})


def _table(text: str) -> str:
    return text.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1)


def _view(name: str, found: dict[str, str], database: str) -> list[str]:
    text = without_database(without_definer(found["text"]), database)
    return [
        _DDL_MODE,
        f"SET SESSION collation_connection = '{found['collation']}'",
        text.replace("CREATE ", "CREATE OR REPLACE ", 1),
    ]


def _program(kind: str, name: str, found: dict[str, str]) -> list[str]:
    """A trigger, routine or event, in the mode in which it was made: the mode is a part of it."""
    text = without_definer(found["text"])
    zone = []
    if kind == "EVENT":  # its times are of its time zone
        text = text.replace(" ENABLE DO ", " DISABLE DO ").replace(" ENABLE COMMENT ", " DISABLE COMMENT ")
        zone = [f"SET SESSION time_zone = '{found['zone']}'"]
    return [
        *zone,
        f"SET SESSION sql_mode = '{found['mode']}'",
        f"SET SESSION collation_connection = '{found['collation']}'",
        f"DROP {kind} IF EXISTS {backticked(name)}",
        text,
    ]


def _sequences(query: RunQuery, names: Iterable[str]) -> list[str]:
    return [
        shown(query, "SEQUENCE", name)["text"].replace("CREATE SEQUENCE", "CREATE SEQUENCE IF NOT EXISTS", 1)
        for name in names
    ]


def _set_sequences(query: RunQuery, names: Iterable[str]) -> list[str]:
    """A sequence hands out a cache of numbers: the next is after the last of them."""
    found = [(name, query(sql.select(["next_not_cached_value"], sql.quote(name)))[0][0]) for name in names]
    return [_OUR_MODE, *(f"SELECT setval({sql.quote(name)}, {value}, 0)" for name, value in found)]


def in_order(views: dict[str, dict[str, str]]) -> list[str]:
    """Each view after the views that its text names."""
    done: list[str] = []

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in done or name in above:
            return
        for other in views:
            if other != name and f"`{other}`" in views[name]["text"]:
                add(other, (*above, name))
        done.append(name)

    for name in views:
        add(name, ())
    return done


def _refused(found: Sequence[tuple[str, str, str]]) -> list[str]:
    return [
        f"{name}: is system-versioned, and its history cannot be copied. Keep the source as it is, split a copy of it,"
        f" and drop the versioning in the copy first: ALTER TABLE {name} DROP SYSTEM VERSIONING"
        for name, kind, _ in found
        if kind == "SYSTEM VERSIONED"
    ]


def _warnings(
    found: Sequence[tuple[str, str, str]], texts: Iterable[tuple[tuple[str, str], dict[str, str]]], database: str
) -> list[str]:
    unsafe = [
        f"{name}: the engine {engine} has no transactions, so the table is not part of the snapshot. Stop the"
        " application while you split"
        for name, kind, engine in found
        if kind == "BASE TABLE" and engine not in ("InnoDB", "ROCKSDB")
    ]
    programs = list(texts)
    made = [f"view {name}" for name, kind, _ in found if kind == "VIEW"]
    made += [f"{kind.lower()} {name}" for (kind, name), _ in programs]
    makers = [f"{each}: is made anew by the account of --into, which is then its DEFINER" for each in made]
    elsewhere = [
        f"{kind.lower()} {name}: names the database {database} in its text, and will still use it on each shard"
        for (kind, name), each in programs
        if f"`{database}`." in each["text"] or f" {database}." in each["text"]
    ]
    return [*unsafe, *makers, *elsewhere]
