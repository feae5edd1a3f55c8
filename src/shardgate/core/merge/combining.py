"""The base of merges that send the client's request to every shard once, and combine the replies.

One of your own is a frozen struct whose fields are its configuration, with the methods `combine` and `describe`.

Holds: where a shard refuses, one refusal is the reply (refusals.py), and `combine` is not called.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from shardgate.core.body.reading import read_object
from shardgate.core.contracts import NO_MOMENT, Ask, Moment, Strategy, method_of
from shardgate.core.errors import BrokenReplyError, UnreadablePageError, UpstreamError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, Request
from shardgate.core.paging.query import pairs_of
from shardgate.core.replies.refusals import is_redirect, redirect, unite
from shardgate.core.replies.validators import Tagging
from shardgate.core.topology import ShardId
from shardgate.core.twins import is_twin

PAGING_PARAMETERS: Final = (
    *("limit", "offset", "page", "page_size", "per_page", "size", "top", "first", "last", "skip", "take"),
    *("order", "order_by", "ordering", "sort", "sort_by", "max_results", "page_number", "per", "rows", "having"),
    *("n", "k", "num", "top_n", "count", "results"),
)
"""The names by which applications page and sort: what a merge that needs all data of each shard refuses by default."""

_NOT_AS_THE_RULE_SAYS = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)


class Combining(Strategy, frozen=True, kw_only=True):
    """A merge of one round: N replies become one."""

    not_here: tuple[int, ...] = ()
    """The statuses by which a shard says that it has nothing: `[204, 404]`. Its reply is left out of the merge. Where
    no shard has anything, one of these replies is the reply."""

    tagging: ClassVar[Tagging] = "digest"
    """What the ETag of the merged reply is."""

    posted: bool = False
    """It is asked for by POST, with the question in the body. It only reads, and may be sent again as a GET may."""

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> "Combination":
        """Start the merge of one request."""
        return Combination(self, request, shards)

    def body(self, request: Request) -> bytes:
        """What shards are sent: the client's own body."""
        return request.body

    def target(self, request: Request) -> bytes:
        """What shards are asked for: the client's own target."""
        return request.target

    def shown(self, reply: Reply, request: Request) -> Reply:
        """What the request wants of the combined reply: all of it."""
        return reply

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """One reply out of those of the shards, in the order of the configuration, each with status 200.

        A shard that has nothing (`not_here`) is left out.

        Raises BrokenReplyError, or any ValueError, TypeError, LookupError, ArithmeticError or RecursionError, where a
        reply is not what the rule says. The client is then sent 502, never a merge that may be wrong; the error's text
        is logged.
        """
        raise NotImplementedError

    def describe(self) -> str:
        """The merge in one line."""
        raise NotImplementedError

    def refusal(self, replies: Sequence[Reply], shards: Sequence[ShardId]) -> Reply | None:
        """The refusal that stands for all; None where the replies can be combined.

        Raises BrokenReplyError where a success is not what the rule expects.
        """
        return unite(replies, (200,), self.not_here, shards)


