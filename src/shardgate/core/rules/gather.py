"""The rule `gather`: every shard that the filters leave answers, and the replies become one."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from shardgate.core.dialect.cursor import Cursor
from shardgate.core.dialect.id_cursor import IdCursor
from shardgate.core.failures.tolerance import STRICT_RULE
from shardgate.core.merge import AnyMerger
from shardgate.core.merge.chosen import Chosen
from shardgate.core.merge.listed import Listed
from shardgate.core.parts.whole import ListParts
from shardgate.core.replies.head_fields import WhoseCookies, WhoseDate
from shardgate.core.replies.validation import EVERY_SHARD, Validation
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import Chains, Filter, Route
from shardgate.core.rules.by_head import heads_suffice
from shardgate.core.rules.calling import check_calls
from shardgate.core.rules.calls import check_statuses
from shardgate.core.rules.fields import sources_of
from shardgate.core.rules.gather_plan import PlannedGather
from shardgate.core.rules.list_keys import check_lists
from shardgate.core.rules.missing import check_missing, check_required_shards
from shardgate.core.rules.narrowing import check_narrowing, filters_of, how_pruned
from shardgate.core.rules.posted import check_by_post, check_method


class Gather(PlannedGather, frozen=True, kw_only=True, tag="gather"):
    """Every shard that the filters leave answers; the replies are merged."""

    only_reads = True

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

    def describe(self, route: Route) -> str:
        """The filters, and the merge."""
        left = f" that {', '.join(self.prune)} leave" if self.prune else ""
        if self.credential is not None:
            left += f" that knows {' or '.join(sources_of(self.credential.key))}"
        return f"gather: every shard{left}, merged as {self.merge.describe()}"

    def mistakes(self, method: str, template: str) -> Iterator[Mistake]:
        """What is wrong in the method, the sort keys and what is learned."""
        found = [each for place, merge in self._merges for each in check_method(method, place, merge)]
        yield from dict.fromkeys(found)
        if self.by_post is not None:
            yield from check_by_post(method, self.by_post)
            yield from check_lists([("by_post", self.by_post)], self.learn)
        yield from check_lists(self._merges, self.learn)
        if len({parts.locate for parts in self._parts}) > 1:
            yield Mistake("merge", "its lists have rows in parts of several spaces", "name one `locate` in all of them")
        if self.ages and msgspec.structs.replace(self.validators, heads=True) != EVERY_SHARD:
            problem = "its cursors expire, so the replies of this dialect have no validators"
            yield Mistake("validators", problem, "remove it")
        posted = any(merge.dialect.posted for merge in self._lists)
        if self.head == "asked" and (posted or not any(heads_suffice(merge) for _, merge in self._merges)):
            problem = f"{self.merge.describe()}: that needs the bodies of replies, which a HEAD has not"
            yield Mistake("head", problem, "remove it; or name the header with the size: `count_header` or `header`")
        yield from check_calls(self, method)
        if self._missing is not STRICT_RULE:
            yield from check_missing(self._missing, self._merges)
        if self.credential is not None:
            yield from check_statuses("credential.not_here", self.credential.not_here)
        yield from check_narrowing(self.prune, self.scatter)

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
            yield f"prune.{parameter}", how_pruned(given).locate
        if self.credential is not None:
            yield "credential.locate", self.credential.locate
        for name in self.learn:
            yield f"learn.{name}", name

    def filters(self, chains: Chains) -> tuple[Filter, ...]:
        """The filters with their locators."""
        return filters_of(self.prune, chains, self.learn, self._anchors)

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
    def is_partial_unsaid(self) -> bool:
        """A client that asks for nothing may get a list without a shard, whose body does not say so."""
        return self._missing.answer == "partial" and self._missing.member is None

    def unknown_shards(self, shards: Mapping[str, object]) -> Iterator[Mistake]:
        """Those of `missing`, and a quorum of more shards than there are."""
        return check_required_shards(self._missing, shards)

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
