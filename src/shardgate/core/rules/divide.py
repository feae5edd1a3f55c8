"""The rule `divide`: each item of the body goes to its owner, one call a shard.

Holds: an item goes to its owner or nowhere. A body that is no list of items is left for any shard to refuse, where that
can do no harm.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from shardgate.core.body.item_key import key_of
from shardgate.core.body.items import Items, open_items
from shardgate.core.body.numbering import PLACE
from shardgate.core.changes.entry import Action
from shardgate.core.changes.idempotency import Idempotency
from shardgate.core.clients.masking import masked
from shardgate.core.contracts import UNKNOWN, AskAll, Known, Locator, ManyKeys
from shardgate.core.errors import ClientError, MissingKeyError, TooComplexError
from shardgate.core.http import Request
from shardgate.core.limits import BULK_ROUNDS_MAX, ITEMS_ALLOWED_MAX, ITEMS_MAX
from shardgate.core.locate.dispute import disputed
from shardgate.core.locate.learned import Learned
from shardgate.core.parts.whole import Parts
from shardgate.core.plan.key import read_key, refuse_unless_json, unknown_key
from shardgate.core.plan.plan import ToAny, ToOne
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import BaseRule, Clock, Plan, Route, Sentence, Variables
from shardgate.core.rules.calls import check_action, check_members, check_seen, check_statuses
from shardgate.core.rules.fields import IdForm, Sources, WhenUnknown, sources_of
from shardgate.core.rules.repeating import check_key, check_name
from shardgate.core.topology import ShardId


class Division(Plan):
    """Send each item to its owner."""

    rule: "Divide"
    items: Items
    places: Sequence[ShardId | AskAll | None]
    """For each item: its shard, how to ask for it, or None where nobody can own it."""
    keys: Sequence[str | None]
    variables: Variables

    def explain(self, request: Request) -> Iterable[Sentence]:
        """The owner of each item."""
        for key, place in zip(self.keys, self.places, strict=True):
            where = place if isinstance(place, str) else "all are asked who has it" if place else "nobody can own it"
            yield "item", f"{self.rule.key} {key!r}: {where}"
        for bulk, keys in self._asked_by_lists().items():
            groups, _ = bulk.groups(keys)
            if groups:
                target = masked(bulk.target(groups[0]).decode("ascii"))
                lists = f"{len(groups)} lists" if len(groups) > 1 else "one list"
                yield "asked", f"each shard, by {lists} of keys: GET {target}"

    def calls_max(self, shards: int) -> int:
        """The most calls that the request takes, where it is not journaled: each key is asked for, each shard is sent
        its items; a read does both once more where a remembered owner was wrong, and is refused as a whole."""
        lookups = len({key for key, place in zip(self.keys, self.places, strict=True) if isinstance(place, AskAll)})
        lists = sum(len(bulk.groups(keys)[0]) for bulk, keys in self._asked_by_lists().items())
        owners = min(shards, len(self.keys))
        once = (lookups + lists * BULK_ROUNDS_MAX) * shards + owners
        if self.rule.mode != "read":
            return once + 2
        again = sum(isinstance(place, str) for place in self.places)
        return 2 * once + again * shards + 1

    def _asked_by_lists(self) -> dict[ManyKeys, list[str]]:
        """The distinct keys that lists can be asked for."""
        found: dict[ManyKeys, dict[str, None]] = {}
        for key, place in zip(self.keys, self.places, strict=True):
            if key is not None and isinstance(place, AskAll) and place.bulk is not None:
                found.setdefault(place.bulk, {})[key] = None
        return {bulk: [*keys] for bulk, keys in found.items()}


class Divide(BaseRule, frozen=True, kw_only=True, tag="divide"):
    """Each item of the body goes to its owner, one call a shard; the replies' items come back in the input's order."""

    finds_owner = True

    whole_key: Sources | None = None
    """A key of the request, such as `body.vendor_id`. Where the request has it, one shard owns all items, and the
    request is relayed to that shard."""
    whole_locate: str | None = None
    """The name of the locator chain of `whole_key`."""
    unknown: WhenUnknown | None = None
    """What to do when there are no items, or no shard owns one. `ask`: any shard, which refuses in the application's
    words. `refuse`: the gateway refuses. Default: `ask` with `mode: read`, else `refuse`."""
    items: str = ""
    """The member of the body with the items. Empty: the body is the list."""
    key: str
    """The member of an item that says whose it is. It may stand deeper: `vendor.id`."""
    locate: str
    """The name of the locator chain that finds the shard of an item's key."""
    into: str | msgspec.UnsetType | None = msgspec.UNSET
    """The member of the reply with the items, one for each item of the request; empty: the reply is the list. `null`:
    the reply has no items, so that the replies of all shards must be the same but for the numbers in `sum`. Default: as
    `items`."""
    mode: Literal["read", "independent", "all_or_none"] = "read"
    """`read`: nothing is changed, and every shard that owns an item must answer. `independent`: each part succeeds or
    fails by itself; an item of a failed part is `{status, problem}` in the reply. `all_or_none`: all parts or none,
    with `undo`, and with `confirm` where there is something to confirm."""
    items_max: int | None = None
    """The most items that the application accepts, up to 5,000. A longer list goes to one shard, which refuses it.
    `null`: the gateway itself refuses more than 1,000 (SG1026)."""
    position: str | None = None
    """How a refusal says which item it means: `items.{n}` where the first is `items.0`. A shard counts the items of its
    own part; with this, the client reads the position in its own request."""
    not_here: tuple[int, ...] = (404,)
    """The statuses by which an instance says that it does not hold an item."""
    sum: tuple[str, ...] = ()
    """Numbers beside the items that are added up."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """With `all_or_none`: members of the body that the gateway fills where the client does not. All parts get the same
    value."""
    check: str | None = None
    """With `all_or_none`: the path where the result can be seen once the change was made."""
    repeat: bool = False
    """With `all_or_none`: sending the change twice is the same as sending it once."""
    already: tuple[int, ...] = (409,)
    """With `all_or_none`: the statuses by which a shard says, when the change is repeated, that it was made before."""
    confirm: Action | None = None
    """With `all_or_none`: the call that goes to all shards once all have accepted."""
    undo: Action | None = None
    """With `all_or_none`: the call that takes the change back from one shard. It is needed."""
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Locator chain → property of the reply whose value now lives on this shard."""
    parts: Parts | None = None
    """With `all_or_none`: what is made is one entity in parts, known by what `learn` names. These fields say how the
    replies become one."""
    idempotency: Idempotency = Idempotency()
    """How repeated requests of this operation are handled."""

    def plan(self, request: Request, route: Route, variables: Variables, known: Known, clock: Clock) -> Plan:
        """The owner of each item. Raises a ClientError where one cannot be found."""
        return self.divide(request, route, variables, known)

    def divide(self, request: Request, route: Route, variables: Variables, known: Known) -> Plan:
        """The same, for a caller that has no clock."""
        if request.body:
            refuse_unless_json(request)
        chain = route.whole_locators
        if self.whole_key is not None and (key := read_key(self.whole_key, request, variables, chain)) is not None:
            owner = _place(self.whole_locate or "", chain, key, known)
            if isinstance(owner, str):
                return ToOne(route, owner, key)
            return self._any(route, known, unknown_key(key, self.whole_key))
        items = open_items(request.body, self.items, self.items_max or ITEMS_MAX)
        if items == "longer" and self.items_max is None:
            where = f"`{self.items}`" if self.items else "the body"
            raise TooComplexError(f"{where} has more than {ITEMS_MAX} items (`items_max`)")
        if items is None or items == "longer" or not items.found.raw:
            return self._any(route, known, MissingKeyError(f"the request needs items, each with its {self.key}"))
        keys = [key_of(item, self.key) for item in items.found.raw]
        places = [None if key is None else _place(self.locate, route.locators, key, known) for key in keys]
        # Where other items have owners, their shards' data is at stake: the reply is looked at, and not just relayed.
        if None in places and (set(places) == {None} or (self.mode != "read" and self.unknown != "ask")):
            return self._any(route, known, self._unplaced(keys, places.index(None)))
        return Division(route, self, items, places, keys, variables)

    def describe(self, route: Route) -> str:
        """The items, their key, and the mode."""
        return f"divide: each of {self.items or 'the items'} to the owner of {self.key}, {self.mode}"

    def mistakes(self, method: str, template: str) -> Iterator[Mistake]:
        """What is wrong in the keys, and what would leave a change half done."""
        if (self.whole_key is None) != (self.whole_locate is None):
            cure = "add the other of the two, or remove both"
            yield Mistake("whole_key", "`whole_key` and `whole_locate` go together", cure)
        if self.position is not None and self.position.count(PLACE) != 1:
            yield Mistake("position", "it does not say where the number stands", "write `items.{n}`")
        if self.parts is not None and not (self.mode == "all_or_none" and {*self.learn.values()} & {*self.assign}):
            cure = "take `mode: all_or_none`, `assign` its id, and name that under `learn`"
            yield Mistake("parts", "what is made in parts must be known by one id", cure)
        if self.mode == "all_or_none" and self.undo is None:
            yield Mistake("undo", "all or none needs a way back", "add `undo`, or take `mode: independent`")
        if self.mode == "all_or_none" and self.check is None and not self.repeat:
            cure = "add `check`, the path of what was made, or `repeat: true` if the application knows a repetition"
            yield Mistake("check", "after a lost reply nobody could say whether it was made", cure)
        if self.joined_at is None and self.mode == "independent":
            cure = "write the member of the reply with the items, or take another mode"
            yield Mistake("into", "a reply without items cannot say which of them a shard has refused", cure)
        if self.sum and self.joined_at == "":
            cure = "remove it: a reply that is the list itself has no numbers beside its items"
            yield Mistake("sum", "there is nothing beside the items", cure)
        if self.assign and not self.items:
            cure = "remove it, or write the member of the body with the items (`items`)"
            yield Mistake("assign", "a body that is the list itself has no members", cure)
        if self.items_max is not None and not 1 <= self.items_max <= ITEMS_ALLOWED_MAX:
            problem = "every list is longer" if self.items_max < 1 else "more items are not read in one request"
            cure = f"write the most items that the application takes, up to {ITEMS_ALLOWED_MAX}, or null"
            yield Mistake("items_max", problem, cure)
        yield from self._call_mistakes()
        yield from check_key(self)
        yield from check_name(self)

    def _call_mistakes(self) -> Iterator[Mistake]:
        yield from check_seen("check", self.check)
        yield from check_action("confirm", self.confirm)
        yield from check_action("undo", self.undo)
        yield from check_statuses("already", self.already)
        yield from check_statuses("not_here", self.not_here)
        for field, names in (("assign", self.assign), ("learn", self.learn.values()), ("key", (self.key,))):
            yield from check_members(field, names)

    def key_fields(self) -> Iterator[tuple[str, Sequence[str]]]:
        """`whole_key`, and those of idempotency."""
        if self.whole_key is not None:
            yield "whole_key", sources_of(self.whole_key)
        yield from super().key_fields()

    @property
    def joined_at(self) -> str | None:
        """The member of the reply with the items; empty: the reply is the list; None: it has no items."""
        return self.items if isinstance(self.into, msgspec.UnsetType) else self.into

    @property
    def needs_store(self) -> bool:
        """A change of all or none is journaled."""
        return self.mode == "all_or_none" or super().needs_store

    @property
    def recorded(self) -> str | None:
        """Which entities are in parts."""
        return "which entities are in parts" if self.parts is not None else None

    def _unplaced(self, keys: Sequence[str | None], position: int) -> ClientError:
        """The refusal of an item that no shard can own."""
        if (key := keys[position]) is not None:
            return unknown_key(key)
        member = f"{self.items}.{position}.{self.key}" if self.items else f"{position}.{self.key}"
        return MissingKeyError(f"the item {position} has no `{self.key}`, a text or a number", about={"member": member})

    def _any(self, route: Route, known: Known, otherwise: ClientError) -> ToAny:
        """Any shard, which refuses in its own words; or the refusal that is given."""
        if self.unknown == "ask" or (self.unknown is None and self.mode == "read"):
            return ToAny(route, known.topology.ids)
        raise otherwise


def _place(name: str, locators: Sequence[Locator], key: str, known: Known) -> ShardId | AskAll | None:
    """The shard, or how to find it. What is only remembered counts where no locator says which shard it is."""
    guess: ShardId | None = None
    for locator in locators:
        place = locator.locate(name, key, known)
        if isinstance(locator, Learned) and isinstance(place, str):
            guess = place
        elif place is not UNKNOWN:
            return place if guess is None or isinstance(place, str) else guess
    if guess is None and known.memory.is_disputed(name, key):
        raise disputed(name, key)
    return guess
