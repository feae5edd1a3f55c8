"""An object with numbers: sums add, the least is the least of all, an average is computed again from the sums."""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.http import Reply
from shardgate.core.json.number import Average
from shardgate.core.json.object import JsonObject
from shardgate.core.json.totals import Totals
from shardgate.core.merge.combining import Aggregating, with_body


class Numbers(Aggregating, frozen=True, tag="numbers"):
    """`{"orders": 12, "revenue": 99.50, "largest": 40.00}`. Members are named by path: `totals.revenue`."""

    sum: tuple[str, ...] = ()
    """Members that add up. `*` stands for every member of an object: `facets.city.*` of `{"Bern": 3, "Ulm": 2}`, or `*`
    where the whole body is one; a member that a shard lacks counts as none."""
    min: tuple[str, ...] = ()
    """Members of which the least counts, of numbers or of texts (by code point); null counts as no value."""
    max: tuple[str, ...] = ()
    """Members of which the greatest counts, of numbers or of texts (by code point); null counts as no value."""
    average: Mapping[str, Average] = msgspec.field(default_factory=dict)
    """Members that are averages → the two sums that each is computed from, which must be under `sum`."""

    first_of: tuple[str, ...] = ()
    """Members that may differ, and are the first shard's: `meta.generated_at`."""

    def __post_init__(self) -> None:
        """What is said of the members can be said. Raises ValueError."""
        self._totals()

    def _totals(self) -> Totals:
        return Totals(sum=self.sum, min=self.min, max=self.max, average=self.average, first_of=self.first_of)

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The merged object. Raises BrokenReplyError, ValueError, TypeError, ArithmeticError."""
        return with_body(replies[0], self._totals().merged([JsonObject(reply.body) for reply in replies], {}))

    def describe(self) -> str:
        """The merge in one line."""
        named = [("sums of", self.sum), ("least", self.min), ("greatest", self.max), ("average", tuple(self.average))]
        return "one object: " + "; ".join(f"{what} {', '.join(paths)}" for what, paths in named if paths)
