"""An operation of the application (Route), the rule that serves it (BaseRule), and what is done for a request (Plan).

The three refer to each other, and so share a module: a route has a rule, a rule makes a plan for a route.
The kinds of rules are in `core/rules`; the kinds of plans are there too, and in `core/plan/plan.py`.

Holds: everything that the rest of the gateway asks of a rule is a method or a property of BaseRule.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec

from shardgate.core.changes.idempotency import Idempotency
from shardgate.core.clients.masking import is_secret
from shardgate.core.contracts import Known, Locator
from shardgate.core.http import Request
from shardgate.core.replies.cache.settings import CacheWords
from shardgate.core.replies.head_fields import WhoseCookies, WhoseDate
from shardgate.core.replies.validation import EVERY_SHARD, Validation
from shardgate.core.routes.calls import CallWords
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.topology import ShardId

Clock = Callable[[], float]
"""Returns the seconds since 1970."""
Variables = Mapping[str, str]
"""The variables of the path, decoded."""
Chains = Mapping[str, tuple[Locator, ...]]
"""The locator chains of the configuration, by name."""
Sentence = tuple[str, str]
"""A title and a text of `shardgate explain`."""


NO_WORDS: Final = Idempotency()
_NOTHING: Final[Mapping[str, str]] = {}


class PathReading(msgspec.Struct, frozen=True):
    """How the application reads paths, where applications differ."""

    case: Literal["ignored", "distinct"] | None = None
    """What the case of letters means; None: that is not known."""
    encoded_slash: Literal["refuse", "value"] = "refuse"
    """What `%2F` means."""


class Filter(msgspec.Struct, frozen=True):
    """A query parameter, a variable of the path, or a claim of the token that names the tenants or ids of a list."""

    parameter: str
    separator: str | None
    """The text between two keys; None: the parameter has one key."""
    space: str
    locators: tuple[Locator, ...]
    shown: bool = False
    """The keys are the tie-breaker of the list, so that a page shows whether it has all of them."""
    unless: tuple[str, ...] = ()
    """Parameters that name a row which the filter may exclude: with one of them all shards are asked."""
    claim: str = ""
    """The claim that names the keys; empty: none does."""
    variable: str = ""
    """The variable of the path that names the key; empty: none does."""


class Plan(msgspec.Struct):
    """The calls to make for one request. A value: it can be printed, compared, explained."""

    route: "Route"

    def explain(self, request: Request) -> Iterable[Sentence]:
        """The plan in words, in the order in which things happen."""
        raise NotImplementedError


class BaseRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="rule"):
    """How one operation is served. To add a kind, write a file in `core/rules` and add it to the table there.

    The fields of a kind are its configuration. A kind must have `plan` and `describe`; the other answers have
    defaults.
    """

    deadline_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """In how many seconds a request must be answered whole; then it ends with 504 (SG2003). A client may ask for less,
    by `deadline_header`."""

    finds_owner = False
    """A key of the request decides which shard is asked."""
    only_reads = False
    """No request changes data, whatever its method: idempotency keys mean nothing."""
    learns_from_reply = False
    """A successful reply of one shard shows new keys: `learn` says where."""

    def plan(self, request: Request, route: "Route", variables: Variables, known: Known, clock: Clock) -> Plan:
        """The calls to make. Reads the clock only where a merge begins.

        Raises a ClientError where the request is refused before any shard is asked.
        """
        raise NotImplementedError

    def among(
        self,
        shards: Sequence[ShardId],
        request: Request,
        route: "Route",
        variables: Variables,
        known: Known,
        clock: Clock,
    ) -> Plan:
        """The calls to make where only these shards know the client's credential; all may, where there are none."""
        raise NotImplementedError

    def describe(self, route: "Route") -> str:
        """The rule in one line."""
        raise NotImplementedError

    def mistakes(self, method: str, template: str) -> Iterable[Mistake]:
        """What is wrong in the rule for an operation; paths begin at the rule. Names are checked elsewhere."""
        return ()

    def unknown_shards(self, shards: Mapping[str, object]) -> Iterable[Mistake]:
        """The shards that the rule names and the configuration does not have."""
        return ()

    def key_fields(self) -> Iterable[tuple[str, Sequence[str]]]:
        """The fields that say where a request has a key, each with the sources that it names."""
        words = self.idempotency
        if words.key is not None:
            yield "idempotency.key", (words.key,)
        if words.name is not None:
            yield "idempotency.name", (words.name,)

    def named_locators(self) -> Iterable[tuple[str, str]]:
        """The fields that name a locator chain, each with the name."""
        for field, name in (("locate", self.locate), ("whole_locate", self.whole_locate)):
            if name is not None:
                yield field, name
        for name in self.learn:
            yield f"learn.{name}", name

    def filters(self, chains: Chains) -> tuple[Filter, ...]:
        """What narrows the shards that are asked."""
        return ()

    def direct(self, locators: Sequence[Locator]) -> str:
        """The variable of the path that is the key, where the first locator says at once which shard owns it.

        Empty: more must be looked at. Where that locator does not know the shard, `plan` decides.
        """
        return ""

    def chain(self, chains: Chains) -> str | None:
        """The name of the locator chain of the key; None: there is no key."""
        return self.locate

    def may_ask_any(self, method: str) -> bool:
        """Whether any shard may answer a request whose key no shard owns."""
        return False

    @property
    def locate(self) -> str | None:
        """The locator chain of the key; None: there is no key."""
        return None

    @property
    def whole_locate(self) -> str | None:
        """The locator chain of a key that decides for the whole body; None: there is no such key."""
        return None

    @property
    def learn(self) -> Mapping[str, str]:
        """Locator chain → the property of a reply, or of a row, that is a key."""
        return _NOTHING

    @property
    def not_here(self) -> tuple[int, ...]:
        """The statuses by which a shard says that it does not hold the key."""
        return (404,)

    @property
    def validators(self) -> Validation:
        """How the validators of merged replies are made."""
        return EVERY_SHARD

    @property
    def cookies(self) -> WhoseCookies:
        """Whose cookies merged replies set."""
        return "none"

    @property
    def date(self) -> WhoseDate:
        """Whose Date merged replies have."""
        return "first"

    @property
    def upgrade(self) -> tuple[str, ...]:
        """The protocols that a client may switch to (RFC 9110 section 7.8)."""
        return ()

    @property
    def calls(self) -> CallWords | None:
        """What the rule says of its own calls; None: what the guards of the shard say."""
        return None

    @property
    def coalesces(self) -> bool:
        """Equal requests that are under way at the same time are asked once."""
        return False

    @property
    def cached(self) -> CacheWords | None:
        """What is kept of replies; None: nothing."""
        return None

    @property
    def idempotency(self) -> Idempotency:
        """How repeated requests are recognised."""
        return NO_WORDS

    @property
    def reads_body(self) -> bool:
        """What it reads can also be asked for by POST, with the question in the body."""
        return False

    @property
    def streams(self) -> bool:
        """A request can be sent on before its body is complete: nothing in the body decides where it goes."""
        return False

    @property
    def needs_store(self) -> bool:
        """The rule cannot be served without a store."""
        return self.idempotency != NO_WORDS

    @property
    def recorded(self) -> str | None:
        """What the rule records in the directory, as a sentence; None: nothing."""
        return None

    @property
    def parts_space(self) -> str | None:
        """The space of the keys of entities in parts; None: no entity of this rule is in parts."""
        return None

    @property
    def ages(self) -> bool:
        """Replies have signed cursors that expire: a client needs new ones even if no data has changed."""
        return False

    @property
    def asks_everybody(self) -> bool:
        """A gather that nothing narrows, and that needs every shard."""
        return False

    @property
    def is_partial_unsaid(self) -> bool:
        """A client that asks for nothing may get a list without a shard, whose body does not say so."""
        return False


