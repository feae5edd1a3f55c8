"""The first look at a deep page: two rows of each shard, around the place where the page is expected to begin.

The keys of the two rows are put on a line of numbers (scale.py). Between them a shard's rows are spread about evenly.
So each point of the line has an estimated number of rows of each shard before it, and the page begins where these add
up to its offset. The rows between two that were seen, D of them, deviate by sqrt(D / 4) at most, where the expectation
alone deviates by sqrt(offset / shards): of 5,000 rows over three shards by 5 rows instead of 33. So the second call of
a shard is for a short stretch of rows, and nearly always holds the page.

    expected    ........L..............U........     the rows L and U are asked for, at the same time
    then        ............[page  ]............     the stretch that their keys say

Texts of a natural language are no numbers: the keys do not say how far they are apart. Then the stretch is as wide as
the expectation is wrong.

Holds: two calls of one row for each shard, and one stretch; whether it holds the page is proved by its rows
(selection.py).
Never: does IO.
"""

from collections.abc import Mapping, Sequence
from math import ceil, inf, isfinite, sqrt
from typing import Any, Final

from shardgate.core.lists.expected import Expected
from shardgate.core.lists.scale import LUMPY, POOR, measured
from shardgate.core.topology import ShardId

Stretch = tuple[int, int]
"""The rows of a shard from the first number to before the second."""

# How many deviations before and behind the expectation the two rows stand: nearer ones have the page between them less
# often, farther ones tell less.
_PROBED_DEVIATIONS: Final = 1.3
# Of so many deviations an estimate is wrong in one of some thousand pages.
DEVIATIONS: Final = 4.0
# Where that makes a stretch longer than a page may take without another thought: in one of some hundred at worst.
_FEWER_DEVIATIONS: Final = 3.5
# Where several rows share their first key, rows come in lumps, and the estimate is worse.
_LUMPY_DEVIATIONS: Final = 7.0
# Where the keys say nothing of how far they are apart, such as names: rows with alike keys often are of one shard.
_POOR_DEVIATIONS: Final = 4.5
# A stretch is so many rows longer than estimated, for what is rounded.
_ROUNDED: Final = 2


def stretch(one: Expected, limit: int, deviations: float = DEVIATIONS) -> Stretch:
    """The rows that hold the page, if the place is wrong by no more than so many deviations.

    The row before the page is among them: it proves that the page begins here.
    """
    wide = deviations * one.deviation + _ROUNDED
    share = min(1.0, one.share)
    shown = limit * share
    spread = sqrt(wide * wide + deviations * deviations * shown * (1 - share))
    start = max(0, int(one.place - wide) - 1)
    return start, max(start + 2, min(ceil(one.place + shown + spread), ceil(one.place + wide) + limit))


def fitting(one: Expected, limit: int, rows: int) -> Stretch:
    """The same, as sure as so many rows allow: more where they are left, a little less where they do not suffice."""
    start, end = stretch(one, limit)
    if end - start > rows:
        return stretch(one, limit, _FEWER_DEVIATIONS)
    return start, max(end, min(start + rows, ceil(one.place + DEVIATIONS * one.deviation) + _ROUNDED + limit))


