"""Tables of the gateways: what k6 saw, what `make bench` measured, what they take."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from bench.study.markdown import k6_results, source_of, study_results, table

_BENCH_PEERS = ("shardgate", "nginx", "Go relay", "Go RawMessage", "Go map", "aiohttp", "Flask relay (PoC 2)")
_BENCH_WORKS = ("relay 1 KB", "relay 50 KB", "gather 4 × 10", "gather 4 × 50")
_AS_K6_NAMES_IT: Mapping[str, str] = {
    "PoC 1, Flask copy": "Flask copy (PoC 1)",
    "PoC 2, Flask": "Flask relay (PoC 2)",
    "PoC 2, Go": "Go RawMessage",
    "shardgate": "shardgate",
}


def k6_table(results: Path) -> str:
    """The gateways over stub shards, as k6 saw them."""
    report, source = k6_results(results)
    rows = [
        (
            run.work, run.target, f"{run.first_byte_p50_ms:.2f}", f"{run.first_byte_p95_ms:.2f}",
            f"{run.first_byte_p99_ms:.2f}", f"{run.per_s:,.0f}",
            f"{run.met} of {len(run.thresholds)}{' *' if run.repeated else ''}",
        )
        for run in report.runs
    ]  # fmt: skip
    head = ("work", "gateway", "TTFB p50 ms", "p95 ms", "p99 ms", "requests/s", "thresholds met")
    return table(head, rows, source)


def ratio_table(results: Path) -> str:
    """The steps of the study, each divided by shardgate."""
    report, source = k6_results(results)
    ours = {run.work: run for run in report.runs if run.target == "shardgate"}
    rows = [
        (
            run.work, run.target, f"{run.first_byte_p50_ms / ours[run.work].first_byte_p50_ms:.2f}",
            f"{run.first_byte_p95_ms / ours[run.work].first_byte_p95_ms:.2f}",
            f"{run.per_s / ours[run.work].per_s:.2f}",
        )
        for run in report.runs
        if run.target != "shardgate" and run.work in ours
    ]  # fmt: skip
    return table(("work", "gateway", "its TTFB p50 ÷ ours", "its p95 ÷ ours", "its requests/s ÷ ours"), rows, source)


def bench_table(results: Path) -> str:
    """CPU time a request, of `make bench`."""
    file = results / "latest.json"
    report: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    rows = [
        (
            each["work"], each["peer"], f"{_median(each, 'cpu_us'):,.0f}", f"{_median(each, 'per_s'):,.0f}",
            f"{_median(each, 'first_p50_us') / 1000:.2f}", f"{_median(each, 'first_p99_us') / 1000:.2f}",
        )
        for each in report["measured"]
        if each["work"] in _BENCH_WORKS and each["peer"] in _BENCH_PEERS and each["connections"] == 32
    ]  # fmt: skip
    head = ("work, 32 connections", "gateway", "CPU µs/request", "requests/s", "TTFB p50 ms", "p99 ms")
    return table(head, rows, source_of(file, str(report["date"])))


def size_table(results: Path) -> str:
    """Memory and code."""
    study, source = study_results(results)
    k6, k6_source = k6_results(results)
    stubs: dict[str, float] = {}
    for run in k6.runs:
        stubs[run.target] = max(run.memory_mib, stubs.get(run.target, 0))
    rows = [
        (
            subject,
            f"{lines:,}",
            f"{stubs[_AS_K6_NAMES_IT[subject]]:.0f}" if _AS_K6_NAMES_IT[subject] in stubs else "",
            f"{study.memory_mib[subject]:.0f}" if subject in study.memory_mib else "",
        )
        for subject, lines in study.lines.items()
    ]
    head = ("", "lines of code", "MiB, over stub shards", "MiB, with the real platform")
    return table(head, rows, f"{source} {k6_source}")


def _median(measured: dict[str, Any], field: str) -> float:
    return float(median(run[field] for run in measured["runs"]))
