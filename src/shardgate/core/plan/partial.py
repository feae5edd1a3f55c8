"""The plan of a gather whose reply may lack shards.

Holds: it is made only for a rule that allows that, so that other gathers pay nothing.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from shardgate.core.failures.declared import Signs
from shardgate.core.failures.tolerance import STRICT, Tolerance
from shardgate.core.http import Request
from shardgate.core.plan.plan import ToGather
from shardgate.core.routes.route import Sentence
from shardgate.core.topology import ShardId

Without = Callable[[frozenset[ShardId]], ToGather]
"""Makes the plan for the same request without these shards."""


class ToPartialGather(ToGather):
    """Ask every shard that the filters leave; those that do not answer may be left out."""

    tolerance: Tolerance = STRICT
    without: Without | None = None
    within: Sequence[ShardId] = ()
    """The shards that are asked where no filter leaves fewer."""
    asked: Sequence[ShardId] = ()
    """The shards that would be asked if none were left out."""
    failure_is: Signs = msgspec.field(default_factory=dict)
    """What says that a reply is a failure though its status does not."""
    coalesces: bool = False
    """Equal requests under way share one reply."""
    shows_provenance: bool = False
    """The reply says from which shard each of its rows came."""
    mark: str = ""
    """The parameter that the merge's requests have, for the links of its page, and that shards must not see."""
    left_out: frozenset[ShardId] = frozenset()
    """Those of `asked` that the page lacks from which this one was reached."""

    @property
    def is_simple(self) -> bool:
        """Never: a shard may be missing."""
        return False

    def explain(self, request: Request) -> Iterable[Sentence]:
        """As for other gathers, and what becomes of missing shards."""
        yield from super().explain(request)
        yield "missing", self.tolerance.explained()
        if self.coalesces:
            yield "coalesced", "with equal requests that are under way at the same time: one gather, one reply"
        for shard in sorted(self.left_out):
            yield "missing", f"{shard}: the page before lacked it, so that this one does, too"


def with_provenance(plan: ToGather) -> ToPartialGather:
    """The same gather, whose reply says from which shard each row came."""
    if isinstance(plan, ToPartialGather):
        return msgspec.structs.replace(plan, shows_provenance=True, coalesces=False)
    asked = tuple(dict.fromkeys([ask.shard for ask in plan.merging.asks()]))
    given = {name: getattr(plan, name) for name in ToGather.__struct_fields__}
    return ToPartialGather(**given, asked=asked, within=asked, shows_provenance=True)
