"""The rate that this machine carries: the load for some seconds at a rate, then at a higher one, until it is too much.

Holds: a rate is carried where all requests are answered, every journey ends, and the platform keeps up. A step is too
short to judge partners that send little: the run does that, at a part of the last rate that was carried.
"""

from collections.abc import Iterator

from bench.partners.samples import Load, quantile

STEP_S = 6.0
FIRST_PER_S = 10.0
FACTOR = 1.4
PART = 0.7
P95_MS = 250.0
"""Where requests of all kinds take longer than this, they wait for each other."""


def rates(whole_per_s: float) -> Iterator[float]:
    """Rates to try, up to the whole."""
    rate = min(FIRST_PER_S, whole_per_s)
    while rate < whole_per_s:
        yield rate
        rate *= FACTOR
    yield whole_per_s


def carried(load: Load) -> str:
    """Empty where the rate is carried; otherwise why it is not."""
    if load.unsent:
        return f"{load.unsent} journeys were not over"
    if failed := sum(sample.failed for sample in load.samples):
        return f"{failed} requests failed"
    p95_ms = quantile([sample.took_ms for sample in load.samples], 0.95)
    return f"p95 of all {p95_ms:.0f} ms, more than {P95_MS:g} ms" if p95_ms > P95_MS else ""
