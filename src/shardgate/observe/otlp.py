"""All metrics as a request of OTLP 1.x (opentelemetry-proto, `metrics.v1`), summed over all workers.

Names, labels and units are those of `/metrics`: a dashboard reads either. Counters and histograms are cumulative since
the gateway's start, so that a request that is lost loses nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from shardgate import __version__
from shardgate.observe.layout import BOUNDS_S, FAMILIES, Family, Labels, Layout
from shardgate.observe.memory import SharedMemory
from shardgate.observe.protobuf import fixed, many_fixed, many_real, nested, real, text, whole

# Fields of the messages, by the name of each message.
_RESOURCE_METRICS = 1
_RESOURCE, _SCOPE_METRICS = 1, 2
_SCOPE, _METRICS = 1, 2
_NAME, _DESCRIPTION, _UNIT, _GAUGE, _SUM, _HISTOGRAM = 1, 2, 3, 5, 7, 9
_POINTS, _TEMPORALITY, _MONOTONIC = 1, 2, 3
_SINCE, _AT, _AS_DOUBLE, _AS_INT = 2, 3, 4, 6
_COUNT, _TOTAL, _BUCKETS, _BOUNDS = 4, 5, 6, 7
_ATTRIBUTES: Final = {"resource": 1, "number": 7, "histogram": 9}
_CUMULATIVE = 2

_EXPLICIT_BOUNDS = many_real(_BOUNDS, BOUNDS_S)


def export(
    layout: Layout,
    memory: SharedMemory,
    attributes: Mapping[str, str],
    since_ns: int,
    at_ns: int,
    pause: Callable[[], None],
) -> bytes:
    """The request. `pause` is called after each metric: other threads may run then."""
    metrics = []
    for family in FAMILIES:
        points = [*_points(family, layout.cells[family.name], memory, since_ns, at_ns)]
        metrics.append(nested(_METRICS, *_head(family), _data(family, points)))
        pause()
    scope = nested(_SCOPE, text(_NAME, "shardgate"), text(2, __version__))
    resource = nested(_RESOURCE, *(_attribute("resource", *pair) for pair in attributes.items()))
    return nested(_RESOURCE_METRICS, resource, nested(_SCOPE_METRICS, scope, *metrics))


@cache
def _head(family: Family) -> tuple[bytes, ...]:
    unit = "s" if "_seconds" in family.name else "By" if "_bytes" in family.name else "1"
    return text(_NAME, family.name), text(_DESCRIPTION, family.meaning), text(_UNIT, unit)


def _data(family: Family, points: list[bytes]) -> bytes:
    if family.kind == "gauge":
        return nested(_GAUGE, *points)
    if family.kind == "histogram":
        return nested(_HISTOGRAM, *points, whole(_TEMPORALITY, _CUMULATIVE))
    return nested(_SUM, *points, whole(_TEMPORALITY, _CUMULATIVE), whole(_MONOTONIC, 1))


def _points(
    family: Family, cells: Mapping[Labels, int], memory: SharedMemory, since_ns: int, at_ns: int
) -> Iterator[bytes]:
    times = fixed(_SINCE, since_ns) + fixed(_AT, at_ns)
    for labels, cell in cells.items():
        if family.kind == "histogram":
            counts = [memory.total(cell + number) for number in range(len(BOUNDS_S) + 1)]
            total = memory.total(cell + len(counts)) / family.per_unit
            yield nested(
                _POINTS,
                times,
                fixed(_COUNT, sum(counts)),
                real(_TOTAL, total),
                many_fixed(_BUCKETS, counts),
                _EXPLICIT_BOUNDS,
                _labels("histogram", family.labels, labels),
            )
        else:
            found = memory.total(cell)
            value = fixed(_AS_INT, found) if family.per_unit == 1 else real(_AS_DOUBLE, found / family.per_unit)
            yield nested(_POINTS, times, value, _labels("number", family.labels, labels))


@cache  # no more of them than the layout has series
def _labels(of: str, names: Labels, values: Labels) -> bytes:
    return b"".join(_attribute(of, name, value) for name, value in zip(names, values, strict=True))


def _attribute(of: str, name: str, value: str) -> bytes:
    return nested(_ATTRIBUTES[of], text(1, name), nested(2, text(1, value)))
