"""The rule `gather`: every shard that the filters leave answers, and the replies become one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Literal

import msgspec

from shardgate.core.contracts import NO_PAGE, UNKNOWN, AskAll, Known, Moment
from shardgate.core.cursors.seal import digest
from shardgate.core.dialect import AnyCursor
from shardgate.core.dialect.cursor import Cursor
from shardgate.core.dialect.id_cursor import IdCursor
from shardgate.core.dialect.ndjson import Ndjson
from shardgate.core.dialect.whole import Whole
from shardgate.core.errors import BadCursorError
from shardgate.core.failures.declared import Signs
from shardgate.core.failures.tolerance import PARTIAL_RULE, STRICT_RULE, Missing
from shardgate.core.http import Request
from shardgate.core.locate.learned import Learned
from shardgate.core.merge import AnyMerger
from shardgate.core.merge.chosen import Chosen
from shardgate.core.merge.combining import Combining
from shardgate.core.merge.entity import Entity
from shardgate.core.merge.groups import Groups
from shardgate.core.merge.listed import Listed
from shardgate.core.merge.union import Union
from shardgate.core.order.sort_key import EVERY, sort_key
from shardgate.core.parts.whole import ListParts
from shardgate.core.plan import page_mark
from shardgate.core.plan.key import KEY_SOURCES, read_key
from shardgate.core.plan.partial import ToPartialGather
from shardgate.core.plan.plan import FindOwner, ToGather
from shardgate.core.plan.prune import Pruned, prune
from shardgate.core.plan.scatter import Scatter
from shardgate.core.replies.head_fields import WhoseCookies, WhoseDate
from shardgate.core.replies.validation import EVERY_SHARD, Validation
from shardgate.core.routes.mistakes import Mistake, choose
from shardgate.core.routes.route import BaseRule, Chains, Clock, Filter, Plan, Route, Variables
from shardgate.core.rules.by_head import begin_by_head, heads_suffice
from shardgate.core.rules.calls import check_statuses
from shardgate.core.rules.fields import Sources, sources_of
from shardgate.core.topology import ShardId, aliases


class Prune(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a filter names keys."""

    locate: str
    """The name of the locator chain that finds the shards of the keys."""
    separator: str | None = ","
    """What stands between two keys; `null`: the parameter holds one key."""


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session or a token that one shard alone knows: only that shard is asked."""

    key: Sources
    """Where it stands in a request: `cookie.session`, `header.X-Token`, `bearer.token`. Without it all shards are
    asked."""
    locate: str
    """The name of the locator chain that finds the shard: `[{kind: learned}, {kind: probe, path: /me, by_headers:
    true}]`. Where no shard knows it, all are asked, and refuse in the application's words."""
    not_here: tuple[int, ...] = (401, 403, 404)
    """The statuses by which a shard says that it does not know it."""


