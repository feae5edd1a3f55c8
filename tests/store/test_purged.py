"""A step of a purge takes rows until they have so many bytes together."""

from shardgate.store.purged import within


def test_rows_are_taken_until_they_are_many_bytes_and_one_at_least() -> None:
    rows = [("a", 1, 600), ("b", 2, None), ("c", 3, 500), ("d", 4, 1)]
    assert within(rows, 1000) == [("a", 1), ("b", 2), ("c", 3)]
    assert within(rows, 1) == [("a", 1)]
    assert within(rows, 9999) == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    assert within([], 1) == []
