"""Ids for requests whose clients sent none."""

from itertools import islice

from shardgate.engine.request_ids import ids_of_requests


def test_ids_are_the_prefix_of_the_worker_and_a_number() -> None:
    assert list(islice(ids_of_requests(b"7f3a"), 3)) == [b"7f3a-0", b"7f3a-1", b"7f3a-2"]


def test_no_id_comes_twice() -> None:
    assert len(set(islice(ids_of_requests(b"7f3a"), 10_000))) == 10_000
