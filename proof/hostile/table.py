"""The table of `make hostile`, and its last line."""

from collections.abc import Sequence

from proof.hostile.attack import Verdict


def line(verdict: Verdict) -> str:
    """One attack."""
    said = verdict.said if len(verdict.said) <= 34 else verdict.said[:33] + "…"
    left = f"{verdict.name:46}{said:36}{verdict.stall_ms:9,.1f} ms{verdict.memory_mb:8,.0f} MB{verdict.took_s:8.1f} s"
    return left + ("  BROKEN: " + "; ".join(verdict.broken) if verdict.broken else "")


def head() -> str:
    """What the columns are."""
    return f"{'attack':46}{'outcome':36}{'stall':>12}{'memory':>11}{'took':>10}"


def summary(verdicts: Sequence[Verdict]) -> str:
    """The last line. The worst are those of single requests and replies."""
    single = [verdict for verdict in verdicts if not verdict.many]
    stall = max((verdict.stall_ms for verdict in single), default=0.0)
    memory = max((verdict.memory_mb for verdict in single), default=0.0)
    lost, stuck, leaked = (sum(getattr(v, word) for v in verdicts) for word in ("lost", "stuck", "leaked"))
    return (
        f"hostile: {len(verdicts)} attacks, worst stall {stall:.0f} ms, worst memory {memory:.0f} MB, "
        f"{lost} lost, {stuck} stuck, {leaked} leaked"
    )