class Route(msgspec.Struct, frozen=True):
    """An operation. `rule` is None where the gateway is configured not to serve it; `unserved` says why."""

    method: str
    template: str
    operation: str
    rule: BaseRule | None
    locators: tuple[Locator, ...] = ()
    whole_locators: tuple[Locator, ...] = ()
    """The chain of `whole_locate`."""
    unserved: str = ""
    keyed: bool = False
    """The rule says where a request has its idempotency key, or that it must have one."""
    filters: tuple[Filter, ...] = ()
    parts_space: str | None = None
    """The space of the keys of entities in parts."""
    ages: bool = False
    """Replies have signed cursors that expire: a client needs new ones even if no data has changed."""
    collects_head_fields: bool = False
    """Merged replies have cookies of the shards, or the Date that the rule chooses."""
    chain: str = ""
    """The name of the chain of `locators`; empty: there is none."""
    direct: str = ""
    """The variable of the path that is the key, where the first locator alone says which shard is asked."""
    finder: Locator | None = None
    """What says so: that locator, or what finds the same sooner; None: there is no such variable."""
    is_list: bool = False
    """Requests are counted among lists, which are the first to be refused when there are too many."""
    asks_everybody: bool = False
    """A gather of all shards, whatever the request says, which needs each of them."""
    calls: CallWords | None = None
    """What the rule says of its own calls; None: nothing."""
    is_cached: bool = False
    """Replies that the application marks public may be kept."""
    coalesces: bool = False
    """Equal requests that are under way at the same time share one relay."""
    shares: bool = False
    """One of the two: a reply may be one that another request has got."""
    is_implied: bool = False
    """No configuration says so: OPTIONS is answered by any shard."""

    @property
    def streams(self) -> bool:
        """A request can be sent on before its body is complete: nothing in the body decides where it goes."""
        return self.rule is None or self.rule.streams

    def is_routed_as(self, other: "Route") -> bool:
        """Whether a request that the one serves, the other would serve at the same shards."""
        if self.rule is None or other.rule is None or type(self.rule) is not type(other.rule):
            return False
        if self.rule == other.rule:
            return True
        is_keyed = self.rule.finds_owner and self.parts_space == other.parts_space is None
        return is_keyed and self.locators == other.locators and _key_of(self.rule) == _key_of(other.rule)

    @property
    def name(self) -> str:
        """`GET /events/{id}`"""
        return f"{self.method} {self.template}"


