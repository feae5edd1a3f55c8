"""The meter: what one process counts."""

from shardgate.core.exchange import Exchange
from shardgate.observe.exposition import expose
from shardgate.observe.layout import BOUNDS_S, REQUESTS, Layout
from shardgate.observe.memory import SharedMemory
from tests.observe.metrics import Metrics


def test_a_time_on_a_bound_counts_in_the_bucket_of_that_bound() -> None:
    from shardgate.observe.meter import Meter

    layout = Layout({}, 0).extended([], [])
    memory = SharedMemory.roomy(layout.size)
    meter = Meter(memory.slot(0), layout, [], [])
    for took in (BOUNDS_S[0], BOUNDS_S[1], 1e9):
        meter.finished(Exchange(None, b"", "", 0.0, first_byte_at=took, ended_at=took, status=200))
    read = Metrics(expose(layout, memory).decode())
    counts = [
        read.value("shardgate_request_duration_seconds_bucket", le=le) for le in ("0.0005", "0.001", "30", "+Inf")
    ]
    assert counts == [1, 2, 2, 3]
    assert memory.total(layout.cell(REQUESTS, "none", "none", "2xx")) == 3