class Gather(BaseRule, frozen=True, kw_only=True, tag="gather"):
    """Every shard that the filters leave answers; the replies are merged."""

    only_reads = True

    merge: AnyMerger | Chosen
    """How the replies become one."""
    by_post: AnyMerger | None = None
    """How the replies become one where a client asks by POST, and names GET in the body (`method_override_member`): a
    merge that reads the body: a list with `kind: search`, or a report with `posted: true`. Null: refused (SG1019)."""
    prune: Mapping[str, str | Prune] = msgspec.field(default_factory=dict)
    """Query parameter, `claim.NAME` or `path.NAME` → the locator chain of the keys in it. Only the shards that own one
    of these keys are asked."""
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Locator chain → property of each row whose value lives on the row's shard. Only the list's `tie` is read:
    `{event: id}`."""
    validators: Validation = EVERY_SHARD
    """How one ETag and one Last-Modified are made of those of the shards: `{etag: latest, needs: any}` where they are
    those of the newest row."""
    cookies: WhoseCookies = "none"
    """Whose cookies the merged reply sets. `none`: no shard's. `first`: those of the first shard that sets any, in the
    order of the configuration, for cookies that every shard understands. `jar`: the same, and those of the
    configuration's [`cookies`](messages.md#cookies-of-each-shard) hold what each shard has set."""
    date: WhoseDate = "first"
    """Whose `Date` the merged reply has. `first`: that of the shard that its other fields are from. `latest`: the
    latest of all shards'. `none`: there is none."""
    credential: Credential | None = None
    """A session or a token of the client that one shard alone knows, `{key: cookie.session, locate: session}`; null:
    each shard knows the client, or none does."""
    missing: Literal["strict", "partial"] | Missing = "strict"
    """What is done where a shard does not answer. `strict`: 503 (SG2004), which names it. `partial`, or the fields of
    [a mapping](../howto/partial-answers.md#what-a-rule-can-say): the list of the other shards, which says what it
    lacks."""
    failure_is: Signs = msgspec.field(default_factory=dict)
    """A successful reply of a shard that is a failure by the application's convention: path of a member → the values
    that say so, or `any`: `{error: any, status: [failed]}`. The shard is then missing (SG2013). Bodies of up to 64 KiB
    that are a JSON object are looked at."""
    scatter: Scatter | None = None
    """How many shards a request may ask, for all clients or for some: `{shards_max: 1}`. Null: all."""
    coalesce: bool = False
    """Equal requests that are under way at the same time are gathered once: those with the same target, header fields,
    credentials and forwarded address. A reply that is one client's (`Set-Cookie`, `private`, `no-store`) is not shared.
    Lists are then held whole, and do not stream."""
    head: Literal["as_get", "asked"] = "as_get"
    """How a HEAD is answered. `as_get`: with the head of the merged GET. `asked`: shards are asked by HEAD, and the
    sizes that their headers state add up, for applications that state them in a reply to HEAD alone. Where no shard
    states one, it is answered as by `as_get`. The rule of an operation `HEAD /…` of its own always asks."""

    def plan(self, request: Request, route: Route, variables: Variables, known: Known, clock: Clock) -> Plan:
        """To all shards, or to those that the filters leave."""
        if self.credential is not None:
            key = read_key(self.credential.key, request, variables)
            if key is not None:
                return self._by_credential(self.credential, key, request, route, variables, known, clock)
        elif (
            route.asks_everybody
            and request.method != "HEAD"
            and (self.by_post is None or request.sent_method != b"POST")
        ):
            # As most are: nothing narrows it, and no shard may be missing. `_plan` comes to the same.
            topology = known.topology
            moment = Moment(clock(), topology.epoch, known.pages)
            return ToGather(route, request, self.merge.begin(request, topology.ids, moment), None, None, self.learn)
        return self.among((), request, route, variables, known, clock)

    def among(
        self,
        shards: Sequence[ShardId],
        request: Request,
        route: Route,
        variables: Variables,
        known: Known,
        clock: Clock,
        left_out: frozenset[ShardId] = frozenset(),
    ) -> ToGather:
        """The same, to no other than these shards; to all where there are none. `left_out`: without these."""
        if self._is_plain:
            plan = self._plan(request, route, variables, known, clock, shards or known.topology.ids)
        else:
            plan = self._partial(shards, request, route, variables, known, clock, left_out)
        if request.method == "HEAD" and (self.head == "asked" or route.method == "HEAD"):
            merge = self.merge.merge_for(request.query) if isinstance(self.merge, Chosen) else self.merge
            plan.by_head = heads_suffice(merge)
            if plan.by_head:
                plan.merging = begin_by_head(merge, request, plan.merging)
                plan.instead = None if plan.instead is None else begin_by_head(merge, request, plan.instead)
        return plan

    def _by_credential(
        self,
        credential: Credential,
        key: str,
        request: Request,
        route: Route,
        variables: Variables,
        known: Known,
        clock: Clock,
    ) -> Plan:
        """To the shard that knows the key; or ask all which of them does."""
        space, everybody = credential.locate, known.topology.ids
        plan: ToGather | None = None
        for locator in route.locators:
            place = locator.locate(space, key, known)
            if place is UNKNOWN:
                continue
            if isinstance(place, AskAll):
                question = FindOwner(
                    route, space, key, place.path.encode(), everybody, is_the_request=False, gathers=variables
                )
                if plan is None:
                    return question
                plan.doubted = question
                return plan
            if place not in known.topology.shards:
                continue
            if not isinstance(locator, Learned):
                return self.among((place,), request, route, variables, known, clock)
            plan = self.among((place,), request, route, variables, known, clock)
            plan.recalled, plan.key = space, key
        everywhere = self.among((), request, route, variables, known, clock)
        if plan is None:
            return everywhere
        plan.doubted = everywhere
        return plan

    def _partial(
        self,
        shards: Sequence[ShardId],
        request: Request,
        route: Route,
        variables: Variables,
        known: Known,
        clock: Clock,
        left_out: frozenset[ShardId],
    ) -> ToPartialGather:
        """The plan where shards may be missing. Raises BadCursorError where a cursor lacks shards that must answer."""
        everything = known.topology.shards
        tolerance = self._missing.tolerance(request.fields.values.get(b"prefer"), everything)
        within = shards or known.topology.ids
        asking, earlier = page_mark.read(request, everything)
        asked, pruned, moment = self._narrowed(asking, route, variables, known, clock, within)
        if self.scatter is not None:
            self.scatter.check(len(asked), request.claims, [each for each in self.prune if "." not in each])
        if not tolerance.allows(asked, earlier & {*asked}):
            raise BadCursorError(_OF_PARTIAL_PAGE)
        left_out, mark = left_out | earlier, ""
        if left_out:  # where such a list's pages begin is not where those of the whole list do
            names = aliases(everything, left_out)
            moment = msgspec.structs.replace(moment, pages=None, left_out=names)
            if not self._has_cursors(asking):
                mark = page_mark.mark_of(names)
                asking = page_mark.marked(asking, mark)
        others = [shard for shard in within if shard not in left_out]
        hoped = pruned is not None and bool(pruned.hoped)
        try:
            begin = self._merge_for(request).begin
            merging = begin(asking, [shard for shard in asked if shard not in left_out], moment)
            instead = begin(asking, others, moment) if hoped else None
        except BadCursorError as error:
            lacked = frozenset([name for name in everything if digest(everything[name].alias) in error.lacked])
            if not error.lacked or len(lacked) < len(error.lacked) or not tolerance.allows(asked, lacked & {*asked}):
                raise
            return self._partial(shards, request, route, variables, known, clock, left_out | lacked)
        without = partial(self.among, shards, request, route, variables, known, clock)
        return ToPartialGather(
            route,
            request,
            merging,
            pruned,
            instead,
            self.learn,
            tolerance=tolerance,
            without=without,
            within=within,
            asked=asked,
            left_out=left_out,
            mark=mark,
            failure_is=self.failure_is,
            coalesces=self.coalesce,
        )

    def _has_cursors(self, request: Request) -> bool:
        """Whether the pages are linked by cursors of this gateway, which say themselves what is missing."""
        merge = self.merge.merge_for(request.query) if isinstance(self.merge, Chosen) else self.merge
        return isinstance(merge, Listed) and isinstance(merge.dialect, Cursor)

    def _plan(
        self,
        request: Request,
        route: Route,
        variables: Variables,
        known: Known,
        clock: Clock,
        everybody: Sequence[ShardId],
    ) -> ToGather:
        asked, pruned, moment = self._narrowed(request, route, variables, known, clock, everybody)
        begin = self._merge_for(request).begin
        instead = begin(request, everybody, moment) if pruned is not None and pruned.hoped else None
        return ToGather(route, request, begin(request, asked, moment), pruned, instead, self.learn)

    def _merge_for(self, request: Request) -> AnyMerger | Chosen:
        """What merges the list, which a client may ask for by POST, too."""
        return self.merge if self.by_post is None or request.sent_method != b"POST" else self.by_post

    def _narrowed(
        self,
        request: Request,
        route: Route,
        variables: Variables,
        known: Known,
        clock: Clock,
        everybody: Sequence[ShardId],
    ) -> tuple[Sequence[ShardId], Pruned | None, Moment]:
        """The shards that the filters leave, why, and what the merge is given."""
        moment = Moment(clock(), known.topology.epoch, known.pages)
        if route.parts_space is not None and (parted := known.topology.parts.get(route.parts_space)):
            # A filter may exclude one part of an entity and not the other. A client that asks for one tenant only, or
            # as one tenant, may see no other tenant's part.
            own = [each for each in route.filters if each.claim or each.variable]
            left = prune(own, "", known, request.claims, variables, request.binding) if own else None
            moment = msgspec.structs.replace(moment, parted=parted)
            return everybody if left is None else _both(left.shards, everybody), None, moment
        pruned = None
        if route.filters:
            pruned = prune(route.filters, request.query, known, request.claims, variables, request.binding)
        return everybody if pruned is None else _both(pruned.shards, everybody), pruned, moment

    def describe(self, route: Route) -> str:
        """The filters, and the merge."""
        left = f" that {', '.join(self.prune)} leave" if self.prune else ""
        if self.credential is not None:
            left += f" that knows {' or '.join(sources_of(self.credential.key))}"
        return f"gather: every shard{left}, merged as {self.merge.describe()}"

    def mistakes(self, method: str, template: str) -> Iterator[Mistake]:
        """What is wrong in the method, the sort keys and what is learned."""
        found = [each for place, merge in self._merges for each in self._method_mistakes(method, place, merge)]
        yield from dict.fromkeys(found)
        yield from self._post_mistakes(method)
        for place, merge in self._merges:
            if isinstance(merge, Listed):
                yield from self._list_mistakes(place, merge)
        if len({parts.locate for parts in self._parts}) > 1:
            yield Mistake("merge", "its lists have rows in parts of several spaces", "name one `locate` in all of them")
        if self.ages and msgspec.structs.replace(self.validators, heads=True) != EVERY_SHARD:
            problem = "its cursors expire, so the replies of this dialect have no validators"
            yield Mistake("validators", problem, "remove it")
        posted = any(merge.dialect.posted for merge in self._lists)
        if self.head == "asked" and (posted or not any(heads_suffice(merge) for _, merge in self._merges)):
            problem = f"{self.merge.describe()}: that needs the bodies of replies, which a HEAD has not"
            yield Mistake("head", problem, "remove it; or name the header with the size: `count_header` or `header`")
        yield from self._missing_mistakes(method)
        if self.credential is not None:
            yield from check_statuses("credential.not_here", self.credential.not_here)
        for parameter, given in self.prune.items():
            kind, _, name = parameter.partition(".")
            if not parameter or (kind in KEY_SOURCES and name and kind not in _FILTERS):
                cure = (
                    f"write `{name}`, or {_EXAMPLES}"
                    if kind == "query"
                    else f"write the parameter's name, or {_EXAMPLES}"
                )
                yield Mistake(f"prune.{parameter}", f"{parameter!r} is no query parameter", cure)
            if _how(given).separator == "":
                cure = "write the text between two keys, like `,`; or null, if there is only one key"
                yield Mistake(f"prune.{parameter}.separator", "an empty text divides nothing", cure)

    def key_fields(self) -> Iterator[tuple[str, Sequence[str]]]:
        """The filters that are no query parameters."""
        for source in self.prune:
            if source.startswith(("path.", "claim.")):
                yield f"prune.{source}", (source,)
        if self.credential is not None:
            yield "credential.key", sources_of(self.credential.key)

    def named_locators(self) -> Iterator[tuple[str, str]]:
        """Those of the filters, and those that learn."""
        for parameter, given in self.prune.items():
            yield f"prune.{parameter}", _how(given).locate
        if self.credential is not None:
            yield "credential.locate", self.credential.locate
        for name in self.learn:
            yield f"learn.{name}", name

    def filters(self, chains: Chains) -> tuple[Filter, ...]:
        """The filters with their locators."""
        found = []
        for parameter, given in self.prune.items():
            how = _how(given)
            shown = how.locate in self.learn
            kind, _, name = parameter.partition(".")
            claim, variable = name if kind == "claim" else "", name if kind == "path" else ""
            chain = chains.get(how.locate, ())
            found.append(Filter(parameter, how.separator, how.locate, chain, shown, self._anchors, claim, variable))
        return tuple(found)

    @property
    def reads_body(self) -> bool:
        """A merge says how the body is read."""
        return self.by_post is not None

    @property
    def locate(self) -> str | None:
        """The chain that finds the shard that knows the client's credential."""
        return None if self.credential is None else self.credential.locate

    @property
    def not_here(self) -> tuple[int, ...]:
        """The statuses by which a shard says that it does not know it."""
        return super().not_here if self.credential is None else self.credential.not_here

    @property
    def recorded(self) -> str | None:
        """Which rows are in parts."""
        return "which entities are in parts" if self.parts_space is not None else None

    @property
    def parts_space(self) -> str | None:
        """The rows' own, where the merge puts rows together."""
        return next((parts.locate for parts in self._parts), None)

    @property
    def ages(self) -> bool:
        """The dialect signs its cursors."""
        return any(isinstance(merge.dialect, Cursor) for merge in self._lists)

    @property
    def asks_everybody(self) -> bool:
        """Nothing narrows it, and it needs every shard."""
        return not self.prune and self.parts_space is None and self._is_plain

    @property
    def _is_plain(self) -> bool:
        """Each request is gathered for itself, and needs every shard."""
        plainly = self.scatter is None and not self.coalesce and not self.failure_is
        return plainly and self._missing is STRICT_RULE

    @property
    def is_partial_unsaid(self) -> bool:
        """A client that asks for nothing may get a list without a shard, whose body does not say so."""
        return self._missing.answer == "partial" and self._missing.member is None

    def unknown_shards(self, shards: Mapping[str, object]) -> Iterator[Mistake]:
        """Those of `missing`, and a quorum of more shards than there are."""
        for name in self._missing.required:
            if name not in shards:
                yield Mistake("missing.required", f"there is no shard {name!r}", choose(name, shards))
        if self._missing.quorum > len(shards):
            cure = f"write {len(shards)} at most; for all of them, leave `missing` out"
            yield Mistake("missing.quorum", f"there are only {len(shards)} shards", cure)

    @property
    def _missing(self) -> Missing:
        if isinstance(self.missing, Missing):
            return self.missing
        return STRICT_RULE if self.missing == "strict" else PARTIAL_RULE

    @property
    def _merges(self) -> list[tuple[str, AnyMerger]]:
        """The merge, or all that may be chosen, and where each stands."""
        if isinstance(self.merge, Chosen):
            return [(f"merge.{place}", merge) for place, merge in self.merge.merges]
        return [("merge", self.merge)]

    @property
    def _lists(self) -> list[Listed]:
        return [merge for _, merge in self._merges if isinstance(merge, Listed)]

    @property
    def _parts(self) -> list[ListParts]:
        return [merge.parts for merge in self._lists if merge.parts is not None]

    @property
    def _anchors(self) -> tuple[str, ...]:
        """The parameters that name a row, which is searched for on all shards."""
        dialects = [each.dialect for each in self._lists if isinstance(each.dialect, IdCursor)]
        found = [(each.after, each.before) for each in dialects if each.row is not None]
        return tuple([name for names in found for name in names if name is not None])

    def _post_mistakes(self, method: str) -> Iterator[Mistake]:
        merge = self.by_post
        if merge is None:
            return
        if method != "GET":
            yield Mistake("by_post", f"it is for a GET that is asked for by POST, not for a {method}", "remove it")
        if not _is_posted(merge):
            cure = "take a list with `kind: search`, or a report with `posted: true`"
            yield Mistake("by_post", "this merge does not read the body", cure)
        if isinstance(merge, Listed):
            yield from self._list_mistakes("by_post", merge)

    def _missing_mistakes(self, method: str) -> Iterator[Mistake]:
        if self.scatter is not None and not self.prune and not self.scatter.unless:
            cure = "add `prune` or `unless`; or move the operation to `unserved`"
            yield Mistake("scatter", "nothing narrows the list, so that it is always refused", cure)
        for path, values in self.failure_is.items():
            if "" in path.split(".") or not values:
                cure = "write a path and what its value then is: `{error: any}`, `{status: [failed]}`"
                yield Mistake(f"failure_is.{path}", "it says nothing", cure)
        if self.coalesce and method == "POST":
            yield Mistake("coalesce", "a list that is asked for by POST is not shared", "remove it")
        if self._missing is STRICT_RULE:
            return
        for field, problem, cure in self._missing.problems():
            yield Mistake(f"missing.{field}", problem, cure)
        for place, merge in self._merges:
            if isinstance(merge, Entity) or (isinstance(merge, Listed) and merge.parts is not None):
                problem = f"{place} puts parts together: what is in parts would lack those of the missing shard"
                yield Mistake("missing", problem, "remove it")
            elif self._missing.member is not None and _is_array(merge):
                problem = f"the body of {place} is no object, and has no members"
                yield Mistake("missing.member", problem, "remove it: the field `Shardgate-Partial` says the same")

    def _method_mistakes(self, method: str, place: str, merge: AnyMerger) -> Iterator[Mistake]:
        posted = _is_posted(merge)
        if posted and method != "POST" and isinstance(merge, Listed):
            cure = "name another dialect: one with `kind: search` is for POST"
            yield Mistake(f"{place}.dialect", f"it reads the page from a body, which a {method} has not", cure)
        elif posted and method != "POST":
            yield Mistake(f"{place}.posted", f"a {method} is not asked for by POST", "remove it")
        elif not posted and method not in {"GET", "HEAD"}:
            cure = "serve it by another rule, or move it to `unserved`"
            if method == "POST":
                cure += "; or, if it only reads, write `posted: true` in the merge, or take a list with `kind: search`"
            yield Mistake("rule", f"a gather reads, and {method} does not", cure)

    def _list_mistakes(self, place: str, merge: Listed) -> Iterator[Mistake]:
        tie = None if merge.tie is None else merge.tie.removeprefix("-")
        for key, config in merge.sort_keys.items():
            if not key or key.startswith("-"):
                cure = f"write `{key.lstrip('-') or 'id'}`: a `-` belongs into `default_order` and into requests"
                yield Mistake(f"{place}.keys", f"{key!r} is no name of a sort key", cure)
            elif "" in (sort_key(config).place(key) or ("",)):
                cure = "write the members that lead to the value, like `vendor.name`"
                yield Mistake(f"{place}.keys.{key}", "a member that leads to the value has no name", cure)
            elif any(_UNREADABLE.search(member) for member in sort_key(config).place(key)):
                cure = "sort by another property: the gateway does not read members with such names"
                yield Mistake(f"{place}.keys.{key}", "its name has a quote, a backslash or a control character", cure)
        order = [key.removeprefix("-") for key in merge.default_order]
        if len({*order}) < len(order):
            twice = next(key for key in order if order.count(key) > 1)
            yield Mistake(f"{place}.default_order", f"{twice!r} stands twice", "remove one of the two")
        unnamed = [] if EVERY in merge.sort_keys else [*order, *([] if tie is None else [tie])]
        for key in sorted({*unnamed} - {*merge.sort_keys}):
            yield Mistake(f"{place}.keys", f"the sort key {key!r} has no type", f"add `{key}: text`")
        problem = merge.order(NO_PAGE) if EVERY in merge.sort_keys else None
        if isinstance(problem, str):
            yield Mistake(f"{place}.default_order", problem, "name properties that rows have")
        for name, member in self.learn.items():
            if member != tie:
                problem = f"{member!r} is not what rows are told apart by"
                yield Mistake(f"learn.{name}", problem, "remove it" if tie is None else f"write {tie!r}")


