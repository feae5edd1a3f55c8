"""What is said of a key that two shards claim."""

from shardgate.core.locate.dispute import disputed


def test_the_client_reads_the_key_and_the_log_the_shards() -> None:
    error = disputed("event", "7", "north", "south")
    assert (error.status, error.code, error.about) == (409, "SG2006", {"key": "7"})
    assert "north" not in error.detail
    assert error.log == "the key 7 of event is on north and south"
    assert error.shard == "north,south"
    assert "several shards" in disputed("event", "7").log
