"""The request of OTLP is read by the official messages: it says what `/metrics` says."""

from typing import Any

import pytest

from shardgate import __version__
from shardgate.observe.exposition import expose
from shardgate.observe.layout import BOUNDS_S, CPU, DURATION, FAMILIES, IN_FLIGHT, UPSTREAM_ERRORS, Layout
from shardgate.observe.memory import SharedMemory
from shardgate.observe.otlp import export
from tests.observe.metrics import Metrics

metrics_service = pytest.importorskip(
    "opentelemetry.proto.collector.metrics.v1.metrics_service_pb2",
    reason="opentelemetry-proto is not installed: `make setup` installs what requirements.lock names",
)

SINCE_NS, AT_NS = 1_700_000_000_000_000_000, 1_700_000_060_000_000_001


def counted() -> tuple[Layout, SharedMemory]:
    """Two workers have counted."""
    layout = Layout({}, 0).extended([], ["north", 'a"b\\c\nd', "küste"])
    memory = SharedMemory.roomy(layout.size)
    for number, count in ((1, 3), (2, 4)):
        cells = memory.slot(number)
        cells[layout.cell(UPSTREAM_ERRORS, "north", "SG2001")] += count
        cells[layout.cell(IN_FLIGHT)] += 2**40 * count
        cells[layout.cell(CPU)] += 1_500_000
        histogram = layout.cell(DURATION, "one")
        cells[histogram] += 1
        cells[histogram + len(BOUNDS_S)] += count  # above all bounds
        cells[histogram + len(BOUNDS_S) + 1] += 90_000_000
    return layout, memory


def exported(attributes: dict[str, str] | None = None) -> tuple[Any, list[int]]:
    layout, memory = counted()
    pauses: list[int] = []
    body = export(layout, memory, attributes or {}, SINCE_NS, AT_NS, lambda: pauses.append(1))
    return metrics_service.ExportMetricsServiceRequest.FromString(body).resource_metrics[0], pauses


def metric(read: Any, name: str) -> Any:
    (found,) = [each for each in read.scope_metrics[0].metrics if each.name == name]
    return found


def labels(point: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in point.attributes}


def test_every_metric_is_in_it_with_its_kind_and_meaning() -> None:
    read, pauses = exported()
    kinds = {"counter": "sum", "gauge": "gauge", "histogram": "histogram"}
    assert [(each.name, each.WhichOneof("data"), each.description) for each in read.scope_metrics[0].metrics] == [
        (family.name, kinds[family.kind], family.meaning) for family in FAMILIES
    ]
    assert len(pauses) == len(FAMILIES)


def test_counters_are_whole_numbers_that_only_grow() -> None:
    found = metric(exported()[0], "shardgate_upstream_errors_total")
    assert found.sum.is_monotonic
    assert found.sum.aggregation_temporality == 2  # cumulative
    assert found.unit == "1"
    (point,) = [each for each in found.sum.data_points if labels(each) == {"shard": "north", "code": "SG2001"}]
    assert (point.as_int, point.start_time_unix_nano, point.time_unix_nano) == (7, SINCE_NS, AT_NS)


def test_times_are_seconds_and_gauges_have_no_bound() -> None:
    read, _ = exported()
    cpu = metric(read, "shardgate_worker_cpu_seconds_total")
    assert cpu.unit == "s"
    assert cpu.sum.data_points[0].as_double == 3.0
    assert metric(read, "shardgate_held_bytes").unit == "By"
    assert metric(read, "shardgate_requests_in_flight").gauge.data_points[0].as_int == 7 * 2**40


def test_a_histogram_has_its_bounds_and_counts() -> None:
    found = metric(exported()[0], "shardgate_request_duration_seconds").histogram
    assert found.aggregation_temporality == 2
    (point,) = [each for each in found.data_points if labels(each) == {"rule": "one"}]
    assert tuple(point.explicit_bounds) == BOUNDS_S
    assert list(point.bucket_counts) == [2, *[0] * (len(BOUNDS_S) - 1), 7]
    assert (point.count, point.sum) == (9, 180.0)


def test_it_says_what_a_scraper_reads() -> None:
    layout, memory = counted()
    scraped = Metrics(expose(layout, memory).decode())
    read, _ = exported()
    for each in read.scope_metrics[0].metrics:
        if (kind := each.WhichOneof("data")) == "histogram":
            continue
        for point in getattr(each, kind).data_points:
            assert scraped.value(each.name, **labels(point)) == getattr(point, point.WhichOneof("value"))


def test_it_says_who_the_gateway_is() -> None:
    read, _ = exported({"service.name": "küste", "empty": ""})
    assert labels(read.resource) == {"service.name": "küste", "empty": ""}
    scope = read.scope_metrics[0].scope
    assert (scope.name, scope.version) == ("shardgate", __version__)
