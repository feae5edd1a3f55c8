"""The rate that this machine carries: the load for some seconds at a rate, then at a higher one, until it is too much.

Holds: a rate is carried where every limit is met, every journey ends, and the platform keeps up. The run that is judged
uses a part of the last rate that was carried, so that chance does not decide.
"""

from collections.abc import Iterator

from bench.partners.samples import Load, quantile
from bench.partners.verdicts import Row

STEP_S = 6.0
FIRST_PER_S = 10.0
FACTOR = 1.4
PART = 0.7
P90_MS = 250.0
"""Where requests of all kinds take longer than this, they wait for each other."""


def rates(whole_per_s: float) -> Iterator[float]:
    """Rates to try, up to the whole."""
    rate = min(FIRST_PER_S, whole_per_s)
    while rate < whole_per_s:
        yield rate
        rate *= FACTOR
    yield whole_per_s


def carried(load: Load, rows: list[Row]) -> str:
    """Empty where the rate is carried; otherwise why it is not."""
    if load.unsent:
        return f"{load.unsent} journeys were not over"
    missed = [each.line() for row in rows for each in row.thresholds if not each.met and each.found is not None]
    if missed:
        return missed[0]
    p90_ms = quantile([sample.took_ms for sample in load.samples], 0.9)
    return f"p90 of all {p90_ms:.0f} ms, more than {P90_MS:g} ms" if p90_ms > P90_MS else ""
