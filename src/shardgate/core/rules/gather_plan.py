"""Which shards a gather asks: all, those that a filter or a credential leaves, or those that are not missing.

Hot path: `plan` of a rule that nothing narrows.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

import msgspec

from shardgate.core.contracts import UNKNOWN, AskAll, Known, Moment
from shardgate.core.cursors.seal import digest
from shardgate.core.dialect.cursor import Cursor
from shardgate.core.errors import BadCursorError
from shardgate.core.failures.declared import Signs
from shardgate.core.failures.tolerance import PARTIAL_RULE, STRICT_RULE, Missing
from shardgate.core.http import Request
from shardgate.core.locate.learned import Learned
from shardgate.core.merge import AnyMerger
from shardgate.core.merge.chosen import Chosen
from shardgate.core.merge.listed import Listed
from shardgate.core.plan import page_mark
from shardgate.core.plan.key import read_key
from shardgate.core.plan.partial import ToPartialGather
from shardgate.core.plan.plan import FindOwner, ToGather
from shardgate.core.plan.prune import Pruned, prune
from shardgate.core.plan.scatter import Scatter
from shardgate.core.routes.route import Clock, Plan, Route, Variables
from shardgate.core.rules.by_head import begin_by_head, heads_suffice
from shardgate.core.rules.calling import CallingRule
from shardgate.core.rules.narrowing import Credential, Prune, in_both
from shardgate.core.topology import ShardId, aliases


class PlannedGather(CallingRule, frozen=True, kw_only=True):
    """The fields of a gather that decide who is asked, and the plans that are made of them."""

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
    credential: Credential | None = None
    """A session or a token of the client that one shard alone knows, `{key: cookie.session, locate: session}`; null:
    each shard knows the client, or none does."""
    missing: Literal["strict", "partial"] | Missing = "strict"
    """What is done where a shard does not answer. `strict`: 503 (SG2004), which names it. `partial`, or the fields of
    [a mapping](../howto/partial-answers.md#what-a-rule-can-say): the list of the other shards, which says what it
    lacks."""
    failure_is: Signs = msgspec.field(default_factory=dict)
    """A successful reply of a shard that is a failure by the application's convention: path of a member → the values
    that say so, or `any`: `{error: any, status: [failed]}`. It speaks against its replica, and is retried as a 503 is;
    then the shard is missing (SG2013). Bodies of up to 64 KiB that are a JSON object are looked at."""
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

    @property
    def _is_plain(self) -> bool:
        """Each request is gathered for itself, and needs every shard."""
        plainly = self.scatter is None and not self.coalesce and not self.failure_is
        return plainly and self._missing is STRICT_RULE

    @property
    def _missing(self) -> Missing:
        if isinstance(self.missing, Missing):
            return self.missing
        return STRICT_RULE if self.missing == "strict" else PARTIAL_RULE

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
            return everybody if left is None else in_both(left.shards, everybody), None, moment
        pruned = None
        if route.filters:
            pruned = prune(route.filters, request.query, known, request.claims, variables, request.binding)
        return everybody if pruned is None else in_both(pruned.shards, everybody), pruned, moment


_OF_PARTIAL_PAGE = (
    "the link is of a page that lacked shards which did not answer, and this list needs every shard; "
    f"request the list without `{page_mark.NAME}` to begin anew"
)
