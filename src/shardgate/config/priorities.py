"""The `clients.classes` of shardgate.yaml → the priority classes of requests.

Holds: a class that nobody could be in, or that everybody could choose without the operator's word, is a mistake.
"""

import re
from collections.abc import Iterator

from shardgate.config.schema import ClassConfig, ClassMatchConfig, Config
from shardgate.core.clients.classes import CLASSES_MAX, ClassMatch, PriorityClass, WantedValues
from shardgate.core.routes.mistakes import Mistake, choose
from shardgate.core.routes.route import Routes
from shardgate.core.routes.template import ANY, base_of, names_in

_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^`|~0-9A-Za-z]+")
_FIELD_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_CURE = "take one of `claim`, `header` and `operations`; a class for all others has no `match`"


def read_classes(config: Config, routes: Routes, mistakes: list[Mistake]) -> tuple[PriorityClass, ...]:
    """The classes, the most important first; what is wrong with them is added to the mistakes."""
    given = () if config.clients is None else config.clients.classes
    if given:
        mistakes += _check_together(given)
    classes = []
    for number, each in enumerate(given):
        where = f"clients.classes[{number}]"
        matches = []
        for at, match in enumerate(each.match):
            place = f"{where}.match[{at}]"
            mistakes += _check(place, match, config)
            matches.append(_match(place, match, routes, mistakes))
        classes.append(PriorityClass(each.name, tuple(matches)))
    return tuple(classes)


def _check_together(given: tuple[ClassConfig, ...]) -> Iterator[Mistake]:
    where, names = "clients.classes", [each.name for each in given]
    if len(given) > CLASSES_MAX:
        yield Mistake(where, f"there are {len(given)}", f"take {CLASSES_MAX} at most")
    for number, name in enumerate(names):
        if name in names[:number]:
            cure = "give it another name, or add its `match` to the other's: one of them is enough"
            yield Mistake(f"{where}[{number}].name", f"there is another class {name!r}", cure)
    others = [each.name for each in given if not each.match]
    if len(others) != 1:
        problem = f"{len(others)} classes have no `match`" if others else "no class has what no other one has"
        cure = "leave `match` out of one class: it has all other requests; where it stands, it is refused"
        yield Mistake(where, problem, cure)
    if len(given) == 1:
        yield Mistake(where, "there is only one, so that none is refused before another", "add another, or remove it")


def _check(where: str, given: ClassMatchConfig, config: Config) -> Iterator[Mistake]:
    if not (given.claim or given.header or given.operations):
        yield Mistake(where, "it says nothing", _CURE)
    if given.claim and (config.clients is None or config.clients.jwt is None):
        cure = "add `clients: {jwt: …}`, which says how tokens are verified"
        yield Mistake(f"{where}.claim", "no token is verified here, and so no claim counts", cure)
    if given.header and given.header_from == "proxies" and not config.trusted_proxies:
        cure = (
            "name your proxies in `trusted_proxies`; or `header_from: anyone`, where every client may choose its class"
        )
        yield Mistake(f"{where}.header", "there is no trusted proxy, and so no header field counts", cure)
    if given.header_from == "anyone" and not given.header:
        yield Mistake(f"{where}.header_from", "there is no `header`", "remove it")
    for kind, wanted in (("claim", given.claim), ("header", given.header)):
        for name, values in wanted.items():
            place = f"{where}.{kind}.{name}"
            if not values or "" in values:
                yield Mistake(place, "a value is empty, or there is none", "write the values: `[gold]`")
            elif kind == "header" and not _FIELD_NAME.fullmatch(name):
                yield Mistake(place, f"{name!r} is no header field's name", "write it as `X-Tier`, without `_`")
            elif kind == "header" and (wrong := [each for each in values if not _FIELD_VALUE.fullmatch(each)]):
                yield Mistake(place, f"{wrong[0]!r} is no header field's value", "take visible ASCII characters")


def _match(where: str, given: ClassMatchConfig, routes: Routes, mistakes: list[Mistake]) -> ClassMatch:
    named: frozenset[str] | None = None
    if given.operations:
        named = frozenset()
        for number, written in enumerate(given.operations):
            found = frozenset(_named(written, routes))
            if not found:
                known = {route.name for route in routes.routes}
                place = f"{where}.operations[{number}]"
                mistakes.append(Mistake(place, f"{written!r} is no operation", choose(written, known)))
            named |= found
    return ClassMatch(
        claims=_wanted(given.claim),
        headers=_wanted({name.lower(): values for name, values in given.header.items()}),
        operations=named,
        from_anyone=given.header_from == "anyone",
    )


def _wanted(given: dict[str, tuple[str, ...]]) -> WantedValues:
    return tuple((name, frozenset(values)) for name, values in given.items())


def _named(written: str, routes: Routes) -> Iterator[str]:
    """The operations that this stands for: those of the name, and of a subtree all that are below it."""
    for name in names_in(written):
        method, _, template = name.partition(" ")
        base = base_of(template)
        for route in routes.all_routes:
            if method not in {ANY, route.method}:
                continue
            if route.template == template or (
                base is not None and (route.template == base or route.template.startswith(f"{base}/"))
            ):
                yield route.name
