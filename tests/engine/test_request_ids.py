"""Ids of requests: none comes twice, and all of a worker begin alike."""

from shardgate.engine.request_ids import RequestIds


def test_no_id_comes_twice_also_where_the_beginning_changes() -> None:
    ids = RequestIds()
    made = [ids.next() for _ in range(10_000)]
    assert len(set(made)) == len(made)
    assert made[0] == ids.prefix + b"-0000"
    assert made[4095:4097] == [ids.prefix + b"-0fff", ids.prefix + b"-1000"]


def test_two_workers_begin_differently() -> None:
    assert RequestIds().prefix != RequestIds().prefix
