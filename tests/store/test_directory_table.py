"""The directory's table: its log leads from each epoch to the present one, and its counts are right; both databases."""

from collections import Counter

import pytest

from shardgate.store import directory_table as table
from shardgate.store.database import Store
from shardgate.store.directory_table import KEY, LOGGED_AT_ONCE_MAX, Epoch, LoggedChange


def changes(store: Store, since: Epoch) -> list[LoggedChange]:
    found = table.changes_since(store, since, 100_000)
    assert found is not None
    assert found[0] == table.current(store)
    return found[1]


def counted(store: Store, space: str) -> dict[str, int]:
    return dict(Counter(store.read(space).values()))


def test_the_log_has_what_changed_and_no_more(store: Store) -> None:
    store.put_many("v", [("a", "north"), ("b", "south")])
    begin = table.current(store)
    store.put_many("v", [("a", "north"), ("b", "north"), ("c", "east")])
    with store.transaction():
        store.remove("v", ["a", "nobody"])
    assert changes(store, begin) == [
        LoggedChange(2, KEY, "v", "b", "north"),
        LoggedChange(2, KEY, "v", "c", "east"),
        LoggedChange(3, KEY, "v", "a", None),
    ]
    assert store.counts() == {"v": counted(store, "v")} == {"v": {"north": 1, "east": 1}}


def test_a_space_without_keys_is_none(store: Store) -> None:
    store.put_many("v", [("a", "north")])
    with store.transaction():
        store.remove("v", ["a"])
    assert (store.spaces(), store.counts(), store.find("v", "a")) == ((), {}, None)


def test_many_keys_at_once_begin_the_log_anew(store: Store) -> None:
    store.put_many("v", [("a", "north")])
    begin = table.current(store)
    store.put_many("v", ((f"k{number}", "south") for number in range(LOGGED_AT_ONCE_MAX + 1)))
    assert table.changes_since(store, begin, 10) is None
    assert store.counts() == {"v": {"north": 1, "south": LOGGED_AT_ONCE_MAX + 1}}
    now = table.current(store)
    store.put_many("v", [("b", "east")])
    assert [change.key for change in changes(store, now)] == ["b"]


def test_the_log_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LOG_ROWS_MAX", 30)
    monkeypatch.setattr(table, "_PURGED_EVERY", 4)
    begin = table.current(store)
    for number in range(24):
        store.put_many("v", [(f"{number}-{each}", "north") for each in range(5)])
        since = Epoch(number, table.token_of(store, number))
        assert len(changes(store, since)) == 5
    (rows,) = store.execute("SELECT count(*) FROM directory_log").fetchone()
    assert rows <= 30 + 4 * 5
    assert table.changes_since(store, begin, 10) is None


def test_every_epoch_that_is_known_leads_to_the_present_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LOG_ROWS_MAX", 7)
    monkeypatch.setattr(table, "_PURGED_EVERY", 3)
    states: list[tuple[Epoch, dict[str, str]]] = [(table.current(store), {})]
    for number in range(20):
        store.put_many("v", [(str((number * 7 + each) % 11), f"s{number % 3}") for each in range(number % 4 + 1)])
        states.append((table.current(store), store.read("v")))
    known = 0
    for epoch, before in states:
        found = table.changes_since(store, epoch, 1_000)
        if found is not None:
            known += 1
            assert {**before, **{each.key: each.value for each in found[1]}} == states[-1][1]
    assert known > 3


def test_the_token_tells_another_past(store: Store) -> None:
    store.put_many("v", [("a", "north")])
    epoch = table.current(store)
    assert epoch.token is not None
    assert table.is_known(store, epoch)
    assert not table.is_known(store, Epoch(epoch.number, epoch.token + 1))
    assert not table.is_known(store, Epoch(epoch.number, None))


def test_pages_have_every_key_once_and_in_order(store: Store) -> None:
    keys = sorted(["a", "B", "ä", "z", "\U0001f600", "aa", "A"])
    store.put_many("v", [(key, "north") for key in keys])
    store.put_many("w", [("other", "south")])
    for rows in (1, 2, 3, 7, 100):
        assert [key for page in store.pages("v", rows) for key, _ in page] == keys
    assert store.find_many("v", ["B", "ä", "nobody", "other"]) == {"B": "north", "ä": "north"}


def test_pages_of_the_log_have_every_change_in_order(store: Store) -> None:
    for number in range(5):
        store.put_many("v", [(f"{number}-{each}", "north") for each in range(number)])
    found = [*table.log_pages(store, 2, 4, 2)]
    assert [len(page) for page in found] == [2, 2, 1]
    assert [change.key for page in found for change in page] == ["2-0", "2-1", "3-0", "3-1", "3-2"]