class Routes(msgspec.Struct, frozen=True):
    """Every operation of the application, and what matching them needs to know."""

    routes: tuple[Route, ...]
    method_override: str | None = None
    """The query parameter by which a POST says that it is another method."""
    method_override_header: str | None = None
    """The header by which it says so."""
    trailing_slash: bool = True
    """`/events/` is `/events`."""
    method_override_member: str | None = None
    """The member of a body, or field of a form, by which it says so."""
    paths: PathReading = PathReading()
    """How the application reads paths."""
    covered: Mapping[str, str] = {}
    """The operations of the document without a rule of their own → the subtree whose rule is theirs."""
    implied: tuple[Route, ...] = ()
    """What is served though no configuration names it."""

    @property
    def all_routes(self) -> tuple[Route, ...]:
        """Those of the configuration, and the implied ones."""
        return (*self.routes, *self.implied)

    @property
    def named(self) -> Mapping[int, str]:
        """Identity of a route → its name. A route is one object for as long as its configuration is in force."""
        return {id(route): route.name for route in self.all_routes}


def _key_of(rule: BaseRule) -> list[tuple[str, Sequence[str]]]:
    """Where a request has the key that says which shard is asked."""
    return [(field, sources) for field, sources in rule.key_fields() if not field.startswith("idempotency.")]


def chains_of(routes: Routes) -> Iterator[tuple[str, tuple[Locator, ...]]]:
    """The locator chains that rules use, with their names."""
    for route in routes.routes:
        rule = route.rule
        if rule is not None:
            yield rule.locate or "", route.locators
            yield rule.whole_locate or "", route.whole_locators
        for each in route.filters:
            yield each.space, each.locators


def secret_spaces(routes: Routes) -> frozenset[str]:
    """The locator chains whose keys are credentials, to judge by the names of their sources: no log shows them."""
    rules = [route.rule for route in routes.routes if route.rule is not None]
    return frozenset(
        rule.locate
        for rule in rules
        if rule.locate is not None and any(is_secret(each) for _, sources in rule.key_fields() for each in sources)
    )
