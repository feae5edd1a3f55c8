"""How fast this machine is beside the one for which the bounds are written.

Holds: a time is told in milliseconds of the reference machine. Machines differ by a factor of four, and a busy one runs
slower than an idle one; the yardstick of `bench/micro` is measured before and after each attack.
"""

from bench.micro.measure import yardstick_ns

REFERENCE_NS = 17_000
"""CPU time of the yardstick on the machine where the bounds were set."""
_ROUNDS = 30


def slowness() -> float:
    """How many times longer work takes here than on the reference machine."""
    return yardstick_ns(_ROUNDS) / REFERENCE_NS
