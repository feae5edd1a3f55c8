"""The tables of `docs/study.md`, written from the result files between their marks: no number there is typed by hand.

python -m bench.study.tables
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from bench.k6.results import Report as K6Report
from bench.study.report import Lag, Report

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench/results"
DOCUMENT = ROOT / "docs/study.md"
MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_BENCH_PEERS = ("shardgate", "nginx", "Go relay", "Go RawMessage", "Go map", "aiohttp", "Flask relay (PoC 2)")
_BENCH_WORKS = ("relay 1 KB", "relay 50 KB", "gather 4 × 10", "gather 4 × 50")
_VERBS = {"study.json": "make study", "k6.json": "make bench-k6", "latest.json": "make bench"}
Rows = Sequence[Sequence[str]]


def write_tables() -> None:
    """Write those of the document anew."""
    DOCUMENT.write_text(rendered(DOCUMENT.read_text(), RESULTS))


def rendered(text: str, results: Path) -> str:
    """The document with the tables as the result files in this folder have them."""
    return MARKED.sub(lambda found: f"{found[1]}{_written(found[2], results)}{found[3]}", text)


def _written(name: str, results: Path) -> str:
    try:
        return _TABLES[name](results)
    except FileNotFoundError as error:
        file = Path(error.filename).name
        return f"Not measured here yet: `{_VERBS[file]}` writes `bench/results/{file}`.\n"


def copy_table(results: Path) -> str:
    """What it costs to keep a copy."""
    report, source = _study(results)
    full, scan, idle, lost = report.full, report.scan, report.idle, report.full_while_deleting
    rows = [
        ("events on the platform, over its instances", f"{report.events:,} over {report.shards}"),
        ("a full synchronisation", f"{full.seconds:.1f} s, {full.requests} requests, {_mib(full.bytes)}"),
        ("a scan for what was deleted", f"{scan.seconds:.2f} s, {scan.requests} requests, {_mib(scan.bytes)}"),
        ("CPU of the platform for these two", f"{report.platform_cpu_s:.2f} s"),
        ("CPU of the synchroniser for these two", f"{full.copy_cpu_s + scan.copy_cpu_s:.2f} s"),
        ("a poll in which nothing has changed", f"{idle.requests / idle.polls:.0f} requests"),
        ("… CPU of the platform", f"{idle.platform_cpu_ms_per_poll:.1f} ms"),
        ("… CPU of the synchroniser", f"{idle.copy_cpu_ms_per_poll:.1f} ms"),
        ("the copy on disk", f"{report.copy_mib:.0f} MiB"),
        ("events deleted during a full synchronisation", f"{report.deleted_meanwhile}"),
        ("… rows that the copy then lacked until a scan", f"{lost.lacking}"),
        ("… rows that it still had", f"{lost.left_over}"),
    ]
    return _table(("what", "measured"), rows, source)


def staleness_table(results: Path) -> str:
    """What is seen late."""
    report, source = _study(results)
    rows: list[Sequence[str]] = []
    for each in report.staleness:
        way = f"copy, polls each {each.poll_every_s:g} s, scans each {each.scan_every_s:g} s"
        rows += [_lag_row(way, kind, lag) for kind, lag in each.copy.items()]
    for kind in report.staleness[0].gateway:
        rows.append(_lag_row("gateway", kind, _sum([each.gateway[kind] for each in report.staleness])))
    rows += [
        (f"copy, {each.wrong_after_s:.0f} s after the last of it", "rows that differ", f"{each.wrong_rows}", "", "", "")
        for each in report.staleness
    ]
    return _table(("read from", "write", "first read stale", "stale reads", "lag p50", "lag max"), rows, source)


def served_table(results: Path) -> str:
    """The real platform, from three places."""
    report, source = _study(results)
    rows = [
        (
            each.work,
            each.subject,
            f"{each.first_byte_p50_ms:.2f}",
            f"{each.first_byte_p99_ms:.2f}",
            f"{each.per_s:,.0f}",
        )
        for each in report.served
    ]
    return _table(("asked for", "of", "TTFB p50 ms", "TTFB p99 ms", "requests/s"), rows, source)


def k6_table(results: Path) -> str:
    """The gateways over stub shards, as k6 saw them."""
    report, source = _k6(results)
    rows = [
        (
            run.work, run.target, f"{run.first_byte_p50_ms:.2f}", f"{run.first_byte_p95_ms:.2f}",
            f"{run.first_byte_p99_ms:.2f}", f"{run.per_s:,.0f}",
            f"{run.met} of {len(run.thresholds)}{' *' if run.repeated else ''}",
        )
        for run in report.runs
    ]  # fmt: skip
    head = ("work", "gateway", "TTFB p50 ms", "p95 ms", "p99 ms", "requests/s", "thresholds met")
    return _table(head, rows, source)


def ratio_table(results: Path) -> str:
    """The steps of the study, each divided by shardgate."""
    report, source = _k6(results)
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
    return _table(("work", "gateway", "its TTFB p50 ÷ ours", "its p95 ÷ ours", "its requests/s ÷ ours"), rows, source)


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
    return _table(head, rows, _source(file, str(report["date"])))


def size_table(results: Path) -> str:
    """Memory and code."""
    study, source = _study(results)
    k6, k6_source = _k6(results)
    stubs: dict[str, float] = {}
    for run in k6.runs:
        stubs[run.target] = max(run.memory_mib, stubs.get(run.target, 0))
    places = {
        "PoC 1, Flask copy": "Flask copy (PoC 1)",
        "PoC 2, Flask": "Flask relay (PoC 2)",
        "PoC 2, Go": "Go RawMessage",
        "shardgate": "shardgate",
    }
    rows = [
        (
            subject,
            f"{lines:,}",
            f"{stubs[places[subject]]:.0f}" if places[subject] in stubs else "",
            f"{study.memory_mib[subject]:.0f}" if subject in study.memory_mib else "",
        )
        for subject, lines in study.lines.items()
    ]
    head = ("", "lines of code", "MiB, over stub shards", "MiB, with the real platform")
    return _table(head, rows, f"{source} {k6_source}")


_TABLES: Mapping[str, Callable[[Path], str]] = {
    "copy": copy_table,
    "staleness": staleness_table,
    "served": served_table,
    "k6": k6_table,
    "ratio": ratio_table,
    "bench": bench_table,
    "size": size_table,
}


def _table(head: Sequence[str], rows: Rows, source: str) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{source}\n"


def _study(results: Path) -> tuple[Report, str]:
    file = results / "study.json"
    report = msgspec.json.decode(file.read_bytes(), type=Report)
    return report, _source(file, f"{report.measured_at}, {report.machine}, load {report.load_before:g}")


def _k6(results: Path) -> tuple[K6Report, str]:
    file = results / "k6.json"
    report = msgspec.json.decode(file.read_bytes(), type=K6Report)
    return report, _source(file, f"{report.measured_at}, {report.machine}, load {report.load_before:g}, {report.k6}")


def _source(file: Path, when: str) -> str:
    return f"From [{file.name}](../bench/results/{file.name}): {when}."


def _lag_row(way: str, kind: str, lag: Lag) -> Sequence[str]:
    stale = f"{lag.stale_reads:,} of {lag.reads:,}"
    return (
        way,
        kind,
        f"{lag.first_read_stale} of {lag.writes}",
        stale,
        f"{lag.lag_p50_s:.1f} s",
        f"{lag.lag_max_s:.1f} s",
    )


def _sum(lags: Sequence[Lag]) -> Lag:
    return Lag(
        writes=sum(each.writes for each in lags),
        first_read_stale=sum(each.first_read_stale for each in lags),
        reads=sum(each.reads for each in lags),
        stale_reads=sum(each.stale_reads for each in lags),
        lag_p50_s=max(each.lag_p50_s for each in lags),
        lag_p95_s=max(each.lag_p95_s for each in lags),
        lag_max_s=max(each.lag_max_s for each in lags),
    )


def _median(measured: dict[str, Any], field: str) -> float:
    return float(median(run[field] for run in measured["runs"]))


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


if __name__ == "__main__":
    write_tables()
