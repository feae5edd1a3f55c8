"""The text that Prometheus reads (exposition format 0.0.4), summed over all workers."""

from collections.abc import Callable, Iterator

from shardgate import __version__
from shardgate.observe.layout import BOUNDS_S, FAMILIES, Family, Labels, Layout
from shardgate.observe.memory import SharedMemory

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]

Total = Callable[[int], int]


def expose(layout: Layout, memory: SharedMemory) -> bytes:
    """Every metric."""
    lines = ["# HELP shardgate_info The version that runs.", "# TYPE shardgate_info gauge"]
    lines.append(_sample("shardgate_info", ("version",), (__version__,), "1"))
    for family in FAMILIES:
        lines += [f"# HELP {family.name} {family.meaning}", f"# TYPE {family.name} {family.kind}"]
        for labels, cell in layout.cells[family.name].items():
            if family.kind == "histogram":
                lines += _histogram(family, labels, cell, memory.total)
            else:
                value = _number(memory.total(cell), family.per_unit)
                lines.append(_sample(family.name, family.labels, labels, value))
    lines.append("")
    return "\n".join(lines).encode()


def _histogram(family: Family, labels: Labels, cell: int, total: Total) -> Iterator[str]:
    count = 0
    names = (*family.labels, "le")
    for number, bound in enumerate(_BOUNDS):
        count += total(cell + number)
        yield _sample(f"{family.name}_bucket", names, (*labels, bound), str(count))
    value = _number(total(cell + len(_BOUNDS)), family.per_unit)
    yield _sample(f"{family.name}_sum", family.labels, labels, value)
    yield _sample(f"{family.name}_count", family.labels, labels, str(count))


def _sample(name: str, names: Labels, values: Labels, value: str) -> str:
    if not names:
        return f"{name} {value}"
    pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in zip(names, values, strict=True))
    return f"{name}{{{pairs}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: int, per_unit: int) -> str:
    return str(value) if per_unit == 1 else repr(value / per_unit)
