"""Result files, and the tables that are made of them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.k6.results import Report as K6Report
from bench.study.report import Report

Rows = Sequence[Sequence[str]]


def table(head: Sequence[str], rows: Rows, source: str) -> str:
    """A table, and the line that says where it is from."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{source}\n"


def study_results(results: Path) -> tuple[Report, str]:
    """Of `make study`, and their source."""
    file = results / "study.json"
    report = msgspec.json.decode(file.read_bytes(), type=Report)
    return report, source_of(file, f"{report.measured_at}, {report.machine}, load {report.load_before:g}")


def k6_results(results: Path) -> tuple[K6Report, str]:
    """Of `make bench-k6`, and their source."""
    file = results / "k6.json"
    report = msgspec.json.decode(file.read_bytes(), type=K6Report)
    return report, source_of(file, f"{report.measured_at}, {report.machine}, load {report.load_before:g}, {report.k6}")


def source_of(file: Path, when: str) -> str:
    """The link to a result file."""
    return f"From [{file.name}](../bench/results/{file.name}): {when}."
