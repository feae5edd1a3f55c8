"""Prints what a relayed request and a gathered list cost the gateway that is installed, in µs of CPU time, as JSON.

python -m tools.wheels.price, by the interpreter of the environment that is measured, in the folder of the sources.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.micro.whole import GATHERS, RELAYS, WholeGateway

ROUNDS = 30


def least_us(work: Callable[[], object], times: int) -> float:
    """The quickest of all rounds: what disturbs, only adds."""
    work()
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) / times * 1e6)
    return min(found)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, WholeGateway(Path(folder)) as gateway:
        costs = {"relay": least_us(gateway.relay(), RELAYS), "gather": least_us(gateway.gather(), GATHERS)}
    print(json.dumps(costs))
