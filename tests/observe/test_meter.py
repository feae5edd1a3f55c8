"""The meter: what one process counts."""

from shardgate.core.errors import ShardDownError
from shardgate.core.exchange import CLIENT_GONE
from shardgate.core.limits import BUDGETS
from shardgate.core.routes.route import Route
from shardgate.observe.exposition import expose
from shardgate.observe.layout import BOUNDS_S, REQUESTS, Layout
from shardgate.observe.memory import SharedMemory
from shardgate.observe.meter import Meter
from tests.observe.exchanges import noted
from tests.observe.metrics import Metrics


def test_a_time_on_a_bound_counts_in_the_bucket_of_that_bound() -> None:
    layout = Layout({}, 0).extended([], [])
    memory = SharedMemory.roomy(layout.size)
    meter = Meter(memory.slot(0), layout, [], [])
    for took in (BOUNDS_S[0], BOUNDS_S[1], 1e9):
        meter.finished(noted(first_byte_at=took, ended_at=took, status=200))
    read = Metrics(expose(layout, memory).decode())
    counts = [
        read.value("shardgate_request_duration_seconds_bucket", le=le) for le in ("0.0005", "0.001", "30", "+Inf")
    ]
    assert counts == [1, 2, 2, 3]
    assert memory.total(layout.cell(REQUESTS, "none", "none", "2xx")) == 3


def test_a_successor_in_the_same_slot_goes_on_where_the_dead_worker_stopped() -> None:
    layout = Layout({}, 0).extended([], ["north"])
    memory = SharedMemory.roomy(layout.size)
    for _ in range(2):
        meter = Meter(memory.slot(0), layout, [], ["north"])
        meter.finished(noted(bytes_in=10, ended_at=1.5, status=200))
        meter.tick([("north", 3, 1, 0, 4)], {"reply": 70}, 2)
        meter.tick([("north", 3, 1, 0, 4)], {"reply": 70}, 2)  # a tick adds nothing by itself
    read = Metrics(expose(layout, memory).decode())
    assert read.value("shardgate_received_bytes_total") == 20
    assert read.value("shardgate_request_duration_seconds_sum", rule="none") == 3.0
    assert read.value("shardgate_upstream_waits_total", shard="north") == 8
    assert read.value("shardgate_upstream_connections", shard="north") == 3  # what is so now, not a sum
    assert read.value("shardgate_access_log_lines_lost_total") == 4
    assert read.value("shardgate_held_bytes", kind="reply") == 70


def test_each_budget_has_its_counter() -> None:
    layout = Layout({}, 0).extended([], [])
    memory = SharedMemory.roomy(layout.size)
    meter = Meter(memory.slot(0), layout, [], [])
    for budget in BUDGETS:
        meter.refused(budget)
    read = Metrics(expose(layout, memory).decode())
    assert [read.value("shardgate_budget_refusals_total", budget=budget) for budget in BUDGETS] == [1] * len(BUDGETS)


def test_what_pages_cost_the_shards_is_counted_by_rounds() -> None:
    route = Route("GET", "/rows", "listRows", None)
    layout = Layout({}, 0).extended([route], [])
    memory = SharedMemory.roomy(layout.size)
    meter = Meter(memory.slot(0), layout, [route], [])
    for rounds, calls, rows in ((1, 3, 63), (2, 9, 170), (5, 15, 900), (9, 27, 2000)):
        exchange = noted(route=route, ended_at=1.0, status=200)
        exchange.rounds, exchange.calls, exchange.rows_asked = rounds, calls, rows
        meter.finished(exchange)
    meter.finished(noted(route=route, ended_at=1.0, status=200, calls=3, rounds=1))
    meter.tick([], {}, 0)
    read = Metrics(expose(layout, memory).decode())
    found = {
        rounds: [read.value(f"shardgate_list_{what}_total", rounds=rounds) for what in ("pages", "calls", "rows_asked")]
        for rounds in ("1", "2", "more")
    }
    assert found == {"1": [1, 3, 63], "2": [1, 9, 170], "more": [2, 42, 2900]}


def test_errors_of_shards_and_of_requests_are_counted_by_their_code() -> None:
    layout = Layout({}, 0).extended([], ["north"])
    memory = SharedMemory.roomy(layout.size)
    meter = Meter(memory.slot(0), layout, [], ["north"])
    meter.failed("north", ShardDownError("it is down"))
    meter.finished(noted(ended_at=1.0, status=503, error=ShardDownError.code))
    meter.finished(noted(ended_at=1.0, cut_off=CLIENT_GONE))
    read = Metrics(expose(layout, memory).decode())
    assert read.value("shardgate_upstream_errors_total", shard="north", code=ShardDownError.code) == 1
    assert read.value("shardgate_errors_total", code=ShardDownError.code) == read.value("shardgate_errors_total") == 1
    assert read.value("shardgate_requests_cut_off_total", reason=CLIENT_GONE) == 1
    assert read.value("shardgate_requests_total", status="none") == 1
