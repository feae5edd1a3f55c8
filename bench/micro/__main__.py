"""Print what everything costs; with `--baseline`, keep it as what it may cost."""

import sys
from collections.abc import Mapping

from bench.micro.baseline import Cost, read, renewed, version, write
from bench.micro.measure import cpu_ns, in_yardsticks, instructions
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
        times, yardstick = cpu_ns(works, ROUNDS)
        costs = {
            work.name: Cost(count, round(time, 4))
            for work, count, time in zip(works, counts, in_yardsticks(works, ROUNDS), strict=True)
        }
    kept = read().get(version(), {})
    print(f"Python {version()}; the quickest of {ROUNDS} rounds; the yardstick takes {yardstick:,.0f} ns")
    print(f"{'work':32}{'ns':>12}{'yardsticks':>14}{'instructions':>16}{'baseline':>12}")
    for work, time in zip(works, times, strict=True):
        cost, before = costs[work.name], kept.get(work.name)
        change = f"{cost.instructions / before.instructions - 1:+.1%}" if before else "new"
        print(f"{work.name:32}{time:12,.0f}{cost.yardsticks:14.3f}{cost.instructions:16,.1f}{change:>12}")
    print(_price(dict(zip(costs, times, strict=True)), costs))
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
