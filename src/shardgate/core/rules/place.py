"""The rule `place`: a new tenant is put on a shard, and the directory knows before the client does."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from shardgate.core.changes.idempotency import Idempotency
from shardgate.core.changes.placing import AnyPolicy, LeastData, LeastTenants, Weighted
from shardgate.core.contracts import UNKNOWN, AskAll, Known
from shardgate.core.errors import ShardDownError
from shardgate.core.http import SAFE_METHODS, Request
from shardgate.core.locate.directory import Directory
from shardgate.core.plan.key import read_key, refuse_unless_json
from shardgate.core.routes.mistakes import Mistake, choose
from shardgate.core.routes.route import BaseRule, Chains, Clock, Plan, Route, Sentence, Variables
from shardgate.core.routes.targets import check_target
from shardgate.core.rules.calls import check_members, check_seen
from shardgate.core.rules.fields import IdForm, Sources, sources_of
from shardgate.core.rules.repeating import check_key, check_name
from shardgate.core.topology import ShardId


class Placement(Plan):
    """Choose a shard for a new tenant, create it there, record it."""

    rule: "Place"
    key: str | None
    """The tenant's name in the request."""
    owner: ShardId | AskAll | None
    """The shard that has a tenant of this name already, or how to ask for it; None: it is a new name."""
    pinned: ShardId | None
    variables: Variables

    def explain(self, request: Request) -> Iterable[Sentence]:
        """The shard, if it is known."""
        if isinstance(self.owner, AskAll):
            yield "shard", f"not known yet for the key {self.key!r}: all are asked by GET {self.owner.path}"
        elif self.owner is not None:
            yield "shard", f"{self.owner} has a tenant of this name, and is sent the request"
            return
        where = "the pinned shard" if self.pinned else "the shard that the policy chooses"
        yield "shard", f"{self.pinned or 'not known yet'}: {where}"
        yield "then", "the directory has the tenant before the client hears of it"


class Place(BaseRule, frozen=True, kw_only=True, tag="place"):
    """A new tenant is put on a shard; the directory knows before the client does."""

    space: str
    """The name of the directory's space: for `shardgate split`, the table of the tenants."""
    tenant: str = "id"
    """The property of the reply that names the new tenant; it may stand deeper: `data.id`."""
    key: Sources | None = None
    """Where the request names the tenant. Two creates of one name go to one shard, so that the application refuses the
    second."""
    locate: str | None = None
    """The name of the locator chain that finds a tenant by its name. A name that it knows is sent to that shard, so
    that the application refuses it. Default: a chain that looks into the directory's `space`."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """Members of the body that the gateway fills where the client does not. An assigned id is then the tenant's
    name."""
    check: str | None = None
    """The path where the new tenant can be seen: `/v3/vendors/{key}`. It is read when a reply was lost, if the request
    or the gateway gave the tenant a name."""
    policy: AnyPolicy = LeastTenants()
    """How the shard is chosen."""
    pinned_by: str | None = None
    """A key of the request, such as `body.country`, that `pinned` looks up."""
    pinned: Mapping[str, ShardId] = msgspec.field(default_factory=dict)
    """Value of that key → the shard of these tenants, whatever the policy says: `{PT: lisbon}`."""
    idempotency: Idempotency = Idempotency()
    """How repeated requests of this operation are handled."""

    def plan(self, request: Request, route: Route, variables: Variables, known: Known, clock: Clock) -> Placement:
        """Raises a ClientError where a key cannot be read."""
        if self.assign and request.body:
            refuse_unless_json(request)
        key = None if self.key is None else read_key(self.key, request, variables, route.locators)
        pin = None if self.pinned_by is None else read_key(self.pinned_by, request, variables)
        owner = None if key is None else self._owner(key, route, known)
        return Placement(route, self, key, owner, None if pin is None else self.pinned.get(pin), variables)

    def describe(self, route: Route) -> str:
        """The space, and the policy."""
        return f"place: a new tenant of {self.space}, by {type(self.policy).__struct_config__.tag}"

    def mistakes(self, method: str, template: str) -> Iterator[Mistake]:
        """What is wrong in the method, the policy and `check`."""
        if method in SAFE_METHODS:
            yield Mistake("rule", f"`place` creates, and {method} does not", "take another rule")
        policy = self.policy
        if isinstance(policy, LeastData) and (policy.count is None) == (policy.count_header is None):
            cure = "add `count_header` or `count`, one of the two"
            yield Mistake("policy", "it does not say where the number stands", cure)
        if self.check is not None and self.key is None and not self.assign:
            cure = "add `key`, or `assign` an id"
            yield Mistake("check", "a tenant without a name cannot be looked for", cure)
        if isinstance(policy, LeastData):
            yield from check_target("policy.path", policy.path, "/events?limit=1", ())
        for field, name in (("space", self.space), ("tenant", self.tenant)):
            if not name:
                yield Mistake(
                    field, "it is empty", "write a name, like `vendors`" if field == "space" else "write `id`"
                )
        yield from check_seen("check", self.check)
        yield from check_members("assign", self.assign)
        yield from check_key(self)
        yield from check_name(self)

    def unknown_shards(self, shards: Mapping[str, object]) -> Iterator[Mistake]:
        """Those that tenants are pinned to, and those that are weighed."""
        weighed = self.policy.weights if isinstance(self.policy, Weighted) else {}
        for field, names in (("pinned", self.pinned.values()), ("policy.weights", weighed)):
            for name in names:
                if name not in shards:
                    yield Mistake(field, f"no shard is named {name!r}", choose(name, shards))
        if not any(weighed.get(name, 1.0) > 0 for name in shards):
            cure = "give a shard a weight above 0, or leave one out: its weight is then 1"
            yield Mistake("policy.weights", "no shard has a weight, so that none gets a tenant", cure)

    def key_fields(self) -> Iterator[tuple[str, Sequence[str]]]:
        """`key`, `pinned_by`, and those of idempotency."""
        if self.key is not None:
            yield "key", sources_of(self.key)
        if self.pinned_by is not None:
            yield "pinned_by", (self.pinned_by,)
        yield from super().key_fields()

    def chain(self, chains: Chains) -> str | None:
        """`locate`, or a chain that looks into `space`."""
        if self.locate is not None:
            return self.locate
        return next(
            (
                name
                for name, chain in chains.items()
                if any(isinstance(each, Directory) and (each.space or name) == self.space for each in chain)
            ),
            None,
        )

    def _owner(self, key: str, route: Route, known: Known) -> ShardId | AskAll | None:
        """The shard that has a tenant of this name. Raises ShardDownError."""
        for locator in route.locators:
            place = locator.locate(route.chain, key, known)
            if place is UNKNOWN:
                continue
            if isinstance(place, str) and place not in known.topology.shards:
                log = f"{route.chain} says that {place!r} owns the key; the configuration has no such shard"
                raise ShardDownError("the shard that owns the key cannot be reached", log=log)
            return place
        return None

    @property
    def needs_store(self) -> bool:
        """It is journaled."""
        return True

    @property
    def recorded(self) -> str | None:
        """The new tenant."""
        return "a new tenant"
