"""The rule `one`: the shard that owns the key answers.

Holds: a request goes to the owner of its key. Where no shard owns the key, any shard may refuse it in the application's
own words, if the rule allows that.

Hot path: most requests are of this kind, so `plan` is one function.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from shardgate.core.changes.idempotency import Idempotency
from shardgate.core.contracts import UNKNOWN, AskAll, Known, Locator, Moment
from shardgate.core.errors import AmbiguousKeyError, MissingKeyError, NotServedError, ShardDownError
from shardgate.core.http import SAFE_METHODS, Request
from shardgate.core.locate import equal_key, word_of
from shardgate.core.locate.directory import Directory
from shardgate.core.locate.dispute import disputed
from shardgate.core.locate.hashed import Hash
from shardgate.core.locate.learned import Learned
from shardgate.core.locate.prefix import Prefix
from shardgate.core.merge import AnyMerger
from shardgate.core.merge.entity import Entity
from shardgate.core.plan.key import has_readable_body, read_key, unknown_key
from shardgate.core.plan.plan import FindOwner, ToAny, ToGather, ToOne, said_key
from shardgate.core.plan.planner import NO_OWNER
from shardgate.core.replies.fields import SAID_BY_HEAD
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import Clock, Plan, Route, Sentence, Variables
from shardgate.core.routes.targets import check_target
from shardgate.core.routes.template import variables_of
from shardgate.core.rules.calling import CallingRule, check_calls
from shardgate.core.rules.calls import check_action, check_members, check_statuses
from shardgate.core.rules.fields import Sources, WhenUnknown, sources_of
from shardgate.core.rules.parts_change import PartsChange
from shardgate.core.rules.repeating import check_key, check_required
from shardgate.core.topology import ShardId


class ToParts(Plan):
    """Journal, then change every part of an entity."""

    rule: "One"
    change: PartsChange
    key: str
    shards: Sequence[ShardId]
    variables: Variables

    def explain(self, request: Request) -> Iterable[Sentence]:
        """The shards, in their order."""
        first, *others = self.shards
        yield "journal", "the change is written down first"
        yield "asked", f"{first}: the request; it judges for all"
        for shard in others:
            yield "then", f"{shard}: the same"


class One(CallingRule, frozen=True, kw_only=True, tag="one"):
    """The shard that owns the key answers; its reply passes untouched."""

    finds_owner = True
    learns_from_reply = True

    key: Sources
    """Where the key is: `path.id`, `query.vendor`, `header.X-Vendor`, `body.vendor_id`, `form.client_id`,
    `basic.username`, `claim.vendor`, `cookie.session`, `bearer.token`. Of a list, those that are present must agree."""
    locate: str
    """The name of the locator chain that finds the key's shard."""
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Locator chain → property of the reply whose value now lives on this shard: `{event: id}` on a create. A cookie
    that it sets, or a header, can be one: `{session: set-cookie.sid}`, `{session: reply-header.X-Token}`."""
    not_here: tuple[int, ...] = (404,)
    """The statuses by which an instance says that it does not hold the key."""
    upgrade: tuple[str, ...] = ("websocket",)
    """The protocols that a client may switch to, with the shard (RFC 9110 section 7.8)."""
    unknown: WhenUnknown | None = None
    """What to do when the request has no key, or no shard owns it. `ask`: any shard, which refuses in the application's
    words. `refuse`: the gateway refuses. Default: `ask` for reads, `refuse` for changes."""
    unreadable: WhenUnknown = "refuse"
    """What to do with a body that the key cannot be read from, because it is of another media type or no JSON.
    `refuse`: the gateway refuses (SG1002). `ask`: any shard, as with `unknown: ask`. Only for applications that refuse
    such a body: one that takes it would make the change on the wrong shard."""
    parts: AnyMerger | None = None
    """How the replies become one, where several shards may have a part of what the key names: a merge of the kind
    `entity` or `list`."""
    change: PartsChange | None = None
    """How a change reaches all parts."""
    idempotency: Idempotency = Idempotency()
    """How repeated requests of this operation are handled."""

    def plan(self, request: Request, route: Route, variables: Variables, known: Known, clock: Clock) -> Plan:
        """To the owner; to all that may have a part; to whoever has it; or to any shard."""
        try:
            key = read_key(self.key, request, variables, route.locators)
        except AmbiguousKeyError as error:  # so that a body that can be read pays nothing
            self._check_unreadable(request, error)
            key = None
        if key is None:
            return self._unowned(request, route, known, None)
        if route.parts_space is not None and (parted := known.topology.parts.get(route.parts_space)):
            name = key if key in parted else equal_key(route.locators, key)
            if name in parted:
                moment = Moment(clock(), known.topology.epoch, known.pages)
                return self._plan_parts(request, route, name, parted[name], variables, moment)
        remembered = None
        for locator in route.locators:
            place = locator.locate(self.locate, key, known)
            if place is UNKNOWN:
                continue
            if isinstance(place, AskAll):
                question = self._question(request, route, key, place, known)
                return question if remembered is None else ToOne(route, remembered, key, question, self.locate)
            if place not in known.topology.shards:
                log = f"{self.locate} says that {place!r} owns the key; the configuration has no such shard"
                raise ShardDownError("the shard that owns the key cannot be reached", log=log)
            if not isinstance(locator, Learned):
                return ToOne(route, place, key)
            remembered = place
        last = None if remembered is None else ToOne(route, remembered, key, None, self.locate)
        return last or self._unowned(request, route, known, key)

    def direct(self, locators: Sequence[Locator]) -> str:
        """`path.id`, of an entity on one shard, by a locator that looks nothing up twice."""
        kind, _, name = self.key.partition(".") if isinstance(self.key, str) else ("", "", "")
        computes = bool(locators) and isinstance(locators[0], Directory | Hash | Prefix)
        return name if computes and kind == "path" and self.parts_space is None else ""

    def describe(self, route: Route) -> str:
        """The key, and how its owner is found."""
        chain = ", then ".join(word_of(locator) for locator in route.locators)
        return f"one: the shard that owns {', '.join(sources_of(self.key))}, found by {self.locate} ({chain})"

    def mistakes(self, method: str, template: str) -> Iterator[Mistake]:
        """What is wrong in `parts`, `change` and `idempotency`."""
        changes = method not in SAFE_METHODS
        if self.parts is not None and changes and not isinstance(self.parts, Entity):
            yield Mistake("parts", "the replies to a change become one entity", "take `kind: entity`")
        if (self.parts is None) != (self.change is None) and changes:
            cure = "add the other of the two, or remove both"
            yield Mistake("change", "`parts` and `change` go together", cure)
        if self.change is not None and not changes:
            yield Mistake("change", f"{method} changes nothing", "remove it")
        if self.change is not None:
            yield from check_target("change.read", self.change.read, "/orders/{order_id}", variables_of(template))
            yield from check_action("change.undo", self.change.undo)
            yield from check_statuses("change.already", self.change.already)
            yield from check_members("change.assign", self.change.assign)
        if self.unreadable == "ask" and not self.may_ask_any(method):
            yield Mistake("unreadable", "no shard may be asked without a key", "add `unknown: ask`, or remove it")
        yield from check_statuses("not_here", self.not_here)
        yield from check_members("learn", self.learn.values())
        for space, name in self.learn.items():
            if name in SAID_BY_HEAD:
                yield Mistake(f"learn.{space}", f"{name!r} names nothing", f"write it as `{name}NAME`")
        yield from check_calls(self, method)
        yield from check_key(self)
        yield from check_required(self, method)

    def key_fields(self) -> Iterator[tuple[str, Sequence[str]]]:
        """`key`, and those of idempotency."""
        yield "key", sources_of(self.key)
        yield from super().key_fields()

    def may_ask_any(self, method: str) -> bool:
        """As `unknown` says."""
        return self.unknown == "ask" or (self.unknown is None and method in SAFE_METHODS)

    @property
    def streams(self) -> bool:
        """The key is not in the body, and the entity is on one shard."""
        return self.parts is None and not any(s.startswith(("body.", "form.")) for s in sources_of(self.key))

    @property
    def needs_store(self) -> bool:
        """A change of parts is journaled."""
        return self.change is not None or super().needs_store

    @property
    def recorded(self) -> str | None:
        """Which entities are in parts."""
        return "which entities are in parts" if self.parts_space is not None else None

    @property
    def parts_space(self) -> str | None:
        """The key's own, where what it names may be in parts."""
        return self.locate if self.parts is not None or self.change is not None else None

    def _check_unreadable(self, request: Request, error: AmbiguousKeyError) -> None:
        """Raises the error unless the body is one that nobody reads, and the application's to refuse."""
        if self.unreadable == "refuse" or error.was_read or has_readable_body(self.key, request):
            raise error

    def _unowned(self, request: Request, route: Route, known: Known, key: str | None) -> ToAny | FindOwner:
        """There is no key, or no locator knows it. Raises MissingKeyError, UnknownKeyError or KeyOnTwoShardsError."""
        if key is not None and known.memory.is_disputed(self.locate, key):
            if request.method not in {"GET", "HEAD"}:
                raise disputed(self.locate, said_key(route, key))
            return FindOwner(route, self.locate, key, request.target, known.topology.ids, is_the_request=True)
        if self.may_ask_any(request.method):
            return ToAny(route, known.topology.ids, NO_OWNER)
        if key is None:
            raise MissingKeyError(f"the request needs a key: {' or '.join(sources_of(self.key))}")
        raise unknown_key(key, self.key)

    def _question(self, request: Request, route: Route, key: str, place: AskAll, known: Known) -> FindOwner:
        same = request.method in {"GET", "HEAD"} and request.path.rstrip("/") == place.path
        target = request.target if same else place.path.encode()
        return FindOwner(route, self.locate, key, target, known.topology.ids, same)

    def _plan_parts(
        self,
        request: Request,
        route: Route,
        key: str,
        shards: Sequence[ShardId],
        variables: Variables,
        moment: Moment,
    ) -> Plan:
        """All shards that may have a part: their replies become one. Raises UnknownKeyError, NotServedError."""
        if not shards:
            raise unknown_key(key, self.key)
        if request.method in {"GET", "HEAD"} and self.parts is not None:
            return ToGather(route, request, self.parts.begin(request, shards, moment))
        if self.change is None:
            raise NotServedError("it is in parts on several shards, and the rule does not say how it is changed")
        return ToParts(route, self, self.change, key, shards, variables)
