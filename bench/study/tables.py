"""The tables of `docs/study.md`, written from the result files between their marks: no number is typed by hand.

python -m bench.study.tables
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.study.gateways import bench_table, k6_table, ratio_table, size_table
from bench.study.markdown import study_results, table
from bench.study.report import Lag

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench/results"
DOCUMENT = ROOT / "docs/study.md"
MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_VERBS = {"study.json": "make study", "k6.json": "make bench-k6", "latest.json": "make bench"}


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
    report, source = study_results(results)
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
    return table(("what", "measured"), rows, source)


def staleness_table(results: Path) -> str:
    """What is seen late."""
    report, source = study_results(results)
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
    return table(("read from", "write", "first read stale", "stale reads", "lag p50", "lag max"), rows, source)


def served_table(results: Path) -> str:
    """The real platform, from three places."""
    report, source = study_results(results)
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
    return table(("asked for", "of", "TTFB p50 ms", "TTFB p99 ms", "requests/s"), rows, source)


_TABLES: Mapping[str, Callable[[Path], str]] = {
    "copy": copy_table,
    "staleness": staleness_table,
    "served": served_table,
    "k6": k6_table,
    "ratio": ratio_table,
    "bench": bench_table,
    "size": size_table,
}


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


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


if __name__ == "__main__":
    write_tables()
