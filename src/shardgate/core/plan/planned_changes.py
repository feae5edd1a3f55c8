"""Plans of the changes that concern several shards, or one that is yet to be chosen: `every`, `place`, `divide`."""

from collections.abc import Mapping, Sequence

from shardgate.core.body.items import key_of, open_items
from shardgate.core.contracts import UNKNOWN, AskAll, Known, Locator
from shardgate.core.errors import ClientError, MissingKeyError, UnknownKeyError
from shardgate.core.http import Request
from shardgate.core.plan.key import read_key, refuse_other_body
from shardgate.core.plan.plan import Division, Placement, Plan, ToAny, ToEvery, ToOne
from shardgate.core.routes.route import Route
from shardgate.core.routes.rule import Divide, Every, Place
from shardgate.core.topology import ShardId

Write = Every | Place | Divide


def plan_change(rule: Write, request: Request, route: Route, variables: Mapping[str, str], known: Known) -> Plan:
    """The calls to make. Raises a ClientError where the request is refused before anyone is asked."""
    if rule.assign and request.body:
        refuse_other_body(request, b"multipart/", b"x-www-form-urlencoded")
    if isinstance(rule, Every):
        return ToEvery(route, rule, known.topology.ids, variables)
    if isinstance(rule, Place):
        key = None if rule.key is None else read_key(rule.key, request, variables)
        pin = None if rule.pinned_by is None else read_key(rule.pinned_by, request, variables)
        return Placement(route, rule, key, None if pin is None else rule.pinned.get(pin), variables)
    return plan_divide(rule, request, route, variables, known)


def plan_divide(rule: Divide, request: Request, route: Route, variables: Mapping[str, str], known: Known) -> Plan:
    """Who owns which item. What is no list of items is left for any instance to refuse, where that can do no harm."""
    if request.body:
        refuse_other_body(request, b"multipart/", b"x-www-form-urlencoded")
    if rule.whole_key is not None and (key := read_key(rule.whole_key, request, variables)) is not None:
        owner = _place(rule.whole_locate or "", route.whole_locators, key, known)
        if isinstance(owner, str):
            return ToOne(route, owner, key)
        return _anyone(rule, route, known, UnknownKeyError(f"nobody owns the key {key!r}"))
    items = open_items(request.body, rule.items)
    if items is None or not items.found.raw or (rule.items_max is not None and len(items.found.raw) > rule.items_max):
        return _anyone(rule, route, known, MissingKeyError(f"the request needs items, each with its {rule.key}"))
    keys = [key_of(item, rule.key) for item in items.found.raw]
    places = [None if key is None else _place(rule.locate, route.locators, key, known) for key in keys]
    if None in places and (rule.mode != "read" or set(places) == {None}):
        return _anyone(rule, route, known, UnknownKeyError(f"nobody owns the key {keys[places.index(None)]!r}"))
    return Division(route, rule, items, places, keys, variables)


def _anyone(rule: Divide, route: Route, known: Known, otherwise: ClientError) -> ToAny:
    """Any instance, which refuses in its own words; or the refusal that is given."""
    if rule.unknown == "ask" or (rule.unknown is None and rule.mode == "read"):
        return ToAny(route, known.topology.ids)
    raise otherwise


def _place(name: str, locators: Sequence[Locator], key: str, known: Known) -> ShardId | AskAll | None:
    for locator in locators:
        place = locator.locate(name, key, known)
        if place is not UNKNOWN:
            return place
    return None
