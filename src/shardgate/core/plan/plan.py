"""The plans that several kinds of rules make, for one shard or for many. A rule's own plan stands beside the rule."""

from collections.abc import Collection, Iterable, Sequence
from urllib.parse import quote

from shardgate.core.clients.masking import MASK, is_secret, masked
from shardgate.core.contracts import Merging
from shardgate.core.http import Request
from shardgate.core.plan.prune import Pruned
from shardgate.core.routes.route import Plan, Route, Sentence, Variables
from shardgate.core.topology import ShardId


def said_key(route: Route, key: str) -> str:
    """The key; a mask where one of its sources looks like a secret: `query.api_key`, `cookie.session`."""
    fields = route.rule.key_fields() if route.rule is not None else ()
    return MASK if any(is_secret(source) for _, sources in fields for source in sources) else key


def _shown(route: Route, key: str) -> str:
    return MASK if said_key(route, key) == MASK else repr(key)


class ToOne(Plan):
    """Relay to the shard that owns the key."""

    shard: ShardId
    key: str
    doubted: "FindOwner | None" = None
    """What to do if the shard does not hold the key: the gateway only remembers that it did."""
    recalled: str = ""
    """The space of the memory that named the shard; empty: something else did."""

    def explain(self, request: Request) -> Iterable[Sentence]:
        """The owner."""
        yield "shard", f"{self.shard} owns the key {_shown(self.route, self.key)}"
        yield "asked", f"{self.shard}: the request as it came; the reply passes untouched"


class ToAny(Plan):
    """Relay to any of these shards, the first that can be reached."""

    shards: Sequence[ShardId]
    why: str = ""
    """Why no single shard is meant, for `explain`: begins the sentence that names the shards."""

    def explain(self, request: Request) -> Iterable[Sentence]:
        """The shards."""
        yield "shard", f"{self.why}any of {', '.join(self.shards)}"
        yield "asked", "the first that can be reached: the request as it came"


class FindOwner(Plan):
    """Ask every shard for this target by GET; the one that has it owns the key, and answers."""

    space: str
    key: str
    target: bytes
    shards: Sequence[ShardId]
    is_the_request: bool
    """The question is the client's request itself: the owner's reply is the answer."""
    gathers: Variables | None = None
    """The variables of the path, where the shards that have the key are gathered from; None: one of them answers."""

    def explain(self, request: Request) -> Iterable[Sentence]:
        """The question, and what follows."""
        said, target = _shown(self.route, self.key), masked(self.target.decode("ascii"))
        if said == MASK:
            target = target.replace(quote(self.key, safe=""), MASK)
        yield "shard", f"not known yet for the key {said}: all are asked who has it"
        for shard in self.shards:
            yield "asked", f"{shard}: GET {target}"
        if self.gathers is not None:
            yield "then", "the list is gathered from those that know it, which is remembered of one; else from all"
        elif self.is_the_request:
            yield "then", "the one that has it answers; its place is remembered"
        else:
            yield "then", f"{request.method} goes to the one that has it, and its place is remembered"


class ToGather(Plan):
    """Ask every shard that the filters leave, and merge the replies."""

    request: Request
    merging: Merging
    pruned: Pruned | None = None
    instead: Merging | None = None
    """What to do where the page does not show all ids whose shard is only remembered: the same over all shards."""
    learn: Collection[str] = ()
    """The locator chains that learn the keys of the rows."""
    recalled: str = ""
    """The space of the memory that says that these shards know the client's credential; empty: nothing is doubted."""
    key: str = ""
    """The credential."""
    doubted: "Plan | None" = None
    """What to do if they do not know it."""
    by_head: bool = False
    """The shards are asked by HEAD: a merged reply without a body says nothing of the length that a GET has."""

    def explain(self, request: Request) -> Iterable[Sentence]:
        """What each shard is asked, and how the replies are merged."""
        pruned = self.pruned
        for reason in () if pruned is None else pruned.reasons:
            yield "pruned", reason
        for ask in self.merging.asks():
            yield "asked", f"{ask.shard}: {ask.method.decode()} {masked(ask.target.decode('ascii'))}"
        if pruned is not None and pruned.hoped:
            yield "then", "all shards, unless the page shows each id whose shard was only remembered"
        for line in self.merging.explain():
            yield "merged", line
