"""Ids of entities in parts, and of named ones, while tenants move."""

import json
import sqlite3
from contextlib import closing

import pytest

from shardgate.move.errors import MoveRefusedError
from shardgate.move.mover import Mover
from shardgate.move.request import MoveSettings
from shardgate.store.parts import record_parts
from shardgate.store.sqlite import SqliteStore
from tests.move.test_mover import mover, run, settings

__all__ = ["mover", "settings"]


def note_parts(settings: MoveSettings, key: str, *shards: str) -> None:
    with SqliteStore(settings.store) as store, store.transaction():
        record_parts(store, "sale", key, shards)


def parts_of(settings: MoveSettings, key: str) -> list[str]:
    with closing(sqlite3.connect(str(settings.store))) as database:
        ((listed,),) = database.execute("SELECT shards FROM parts WHERE key = ?", (key,)).fetchall()
    return list(json.loads(listed))


def test_a_part_moves_with_its_row(settings: MoveSettings, mover: Mover) -> None:
    note_parts(settings, "a-s", "north", "south")
    mover.move(["a"], "west")
    assert parts_of(settings, "a-s") == ["west", "south"]


def test_a_number_among_several_columns_of_a_key_is_no_id(settings: MoveSettings, mover: Mover) -> None:
    note_parts(settings, "2", "north", "south")  # lines of the tenant have the number 2
    mover.move(["a"], "west")
    assert parts_of(settings, "2") == ["north", "south"]


def test_an_id_that_a_row_which_moves_and_one_which_stays_have_is_refused(settings: MoveSettings, mover: Mover) -> None:
    run(settings, "north", "INSERT INTO sales VALUES ('5', 'b')")
    run(settings, "north", "INSERT INTO goods VALUES ('5', 'a', 1, NULL)")
    note_parts(settings, "5", "north", "south")
    with pytest.raises(MoveRefusedError, match=r"goods\.id of the tenant that moves, and sales\.id of one that stays"):
        mover.move(["a"], "west")
    assert parts_of(settings, "5") == ["north", "south"]


def test_an_id_that_two_rows_have_which_both_move_is_clear(settings: MoveSettings, mover: Mover) -> None:
    run(settings, "north", "INSERT INTO sales VALUES ('5', 'a')")
    run(settings, "north", "INSERT INTO goods VALUES ('5', 'a', 1, NULL)")
    note_parts(settings, "5", "north", "south")
    mover.move(["a"], "west")
    assert parts_of(settings, "5") == ["west", "south"]
