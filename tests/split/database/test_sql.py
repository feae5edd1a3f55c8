"""SQL statements in which names and texts are quoted."""

import sqlite3
from contextlib import closing

from shardgate.split.database import sql


def test_a_name_and_a_text_may_contain_any_character() -> None:
    name, text = 'or"der; --', "it's \\ 'quoted'"
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE {sql.quote(name)} ({sql.quote(name)})")
        connection.execute(sql.insert_text(name, [text]))
        connection.execute(sql.insert(name, [name]), (None,))
        assert connection.execute(sql.select_columns(name, [name])).fetchall() == [(text,), (None,)]
        assert connection.execute(sql.count_linked(sql.quote(name), [name])).fetchall() == [(1,)]
