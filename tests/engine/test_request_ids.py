"""Ids for requests whose clients sent none."""

from itertools import islice

from shardgate.engine.request_ids import ids_of_requests


def test_ids_are_the_prefix_of_the_worker_and_a_number() -> None:
    assert list(islice(ids_of_requests(b"7f3a"), 70_000)) == [b"7f3a-%x" % number for number in range(70_000)]


def test_no_id_comes_twice() -> None:
    assert len(set(islice(ids_of_requests(b"7f3a"), 10_000))) == 10_000