_OF_PARTIAL_PAGE = (
    "the link is of a page that lacked shards which did not answer, and this list needs every shard; "
    f"request the list without `{page_mark.NAME}` to begin anew"
)
_UNREADABLE = re.compile(r'["\\\x00-\x1f]')
_FILTERS = ("path", "claim")
_EXAMPLES = "`path.vendor` for a variable of the path, or `claim.vendor` for a claim of the token"


def _both(some: Sequence[ShardId], others: Sequence[ShardId]) -> Sequence[ShardId]:
    """The shards that are in both; one of the others, which will do for an empty list, where there are none."""
    return tuple([shard for shard in some if shard in others]) or others[:1]


def _is_posted(merge: AnyMerger) -> bool:
    """Whether the merge reads the body of a POST."""
    return merge.dialect.posted if isinstance(merge, Listed) else isinstance(merge, Combining) and merge.posted


def _is_array(merge: AnyMerger) -> bool:
    """Whether the merged body is surely no object."""
    if isinstance(merge, Listed):
        dialect = merge.dialect
        if isinstance(dialect, AnyCursor):
            return dialect.items is None
        return dialect.streamable != "never" or isinstance(dialect, Ndjson | Whole)
    return isinstance(merge, Groups | Union) and merge.items is None


def _how(given: str | Prune) -> Prune:
    return given if isinstance(given, Prune) else Prune(locate=given)
