"""The table of `make hostile`, and its last line."""

from collections.abc import Sequence

from proof.hostile.attack import MEMORY_MB_MAX, Verdict


def line(verdict: Verdict) -> str:
    """One attack."""
    said = verdict.said if len(verdict.said) <= 34 else verdict.said[:33] + "…"
    left = f"{verdict.name:46}{said:36}{verdict.stall_ms:9,.1f} ms{verdict.memory_mb:8,.0f} MB{verdict.took_s:8.1f} s"
    return left + ("  BROKEN: " + "; ".join(verdict.broken) if verdict.broken else "")


def head() -> str:
    """What the columns are."""
    return f"{'attack':46}{'outcome':36}{'stall':>12}{'memory':>11}{'took':>10}"


def summary(verdicts: Sequence[Verdict]) -> str:
    """The last line. The worst memory is that of single requests and replies."""
    stall = max((verdict.stall_ms for verdict in verdicts), default=0.0)
    single = [verdict.memory_mb for verdict in verdicts if verdict.memory_mb_max == MEMORY_MB_MAX]
    lost, stuck, leaked = (sum(getattr(v, word) for v in verdicts) for word in ("lost", "stuck", "leaked"))
    return (
        f"hostile: {len(verdicts)} attacks, worst stall {stall:.0f} ms, worst memory {max(single, default=0.0):.0f} MB, "
        f"{lost} lost, {stuck} stuck, {leaked} leaked"
    )
