"""How much of everything there is, at a scale.

Holds: vendors vary in size as real ones do: a few have thousands of events, most have a handful.
"""

from dataclasses import dataclass

CLIENTS_OF_VENDORS = 10


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of rows. Scale 1 is the platform as it really is."""

    vendors: int
    events: int
    orders: int

    @classmethod
    def at(cls, scale: float) -> "Sizes":
        vendors = max(12, round(1_200 * scale))
        return cls(
            vendors=vendors,
            events=max(3 * vendors, round(33_000 * scale)),
            orders=max(40, round(50_000 * scale)),
        )

    def events_of_vendors(self) -> list[int]:
        """Shares events out by a law of 1/rank; the first vendor is the largest."""
        spare = self.events - self.vendors
        weights = [1 / rank for rank in range(1, self.vendors + 1)]
        total = sum(weights)
        counts = [1 + int(spare * weight / total) for weight in weights]
        counts[0] += self.events - sum(counts)
        return counts
