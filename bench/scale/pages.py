"""The tables and curves of `docs/scale.md`, from what was measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from bench.directory import PAGE, RESULTS, DirectoryReport
from bench.results import Machine
from bench.scale.curves import Chart, Curve, draw
from bench.scale.results import ScaleReport

KEPT: Final = RESULTS.with_name("scale.json")
_PICTURES: Final = PAGE.parent / "assets"


def load() -> ScaleReport:
    """What was measured before; empty where nothing was."""
    return msgspec.json.decode(KEPT.read_bytes(), type=ScaleReport) if KEPT.exists() else ScaleReport()


def write(report: ScaleReport) -> None:
    """Keep it, and write the page anew."""
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
    drawn = charts(report, load_directory())
    for name, chart in drawn.items():
        (_PICTURES / f"scale-{name}.svg").write_text(draw(chart))
    PAGE.write_text(written(PAGE.read_text(), report, drawn))


def written(page: str, report: ScaleReport, drawn: Mapping[str, Chart]) -> str:
    """The page with these tables and curves."""
    tables = {"shards": shards(report), "late": late(report), "tenants": "", "gateways": gateways(report)}
    for name, table in tables.items():
        picture = f"![{drawn[name].title}](assets/scale-{name}.svg)" if name in drawn else ""
        text = "\n\n".join([each for each in (picture, table) if each])
        head, begin, rest = page.partition(f"<!-- {name} -->\n")
        _, end, tail = rest.partition("<!-- end -->")
        page = f"{head}{begin}{text}{bool(text) * chr(10)}{end}{tail}"
    return page


def load_directory() -> DirectoryReport:
    """What was measured by tenants."""
    return msgspec.json.decode(RESULTS.read_bytes(), type=DirectoryReport)


def said(report: ScaleReport, part: str) -> str:
    """When, where and of what."""
    where: Machine = report.where[part]
    on = f"{where.processor}, {where.cores} cores, load {where.load_before:g} before the run"
    return f"{report.dates[part]}, {on}; {report.how[part]}."


def shards(report: ScaleReport) -> str:
    """By shards."""
    if not report.shards:
        return ""
    lines = [
        said(report, "shards"),
        "",
        "| shards | a relay | a gather | ÷ 4 shards | a shard more | first byte of a gather | p99 | connections |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    four = next((run.gather_us for run in report.shards if run.shards == 4), report.shards[0].gather_us)
    before = None
    for run in report.shards:
        more = "" if before is None else f"{(run.gather_us - before.gather_us) / (run.shards - before.shards):.0f} µs"
        lines.append(
            f"| {run.shards} | {run.relay_us:.0f} µs | {run.gather_us:,.0f} µs | {run.gather_us / four:.2f} | {more} |"
            f" {run.gather_first_us / 1000:.2f} ms | {run.gather_first_p99_us / 1000:.2f} ms | {run.connections:,} |"
        )
        before = run
    return "\n".join(lines)


def late(report: ScaleReport) -> str:
    """Hedges."""
    if not report.late:
        return ""
    lines = [
        said(report, "late"),
        "",
        "| shards | instances of each | hedged | first byte, median | p99 |",
        "| ---: | ---: | --- | ---: | ---: |",
    ]
    for run in report.late:
        hedged = "yes" if run.hedged else "no"
        lines.append(
            f"| {run.shards} | {run.replicas} | {hedged} | {run.first_p50_ms:.0f} ms | {run.first_p99_ms:.0f} ms |"
        )
    return "\n".join(lines)


def gateways(report: ScaleReport) -> str:
    """By gateways."""
    if not report.gateways:
        return ""
    lines = [
        said(report, "gateways"),
        "",
        "| gateways | sessions | memory of PostgreSQL | at rest | a new tenant is known to all | changes a second |"
        " a change takes | p99 | commits a change | refused |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {run.gateways} | {run.sessions} | {run.server_mb:.0f} MB | {run.idle_ms_a_s:.0f} ms CPU a second |"
        f" {run.seen_ms:.0f} ms, at most {run.seen_max_ms:.0f} | {run.changes_per_s:.0f} |"
        f" {run.change_p50_ms:,.0f} ms | {run.change_p99_ms:,.0f} ms | {run.commits_a_change:.1f} | {run.refused} |"
        for run in report.gateways
    ]
    return "\n".join(lines)


def charts(report: ScaleReport, directory: DirectoryReport) -> dict[str, Chart]:
    """Name → curves."""
    found = {}
    if report.shards:
        curves = [
            Curve("gather", [(run.shards, run.gather_us) for run in report.shards]),
            Curve("relay", [(run.shards, run.relay_us) for run in report.shards]),
            Curve("gather, first byte", [(run.shards, run.gather_first_us) for run in report.shards]),
        ]
        found["shards"] = Chart("µs a request, by shards", "shards", curves)
    relays = [(run.keys, run.relay_us) for run in directory.after if run.relay_us]
    if relays:
        memory = [(run.keys, run.memory_mb) for run in directory.after if run.memory_mb]
        curves = [Curve("relay, CPU µs", relays), Curve("memory, MB", memory)]
        found["tenants"] = Chart("A relay and all workers' memory, by tenants", "tenants", curves)
    if report.gateways:
        curves = [
            Curve("changes a second", [(run.gateways, run.changes_per_s) for run in report.gateways]),
            Curve("a tenant is known, ms", [(run.gateways, run.seen_ms) for run in report.gateways]),
            Curve("at rest, ms CPU a s", [(run.gateways, run.idle_ms_a_s) for run in report.gateways]),
        ]
        found["gateways"] = Chart("One store in PostgreSQL, by gateways (simulated)", "gateways", curves)
    return found


def pictures() -> list[Path]:
    """The files of the curves."""
    return sorted(_PICTURES.glob("scale-*.svg"))
