"""Print what everything costs; with `--baseline`, keep it as what it may cost."""

import sys
from collections.abc import Mapping

from bench.micro.baseline import Cost, read, renewed, version, write
from bench.micro.measure import in_yardsticks, instructions, yardstick_ns
from bench.micro.work import all_work

ROUNDS = 200
ONE, TWO = "relay, whole", "relay, two replicas, whole"
PRICE_US_MAX = 1.5
"""Of a relay with two replicas a shard, more than with one."""


def main() -> None:
    """Measure, print, and keep if told so."""
    with all_work() as works:
        # Counted first, as the test counts: what a gateway has learned of its replicas' latency changes the count.
        counts = [round(instructions(work), 1) for work in works]
        yardstick = yardstick_ns(ROUNDS)
        costs = {
            work.name: Cost(count, round(cost, 4))
            for work, count, cost in zip(works, counts, in_yardsticks(works, ROUNDS), strict=True)
        }
    times = {name: cost.yardsticks * yardstick for name, cost in costs.items()}
    kept = read().get(version(), {})
    print(f"Python {version()}; the median of {ROUNDS} rounds; the yardstick takes {yardstick:,.0f} ns")
    print(f"{'work':32}{'ns':>12}{'yardsticks':>14}{'instructions':>16}{'baseline':>12}")
    for name, cost in costs.items():
        before = kept.get(name)
        change = f"{cost.instructions / before.instructions - 1:+.1%}" if before else "new"
        print(f"{name:32}{times[name]:12,.0f}{cost.yardsticks:14.3f}{cost.instructions:16,.1f}{change:>12}")
    print(_price(times, costs))
    if "--baseline" in sys.argv[1:]:
        write(renewed(read(), costs, version()))
        print("kept in bench/micro/baseline.json; say in the commit why it changed")


def _price(times: Mapping[str, float], costs: Mapping[str, Cost]) -> str:
    """What the second replica of a shard costs a relay; both were measured in turns."""
    more_us = (times[TWO] - times[ONE]) / 1000
    word = "at most" if more_us <= PRICE_US_MAX else "MORE THAN"
    instructions = costs[TWO].instructions - costs[ONE].instructions
    return (
        f"two replicas a shard instead of one: {more_us:.2f} µs ({word} {PRICE_US_MAX:g})"
        f" and {instructions:.1f} instructions a relay"
    )


if __name__ == "__main__":
    main()
