"""The rule `batch`: the body has requests, each is served by its own rule, and their replies come back in order."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

import msgspec

from shardgate.core.body.inner import InnerRequest, RequestMembers, read_inner, unnamed
from shardgate.core.body.inner_reply import ReplyMembers
from shardgate.core.clients.masking import masked
from shardgate.core.contracts import Known
from shardgate.core.errors import BatchError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request
from shardgate.core.limits import BATCH_REQUESTS_MAX
from shardgate.core.paging.query import pairs_of
from shardgate.core.plan.key import refuse_unless_json
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import BaseRule, Clock, Plan, Route, Sentence, Variables
from shardgate.core.wire.fields import TOKEN

_NAME = re.compile(TOKEN)
_OF_ONE_REPLY = {"connection", "content-encoding", "content-length", "content-location", "content-range", "date"}
_OF_ONE_REPLY |= {"last-modified", "link", "location", "set-cookie", "trailer", "transfer-encoding", "upgrade"}
_Count = Annotated[int, msgspec.Meta(ge=1, le=BATCH_REQUESTS_MAX)]


class ToInner(Plan):
    """Serve each request of the body by its own rule, and write their replies into one."""

    rule: "Batch"
    inner: Sequence[InnerRequest]

    def explain(self, request: Request) -> Iterable[Sentence]:
        """The requests."""
        for number, each in enumerate(self.inner):
            said = each.refusal.detail if each.refusal is not None else f"{each.method} {masked(each.target)}"
            yield "request", f"{number}: {said}"
        yield "then", f"each is served by its own rule, {self.rule.at_once} at once; the replies stand in their order"


class Batch(BaseRule, frozen=True, kw_only=True, tag="batch"):
    """The requests in the body are served one by one, each by its own rule, as if the client had sent them alone.

    `{request: {path: url, id: id}, replies: responses, reply: {id: id, status: status, body: body}}` reads
    `{"requests": [{"id": "1", "method": "GET", "url": "/x/7"}]}` and writes
    `{"responses": [{"id": "1", "status": 200, "body": {…}}]}`.
    """

    only_reads = True  # of itself: its idempotency key is that of the requests in it

    reply: ReplyMembers
    """The members of each reply: `{success: success, error: error}`, or `{id: id, status: status, body: body}`."""
    requests: str = "requests"
    """The member with the requests; empty: the body is the list."""
    request: RequestMembers = RequestMembers()
    """The members of each request: `{path: url, headers: headers, id: id}`."""
    replies: str = ""
    """The member with the replies: `responses`; empty: the reply is the list."""
    base: str = ""
    """What the application puts before each path: `/v1.0`."""
    refuse: tuple[str, ...] = ()
    """Members of the body, or of a request in it, by which the application does more than each request alone:
    `[transaction, dependsOn]`. Where one is there, and not false or empty, it is refused."""
    passes: tuple[str, ...] = ()
    """Members of the body or of a request in it, and parameters of the query, by which the application does nothing
    else: `[_ClientVersion, name]`. One that neither this nor another word names, and that has a value, is refused."""
    fields: tuple[str, ...] = ()
    """Header fields that the application gives with every reply: `[Access-Control-Allow-Origin, Vary]`. The reply to
    the batch has each of them as the first reply in it that has it. `Content-Type` is taken of replies that are JSON;
    an `ETag` is made anew of the body."""
    status: Annotated[int, msgspec.Meta(ge=200, le=299)] = 200
    """The status of the reply to the batch: 207 where the application says so."""
    ends_at_failure: bool = False
    """The application does nothing behind the first request that fails (with 400 or more), and its reply ends there. It
    needs `at_once: 1`."""
    requests_max: _Count = 50
    """How many requests a batch has at most; a longer one is refused (413), and nothing of it is done."""
    at_once: _Count = 1
    """How many of them are under way at once. With 1 each begins when the one before is over."""

    def plan(self, request: Request, route: Route, variables: Variables, known: Known, clock: Clock) -> ToInner:
        """To wherever the rules of the requests say. Raises BatchError, AmbiguousKeyError, TooComplexError."""
        refuse_unless_json(request)
        for name, _ in pairs_of(request.query):
            if name not in self.passes:
                raise BatchError(unnamed("parameter", name), about={"parameter": excerpt(name)})
        how = (self.requests, self.request, self.base, self.refuse, self.requests_max, self.passes)
        inner = read_inner(request, *how)
        return ToInner(route, self, inner)

    def describe(self, route: Route) -> str:
        """One line."""
        where = f"in {self.requests}" if self.requests else "of the list"
        return f"batch: each request {where} by its own rule, at most {self.requests_max}"

    def mistakes(self, method: str, template: str) -> Iterator[Mistake]:
        """What is wrong in the method and the members."""
        if method not in {"POST", "PUT", "PATCH"}:
            yield Mistake("rule", f"a batch stands in a body, which a {method} has not", "serve it by another rule")
        yield from self._mistakes_in_members()
        if "" in self.refuse:
            yield Mistake("refuse", "a member has an empty name", "write the member's name, like `transaction`")
        for name in itertools.filterfalse(_is_of_every_reply, self.fields):
            yield Mistake("fields", f"{name!r} says something of one reply alone, or is no field", "remove it")
        if self.ends_at_failure and self.at_once > 1:
            yield Mistake("at_once", "requests that are under way do not end at a failure", "write `at_once: 1`")
        if twice := sorted({*self.refuse} & {*self.passes}):
            yield Mistake("passes", f"{twice[0]!r} is refused, too", "remove it from one of them")
        if self.base and (not self.base.startswith("/") or self.base.endswith("/") or "?" in self.base):
            yield Mistake("base", f"{self.base!r} is no beginning of a path", "write it as `/v1.0`, or leave it out")

    def _mistakes_in_members(self) -> Iterator[Mistake]:
        asked, said = self.request, self.reply
        named: Mapping[str, Sequence[str | None]] = {
            "request": (asked.method, asked.path, asked.query, asked.body, asked.headers, asked.id),
            "reply": (said.id, said.status, said.headers, said.body, said.success, said.error, *said.always),
        }
        for field, members in named.items():
            names = [name for name in members if name is not None]
            if "" in names:
                yield Mistake(field, "a member has an empty name", "write the member's name, like `path`; or null")
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                yield Mistake(field, f"the member {twice[0]!r} stands for two things", "name another one")
        if said.body is None and (said.success is None or said.error is None):
            cure = "write `body: body`, or both `success: success` and `error: error`"
            yield Mistake("reply", "it has no member for the body of each reply", cure)
        if said.id is not None and asked.id is None:
            yield Mistake("reply.id", "the requests have no id", f"write `request: {{id: {said.id}}}` too")
        if asked.method_default is not None and not asked.method_default.isalpha():
            yield Mistake("request.method_default", f"{asked.method_default!r} is no method", "write `GET`")


def _is_of_every_reply(name: str) -> bool:
    return name.lower() not in _OF_ONE_REPLY and _NAME.fullmatch(name.encode()) is not None