class Probing:
    """The two rows of each shard, and what they tell."""

    __slots__ = ("_ends", "_expected", "_offset", "_points")

    def __init__(self, offset: int, expectations: Mapping[ShardId, Expected]) -> None:
        self._offset = offset
        self._expected = expectations
        self._points: list[tuple[ShardId, int, Any]] = []
        self._ends: dict[ShardId, int] = {}

    def places(self) -> list[dict[ShardId, int]]:
        """Which row of each shard to ask for, first and second."""
        pairs = {shard: _around(one) for shard, one in self._expected.items()}
        return [{shard: pair[n] for shard, pair in pairs.items()} for n in range(2)]

    def take(self, shard: ShardId, place: int, key: Any) -> None:
        """Take in the key of a row."""
        self._points.append((shard, place, key))

    def ended(self, shard: ShardId, place: int) -> None:
        """There is no such row: the shard has `place` rows at most."""
        self._ends[shard] = min(place, self._ends.get(shard, place))

    def stretches(self, limit: int, rows: int) -> dict[ShardId, Stretch]:
        """The rows of each shard that probably hold the page, `rows` of them if that is enough."""
        points = sorted(self._points, key=lambda point: point[1])
        at, trust = measured([key for _, _, key in points])
        lines = {shard: _Line(one, self._ends.get(shard)) for shard, one in self._expected.items()}
        for (shard, row, _), number in zip(points, at, strict=True):
            lines[shard].points.append((number, row))
        pace = _pace(lines.values())
        if trust == POOR or pace is None or 2 * sum(bool(line.points) for line in lines.values()) < len(lines):
            return {shard: stretch(one, limit, _POOR_DEVIATIONS) for shard, one in self._expected.items()}
        number = self._number(lines, at, pace)
        estimates = {shard: line.before(number, pace) for shard, line in lines.items()}
        together = sum(variance for _, variance in estimates.values())
        found = {}
        for shard, (place, variance) in estimates.items():
            # The point of the line is wrong by what all shards are wrong by, in the mean.
            mean = together / len(lines) ** 2
            deviation = sqrt(max(0.0, variance * (1 - 2 / len(lines))) + mean)
            if not lines[shard].points or not isfinite(place + deviation):
                found[shard] = stretch(self._expected[shard], limit, _POOR_DEVIATIONS)
                continue
            one = Expected(max(0.0, place), deviation, lines[shard].share)
            found[shard] = stretch(one, limit, _LUMPY_DEVIATIONS) if trust == LUMPY else fitting(one, limit, rows)
        return found

    def _number(self, lines: Mapping[ShardId, "_Line"], at: Sequence[float], pace: float) -> float:
        """The point of the line before which `offset` rows are estimated."""

        def rows(number: float) -> float:
            return sum(line.before(number, pace)[0] for line in lines.values())

        knots = sorted(at)
        low, high = 0, len(knots)
        while low < high:
            middle = (low + high) // 2
            if rows(knots[middle]) < self._offset:
                low = middle + 1
            else:
                high = middle
        if low == len(knots):
            return knots[-1] + (self._offset - rows(knots[-1])) / pace
        if low == 0:
            return knots[0] - (rows(knots[0]) - self._offset) / pace
        first, second = knots[low - 1], knots[low]
        few, many = rows(first), rows(second)
        return first if many <= few else first + (second - first) * (self._offset - few) / (many - few)


class _Line:
    """One shard's rows along the line of numbers."""

    __slots__ = ("_expected", "_most", "points", "share")

    def __init__(self, expected: Expected, most: int | None) -> None:
        """`most`: the shard has so many rows at most; None: it is not known."""
        self._expected = expected
        self._most = inf if most is None else most
        self.share = expected.share
        self.points: list[tuple[float, int]] = []
        """Numbers that rows have, and how many rows stand before these; rising."""

    def before(self, number: float, pace: float) -> tuple[float, float]:
        """About how many rows have a lesser number, and the variance of that. `pace`: of all shards together."""
        if not self.points:  # it ends before the first row that was looked at
            one = self._expected
            return max(0.0, min(one.place, self._most) - one.deviation / 2), one.deviation**2
        (first, few), (last, many) = self.points[0], self.points[-1]
        if first < number < last:
            part = (number - first) / (last - first)
            return few + part * (many - few), part * (1 - part) * (many - few)
        far = (number - first if number <= first else number - last) * pace * self.share
        return min((few if number <= first else many) + far, self._most), abs(far) + far * far / _PACED_ROWS


# A pace that was measured over some hundred rows is wrong by less than a tenth.
_PACED_ROWS: Final = 200


def _around(one: Expected) -> tuple[int, int]:
    far = max(2, round(_PROBED_DEVIATIONS * one.deviation))
    place = round(one.place)
    return max(0, place - far), place + far


def _pace(lines: "Sequence[_Line] | Any") -> float | None:
    """How many rows of all shards together there are in one unit of the line; None: unknown."""
    rows = width = 0.0
    for line in lines:
        if len(line.points) > 1:
            rows += line.points[-1][1] - line.points[0][1]
            width += (line.points[-1][0] - line.points[0][0]) * line.share
    pace = rows / width if width > 0 else 0.0
    return pace if 0 < pace < inf else None  # keys may be as far apart as numbers go
