"""Prints what was found."""

from bench.results import Measured, Report, Single
from bench.targets import Verdict

_HEAD = (
    f"{'':18}{'conns':>6}{'CPU µs/request':>16}{'spread':>18}{'requests/s':>12}{'core':>6}"
    f"{'TTFB p50 µs':>13}{'p99':>10}"
)


def print_report(report: Report, verdicts: list[Verdict]) -> None:
    """Tables by work, what is missing, the targets, and the line that sums it up."""
    for work in dict.fromkeys(each.work for each in report.measured):
        print(f"\n{work}\n{_HEAD}")
        for each in report.measured:
            if each.work == work:
                print(_line(each))
    print()
    for single in report.singles:
        print(_single(single))
    print("\nversions: " + "; ".join(f"{name} {version}" for name, version in report.versions.items()))
    for name, reason in report.missing.items():
        print(f"missing: {name}: {reason}")
    for when, seen in (("before", report.quiet_before), ("after", report.quiet_after)):
        if seen is not None:
            print(f"the machine, {when}: {seen.line()}")
    for warning in report.warnings:
        print(f"warning: {warning}")
    print()
    for verdict in sorted(verdicts, key=lambda verdict: not verdict.met):
        word = "MISSED" if not verdict.met else "goal" if verdict.goal_met else "must"
        print(f"  {word:8}{verdict.line()}")
    print(f"bench: {sum(verdict.met for verdict in verdicts)} of {len(verdicts)} musts met")
    _say_missing(report)


def _say_missing(report: Report) -> None:
    """Once more at the very end, where it is read."""
    if report.missing:
        named = "; ".join(f"{name}: {reason}" for name, reason in report.missing.items())
        print(f"bench: NOT MEASURED, so that musts are missed which may be met: {named}")


def _line(each: Measured) -> str:
    cpu = each.values("cpu_us")
    spread = f"{cpu[0]:.1f} to {cpu[-1]:.1f}"
    first = f"{each.median('first_p50_us'):13,.0f}{each.median('first_p99_us'):10,.0f}"
    share = f"{each.median('cpu_share'):6.0%}"
    return (
        f"  {each.peer:16}{each.connections:6}{each.median('cpu_us'):16.1f}{spread:>18}"
        f"{each.median('per_s'):12,.0f}{share}{first}"
    )


def _single(single: Single) -> str:
    if single.value is None:
        found = "not measured"
    elif single.unit == "bytes" and single.value >= 1 << 18:
        found = f"{single.value / (1 << 20):.1f} MiB"
    elif single.unit == "bytes":
        found = f"{single.value / 1024:.1f} KiB"
    else:
        found = f"{single.value:.2f} {single.unit}"
    return f"{single.work}: {single.peer}: {found} ({single.note})"
