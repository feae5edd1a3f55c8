"""The SQL statements of a split that are the same for SQLite and PostgreSQL.

Holds: every name is quoted, so a table may be called `order`.
"""

from collections.abc import Iterable, Sequence


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def listed(names: Iterable[str]) -> str:
    """Quoted names, separated by commas."""
    return ", ".join(map(quote, names))


def select(expressions: Sequence[str], source: str) -> str:
    """A SELECT of expressions that are SQL already, from a source that is SQL already."""
    return f"SELECT {', '.join(expressions)} FROM {source}"  # noqa: S608 - the caller has quoted all names


def select_columns(table: str, columns: Sequence[str]) -> str:
    return select([quote(column) for column in columns], quote(table))


def insert(table: str, columns: Sequence[str]) -> str:
    """An INSERT with one `?` for each column."""
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {quote(table)} ({listed(columns)}) VALUES ({marks})"  # noqa: S608


def insert_text(table: str, values: Iterable[str]) -> str:
    """An INSERT of one row of texts, written as literals."""
    return f"INSERT INTO {quote(table)} VALUES ({', '.join(map(literal, values))})"  # noqa: S608


def count_linked(source: str, columns: Sequence[str]) -> str:
    """Count the rows in which none of the columns is NULL. The source is SQL already."""
    linked = " AND ".join(f"{quote(column)} IS NOT NULL" for column in columns)
    return select(["count(*)"], source + (f" WHERE {linked}" if linked else ""))


def copy_out(query: str) -> str:
    return f"COPY ({query}) TO STDOUT"


def copy_in(target: str, columns: Sequence[str]) -> str:
    """The target is SQL already. A table may have no columns."""
    return f"COPY {target} ({listed(columns)}) FROM STDIN" if columns else f"COPY {target} FROM STDIN"
