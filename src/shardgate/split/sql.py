"""The few statements a split needs, spelled in one place; both kinds of database take them.

Holds: every name is quoted, so a table called `order` is a table like any other.
"""

from collections.abc import Iterable, Sequence


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def listed(names: Iterable[str]) -> str:
    return ", ".join(map(quote, names))


def select(expressions: Sequence[str], source: str) -> str:
    return f"SELECT {', '.join(expressions)} FROM {source}"  # noqa: S608 - names come quoted


def select_columns(table: str, columns: Sequence[str]) -> str:
    return select([quote(column) for column in columns], quote(table))


def insert(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {quote(table)} ({listed(columns)}) VALUES ({marks})"  # noqa: S608


def insert_text(table: str, values: Iterable[str]) -> str:
    return f"INSERT INTO {quote(table)} VALUES ({', '.join(map(literal, values))})"  # noqa: S608


def count_linked(table: str, columns: Sequence[str]) -> str:
    linked = " AND ".join(f"{quote(column)} IS NOT NULL" for column in columns)
    return select(["count(*)"], f"{quote(table)} WHERE {linked}")


def copy_out(query: str) -> str:
    return f"COPY ({query}) TO STDOUT"


def copy_in(table: str, columns: Sequence[str]) -> str:
    return f"COPY {quote(table)} ({listed(columns)}) FROM STDIN"
