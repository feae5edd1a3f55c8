"""The rule `every`: every shard takes the change, in one order for all changes of this kind."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from shardgate.core.changes.entry import Action
from shardgate.core.changes.idempotency import Idempotency
from shardgate.core.contracts import Known
from shardgate.core.http import SAFE_METHODS, Request
from shardgate.core.plan.key import refuse_unless_json
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import BaseRule, Clock, Plan, Route, Sentence, Variables
from shardgate.core.rules.calls import check_action, check_members, check_seen, check_statuses
from shardgate.core.rules.fields import IdForm
from shardgate.core.rules.repeating import check_key, check_name
from shardgate.core.topology import ShardId


class ToEvery(Plan):
    """Journal, then change every shard."""

    rule: "Every"
    shards: Sequence[ShardId]
    variables: Variables

    def explain(self, request: Request) -> Iterable[Sentence]:
        """The shards, in their order."""
        first, *others = self.shards
        yield "journal", "the change is written down first"
        yield "asked", f"{first}: the request; it judges for all"
        for shard in others:
            yield "then", f"{shard}: the same"


class Every(BaseRule, frozen=True, kw_only=True, tag="every"):
    """Every shard takes the change, in one order for all changes of this kind."""

    mode: Literal["strict", "eventual"] = "strict"
    """`strict`: the change is on all shards, or is taken back and reported (SG2009, or the refusal of the shard that
    refused). `eventual`: a shard that is down gets it when it returns; meanwhile the reply is 202."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """Members of the body that the gateway fills where the client does not. All shards get the same value: `{id:
    hex}`."""
    check: str | None = None
    """The path where the result can be seen once the change was made: `/v3/categories/{id}`. It is read when a reply
    was lost."""
    repeat: bool | None = None
    """Sending the change twice is the same as sending it once. Default: true for PUT and DELETE (RFC 9110 section
    9.2.2)."""
    already: tuple[int, ...] | None = None
    """The statuses by which a shard says, when the change is repeated, that it was made before. Default: `[404, 410]`
    for DELETE, `[409]` for others."""
    undo: Action | None = None
    """The call that takes the change back from one shard. `strict` needs it."""
    idempotency: Idempotency = Idempotency()
    """How repeated requests of this operation are handled."""

    def plan(self, request: Request, route: Route, variables: Variables, known: Known, clock: Clock) -> ToEvery:
        """To all shards. Raises AmbiguousKeyError where an id is to be put into a body that is not JSON."""
        if self.assign and request.body:
            refuse_unless_json(request)
        return ToEvery(route, self, known.topology.ids, variables)

    def describe(self, route: Route) -> str:
        """What happens where a shard is down."""
        how = "all, or taken back" if self.mode == "strict" else "a shard that is down gets it later"
        return f"every: all shards, journaled; {how}"

    def mistakes(self, method: str, template: str) -> Iterator[Mistake]:
        """What would leave a change half done, or its outcome unknown."""
        if method in SAFE_METHODS:
            cure = "take `any`" if method == "OPTIONS" else "take `any` or `gather`"
            yield Mistake("rule", f"`every` changes, and {method} does not", cure)
        if self.mode == "strict" and self.undo is None:
            cure = "add `undo`, or take `mode: eventual`"
            yield Mistake("undo", "`strict` must be able to take the change back", cure)
        if self.check is None and not self.repeats(method):
            cure = "add `check`, the path of what was changed, or `repeat: true` if sending it twice is harmless"
            yield Mistake("check", "after a lost reply nobody could say whether it was made", cure)
        yield from check_seen("check", self.check)
        yield from check_action("undo", self.undo)
        yield from check_statuses("already", self.already or ())
        yield from check_members("assign", self.assign)
        yield from check_key(self)
        yield from check_name(self)

    def repeats(self, method: str) -> bool:
        """Whether the change may be sent again; RFC 9110 section 9.2.2 where the rule does not say."""
        return method in {"PUT", "DELETE"} if self.repeat is None else self.repeat

    @property
    def needs_store(self) -> bool:
        """It is journaled."""
        return True
