"""The text that a scraper reads, read back by the parser of Prometheus."""

from shardgate.observe.exposition import expose
from shardgate.observe.layout import Layout
from shardgate.observe.memory import SharedMemory
from tests.observe.metrics import Metrics


def test_a_label_with_quotes_and_line_feeds_is_read_back_as_it_was() -> None:
    shard = 'a"b\\c\nd'
    layout = Layout({}, 0).extended([], [shard])
    read = Metrics(expose(layout, SharedMemory.roomy(layout.size)).decode())
    assert read.value("shardgate_upstream_connections", shard=shard) == 0