class Aggregating(Combining, frozen=True, kw_only=True):
    """A merge that is right only where each shard gives all of its data: no page of it, and no top of it."""

    refuse: tuple[str, ...] = PAGING_PARAMETERS
    """Query parameters that the application would apply to the data of each shard alone. Requests with them are
    refused, and with names that some parser takes for them (`Limit`, `limit[]`). Leave out those that the application
    ignores."""

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> "Combination":
        """Start the merge of one request. Raises UnreadablePageError where a parameter is one of `refuse`."""
        if self.refuse and request.query:
            self._refuse([name for name, _ in pairs_of(request.query)])
        if self.posted and self.refuse:
            self._refuse(names_in(request, self.own))
        return Combination(self, request, shards)

    @property
    def own(self) -> tuple[str, ...]:
        """The query parameters that the merge itself carries out."""
        return ()

    def _refuse(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.own and any(name == each or is_twin(name, each) for each in self.refuse):
                raise UnreadablePageError(
                    f"the parameter `{excerpt(name)}` is not accepted: each shard would apply it to its own data alone",
                    about={"parameter": excerpt(name)},
                )


class Combination:
    """One request's merge under way."""

    __slots__ = ("_redirected", "_request", "_rule", "_shards")

    def __init__(self, rule: Combining, request: Request, shards: Sequence[ShardId]) -> None:
        self._rule = rule
        self._request = request
        self._shards = shards
        self._redirected = False

    def asks(self) -> Sequence[Ask]:
        """The same request to each shard."""
        rule, request = self._rule, self._request
        target = request.target if self._redirected else rule.target(request)
        if not rule.posted:
            return [Ask(shard, target) for shard in self._shards]
        body = request.body if self._redirected else rule.body(request)
        return [Ask(shard, target, body, method_of(request)) for shard in self._shards]

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The one reply; or the client's own request once more, where the shards redirect what the merge asked for.

        Raises BrokenReplyError where a shard's reply is not what the rule says.
        """
        ordered = [replies[shard] for shard in self._shards]
        if self._redirected:
            return redirect(ordered, (200,), self._shards)
        refusal = self._rule.refusal(ordered, self._shards)
        if refusal is not None:
            asked = (self._rule.target(self._request), self._rule.body(self._request))
            self._redirected = is_redirect(refusal) and asked != (self._request.target, self._request.body)
            return self.asks() if self._redirected else refusal
        try:
            combined = self._rule.combine([reply for reply in ordered if reply.status not in self._rule.not_here])
            return self._rule.shown(combined, self._request)
        except UpstreamError as error:
            error.shard = error.shard or self._at_fault(ordered)
            raise
        except _NOT_AS_THE_RULE_SAYS as error:
            log = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            broken = BrokenReplyError("a shard's reply is not what its rule says", log=log)
            broken.shard = self._at_fault(ordered)
            raise broken from error

    def _at_fault(self, ordered: Sequence[Reply]) -> str:
        """The shards whose replies cannot be combined even alone; none where the replies do not fit each other."""
        replies = zip(self._shards, ordered, strict=True)
        return ",".join([shard for shard, reply in replies if reply.status < 300 and self._fails(reply)])

    def _fails(self, reply: Reply) -> bool:
        try:
            self._rule.combine([reply])
        except Exception:  # a merge of your own may fail in any way; the first failure is the one that is reported
            return True
        return False

    @property
    def tagging(self) -> Tagging:
        """What the ETag of the merged reply is."""
        return self._rule.tagging

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """Nothing: a combined reply belongs to no shard."""
        return ()

    def explain(self) -> Sequence[str]:
        """How the replies are combined."""
        return [self._rule.describe()]


def names_in(request: Request, own: Sequence[str]) -> list[str]:
    """The names of the members of a request's JSON body, or of the fields of its form, without those of `own`.

    Of an object that a path of `own` leads through, its members. Raises UnreadablePageError where the body is neither,
    AmbiguousKeyError, TooComplexError.
    """
    if not request.body:
        return []
    kind = request.fields.values.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind == b"application/x-www-form-urlencoded":
        return [name for name, _ in pairs_of(request.body.decode("latin-1"))]
    document = read_object(request.body)
    if document is None:
        raise UnreadablePageError("the body: a JSON object in UTF-8, or a form, is accepted")
    parents = {path[:n] for path in own for n, character in enumerate(path) if character == "."}
    found = []
    for parent in ("", *sorted(parents)):
        below = [(name, f"{parent}.{name}".removeprefix(".")) for name in document.members(parent)]
        found += [name for name, path in below if path not in parents and path not in own]
    return found


def with_body(first: Reply, body: bytes) -> Reply:
    """The first shard's reply with the combined body."""
    return Reply(first.status, list(first.fields), body)
