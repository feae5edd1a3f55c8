"""The table of `make chaos`, its last line, and what is kept of it."""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.results import Machine
from proof.chaos.fault import Verdict
from proof.data import ROOT

_TRIED = {2: "tried twice", 3: "tried three times"}

RESULTS = ROOT / "bench" / "results"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One whole run."""

    date: str
    commit: str
    machine: Machine
    took_s: float
    verdicts: Sequence[Verdict]


def head() -> str:
    """What the columns are."""
    return f"{'fault':44}{'normal':>9}{'p99':>9}{'slowest':>10}{'over in':>10}  observed"


def line(verdict: Verdict) -> str:
    """One fault."""
    if verdict.skipped:
        return f"{verdict.name:44}SKIPPED: {verdict.skipped}"
    left = (
        f"{verdict.name:44}{verdict.normal_p99_ms:6.0f} ms{verdict.p99_ms:6.0f} ms"
        f"{verdict.slowest_s:8.2f} s{verdict.recovered_s:8.2f} s  {_observed(verdict)}"
    )
    return left + ("  BROKEN: " + "; ".join(verdict.findings) if verdict.findings else "")


def summary(verdicts: Sequence[Verdict]) -> str:
    """The last line."""
    tried = [verdict for verdict in verdicts if not verdict.skipped]
    skipped = len(verdicts) - len(tried)
    held = sum(not verdict.findings for verdict in tried)
    return f"chaos: {len(tried)} faults, {held} held" + (f", {skipped} skipped" if skipped else "")


def keep(verdicts: Sequence[Verdict], machine: Machine, took_s: float) -> None:
    """Write the results of a whole run."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    kept = Kept(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit,
        machine=machine,
        took_s=round(took_s, 1),
        verdicts=verdicts,
    )
    write(kept, RESULTS)


def write(kept: Kept, folder: Path) -> None:
    """As JSON, and as a table to be read."""
    folder.mkdir(exist_ok=True)
    (folder / "chaos.json").write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
    (folder / "chaos.md").write_text(_markdown(kept))


def _markdown(kept: Kept) -> str:
    machine = kept.machine
    rows = [f"| {verdict.name} | {verdict.what} | {verdict.must} | {_cells(verdict)} |" for verdict in kept.verdicts]
    return "\n".join(
        [
            "# Chaos",
            "",
            f"{kept.date}, commit {kept.commit}, {machine.cores} × {machine.processor}, {machine.memory_gib:g} GiB,"
            f" Linux {machine.kernel}; load average before: {machine.load_before:g}; {kept.took_s:.0f} s.",
            "",
            summary(kept.verdicts) + ". Written by `make chaos`; what the columns mean:"
            " [at night](../../docs/howto/at-night.md#what-was-tried).",
            "",
            "| fault | what | must hold | observed | p99 of reads, normal → settled | slowest | over in | |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _cells(verdict: Verdict) -> str:
    if verdict.skipped:
        return f"{verdict.skipped} | | | | skipped"
    word = "held" if not verdict.findings else "**BROKEN**: " + "; ".join(verdict.findings)
    return (
        f"{_observed(verdict)} | {verdict.normal_p99_ms:.0f} → {verdict.p99_ms:.0f} ms"
        f" | {verdict.slowest_s:.2f} s | {verdict.recovered_s:.2f} s | {word}"
    )


def _observed(verdict: Verdict) -> str:
    extra = [
        _TRIED.get(verdict.tries, ""),
        "the machine was noisy" if verdict.is_noisy and verdict.tries > 1 else "",
    ]
    return "; ".join([verdict.observed, *filter(None, extra)])
