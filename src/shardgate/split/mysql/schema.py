"""The tables of a MySQL or MariaDB database with their keys, from information_schema."""

from collections import defaultdict
from typing import Final

from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.schema import UNLIKE, ForeignKey, Schema, Table
from shardgate.split.mysql import catalogue

_INTEGERS: Final = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
_PLAIN: Final = frozenset({"date", "datetime", "timestamp", "time", "year", "uuid", "binary", "varbinary", "bit"})


def read_schema(query: RunQuery) -> Schema:
    """Every table of the connection's database, sorted by name."""
    ((folds,),) = query("SELECT @@lower_case_table_names")
    names = [str(name) for name, kind, _ in query(catalogue.TABLES) if kind in ("BASE TABLE", "SYSTEM VERSIONED")]
    spelled = {name.lower() if str(folds) != "0" else name: name for name in names}
    columns: dict[str, list[tuple[str, bool, bool, bool, str]]] = defaultdict(list)
    for table, name, data_type, nullable, extra, collation, column_type in query(catalogue.COLUMNS):
        columns[str(table)].append(
            (
                str(name),
                str(nullable) == "YES",
                _is_generated(str(extra).upper()),
                "AUTO_INCREMENT" in str(extra).upper(),
                _equality(str(data_type), collation, str(column_type)),
            )
        )
    keys: dict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for table, key, column, _, parent, theirs in query(catalogue.KEYS):
        found = str(parent)
        parent_name = spelled.get(found.lower() if str(folds) != "0" else found, found)
        keys[str(table), str(key)].append((str(column), parent_name, str(theirs)))
    return Schema(
        tuple(_table(name, columns[name], {k: v for (t, k), v in keys.items() if t == name}) for name in names)
    )


def keys_into_other_databases(query: RunQuery) -> list[str]:
    """One refusal for each foreign key that refers to another database."""
    ((here,),) = query("SELECT DATABASE()")
    return [
        f"{table}: refers to {database}.{parent}, in another database. Only one database can be split: move the tables"
        " into one, or drop the foreign key"
        for table, _, _, database, parent, _ in query(catalogue.KEYS)
        if database not in (None, here)
    ]


def _table(
    name: str, columns: list[tuple[str, bool, bool, bool, str]], keys: dict[str, list[tuple[str, str, str]]]
) -> Table:
    nullable = {column for column, may_be_null, *_ in columns if may_be_null}
    primary_key = tuple(column for column, _, _ in keys.get("PRIMARY", []))
    foreign = [
        ForeignKey(
            tuple(own for own, _, _ in pairs),
            pairs[0][1],
            tuple(theirs for _, _, theirs in pairs),
            nullable=any(own in nullable for own, _, _ in pairs),
        )
        for key, pairs in keys.items()
        if key != "PRIMARY"
    ]
    return Table(
        name=name,
        columns=tuple(column for column, _, generated, _, _ in columns if not generated),
        primary_key=primary_key,
        foreign_keys=tuple(dict.fromkeys(foreign)),
        counts_up=any(counts for *_, counts, _ in columns),
        equality={column: equality for column, *_, equality in columns},
    )


def _is_generated(extra: str) -> bool:
    """MySQL says DEFAULT_GENERATED of a column whose default is an expression: such a column is stored."""
    words = extra.split()
    return any(word in words for word in ("VIRTUAL", "STORED", "PERSISTENT"))


def _equality(data_type: str, collation: object, column_type: str) -> str:
    """Texts are equal by their collation, which pads with spaces even if it compares bytes."""
    if "zerofill" in column_type:
        return UNLIKE  # 007 is 7
    if data_type in _INTEGERS:
        return "integer"
    if collation is not None or data_type in ("float", "double"):
        return UNLIKE
    return data_type if data_type in _PLAIN else column_type
