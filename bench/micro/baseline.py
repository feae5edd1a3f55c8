"""What the hot path cost when somebody last looked: `baseline.json`, renewed by `make bench-micro-baseline`.

Instructions differ between versions of Python, so each has its own column. A renewal measures the version that runs it,
and moves the others' columns by the same factors: what changed is the source.
"""

import sys
from pathlib import Path
from typing import Literal

import msgspec

FILE = Path(__file__).with_name("baseline.json")
# A rise of more than this needs a reason and a renewal. Instructions do not vary; time does, by machine and by version.
INSTRUCTIONS_MORE_MAX = 1.03
TIME_MORE_MAX = 1.75
# For a version of Python that nobody has measured yet.
UNKNOWN_VERSION = 1.25


class Cost(msgspec.Struct, frozen=True):
    """Of one operation."""

    instructions: float
    yardsticks: float
    """CPU time, in runs of the yardstick."""


Measure = Literal["instructions", "yardsticks"]
Costs = dict[str, Cost]
Baseline = dict[str, Costs]
"""Version of Python → name of the work → its cost."""


def version() -> str:
    """The column of the Python that runs."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def read(file: Path = FILE) -> Baseline:
    """The baseline as it is kept."""
    return msgspec.json.decode(file.read_bytes(), type=Baseline) if file.exists() else {}


def risen(measured: Costs, baseline: Baseline, column: str, of: Measure) -> list[str]:
    """What costs more than it may, in words."""
    margin = INSTRUCTIONS_MORE_MAX if of == "instructions" else TIME_MORE_MAX
    if column not in baseline:
        column, margin = max(baseline, key=_number), margin * UNKNOWN_VERSION
    found = []
    for name, cost in measured.items():
        before, now = (float(getattr(each, of)) for each in (baseline[column][name], cost))
        if now > before * margin:
            found.append(f"{name}: {now / before - 1:+.1%} {of} ({before:,} before, {now:,} now)")
    return found


def renewed(baseline: Baseline, measured: Costs, column: str) -> Baseline:
    """The baseline with a column measured anew, and the others moved with it."""
    before = baseline.get(column, {})
    moved = {other: _moved(costs, before, measured) for other, costs in baseline.items()}
    return dict(sorted({**moved, column: measured}.items(), key=lambda item: _number(item[0])))


def write(baseline: Baseline, file: Path = FILE) -> None:
    """Keep it, one work a line, so that a change reads well."""
    columns = []
    for column, costs in baseline.items():
        lines = [f'  "{name}": {msgspec.json.encode(cost).decode()}' for name, cost in costs.items()]
        columns.append(f' "{column}": {{\n' + ",\n".join(lines) + "\n }")
    file.write_text("{\n" + ",\n".join(columns) + "\n}\n")


def _moved(costs: Costs, before: Costs, after: Costs) -> Costs:
    return {name: _scaled(costs.get(name), before.get(name), cost) for name, cost in after.items()}


def _scaled(cost: Cost | None, before: Cost | None, after: Cost) -> Cost:
    if cost is None or before is None:
        return cost or after
    factor = after.instructions / before.instructions
    return Cost(round(cost.instructions * factor, 1), round(cost.yardsticks * factor, 4))


def _number(column: str) -> tuple[int, ...]:
    return tuple(int(part) for part in column.split("."))
