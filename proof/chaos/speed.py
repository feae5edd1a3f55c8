"""How fast a processor is at the moment, told by a process on it: `python -m proof.chaos.speed`.

Fifty times a second it does the same small piece of work, and tells when, and how long it was at it. What other
processes on this processor do is not counted. What slows the processor itself is: its clock, its other thread, and
other guests of the host. On machines of others that halves it for seconds, so that what two seconds could do says
little of what the next two can.
"""

import time

from proof.chaos.heard import HeardProcess

_PAUSE_S = 0.02
_STEPS = 3000
_LAST = 20


class Speed(HeardProcess):
    """Of one processor, since the process was started."""

    def __init__(self, processor: int) -> None:
        super().__init__("proof.chaos.speed")
        self._processor = processor
        self._took: list[tuple[float, float]] = []
        """When, and how long it was at its piece of work."""

    async def start(self) -> None:
        """Start it, on its processor."""
        await super().start()
        self.bind({self._processor})

    def between(self, began_at: float, ended_at: float) -> float:
        """Pieces in a second of the processor, between two instants. Raises RuntimeError where none was done."""
        return _speed([took_s for at_s, took_s in self._took if began_at <= at_s < ended_at])

    @property
    def last(self) -> float:
        """The same, of the last half a second or so that was told of. Raises RuntimeError where nothing was."""
        return _speed([took_s for _, took_s in self._took[-_LAST:]])

    def heard(self, line: bytes) -> None:
        """It was at its work."""
        at_s, took_s = map(float, line.split())
        self._took.append((at_s, took_s))


def _speed(took: list[float]) -> float:
    if not took:
        raise RuntimeError("nothing is known of the speed of the processor")
    return len(took) / sum(took)


def _piece() -> int:
    """What the gateway's own work is made of: objects, lists and dicts."""
    kept: dict[int, int] = {}
    rows: list[str] = []
    for number in range(_STEPS):
        kept[number & 255] = number
        rows.append("row")
    return len(kept) + len(rows)


def main() -> None:
    """Tell."""
    while True:
        at_s, began_s = time.monotonic(), time.thread_time()
        _piece()
        print(f"{at_s:.4f} {time.thread_time() - began_s:.7f}", flush=True)
        time.sleep(_PAUSE_S)


if __name__ == "__main__":
    main()
