"""Rulebook → Routes, with every mistake that is in it.

Holds: an operation without a rule is a mistake: the gateway does not guess how data is divided.
"""

from collections.abc import Iterator

from shardgate.core.routes.mistakes import Mistake, choose
from shardgate.core.routes.route import NO_WORDS, BaseRule, Chains, Route, Routes
from shardgate.core.routes.template import check_template, shape_of
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rulebook.document import Rulebook
from shardgate.core.rulebook.named import read_chains, with_dialect, with_seal
from shardgate.core.rulebook.names import check_names
from shardgate.core.rules import Rule


def build_routes(
    book: Rulebook, *, method_override: str | None, trailing_slash: bool, method_override_header: str | None = None
) -> tuple[Routes, list[Mistake]]:
    """Every operation as a route, and all mistakes at once."""
    mistakes: list[Mistake] = []
    chains = read_chains(book, mistakes)
    routes = [route for name in book.operations if (route := _route(name, book, chains, mistakes)) is not None]
    mistakes += [
        Mistake(f"unserved.{name}", "no such operation", choose(name, book.operations))
        for name in book.unserved
        if name not in book.operations
    ]
    mistakes += _twins(routes)
    return Routes(tuple(routes), method_override, method_override_header, trailing_slash), mistakes


def _route(name: str, book: Rulebook, chains: Chains, mistakes: list[Mistake]) -> Route | None:
    method, _, template = name.partition(" ")
    operation = book.operations[name]
    if name in book.unserved:
        return Route(method, template, operation, None, unserved=book.unserved[name])
    if name not in book.rules:
        cure = "add `x-shardgate` to it in the document, or an entry under `rules`, or list it under `unserved`"
        mistakes.append(Mistake(f"rules.{name}", "the operation has no rule", cure))
        return None
    place = book.places[name]
    before = len(mistakes)
    mistakes += [mistake.under(place) for mistake in check_template(template)]
    if len(mistakes) > before:
        return None
    rule = _rule(method, template, place, book, mistakes)
    return None if rule is None or len(mistakes) > before else bind(rule, method, template, operation, chains)


def _rule(method: str, template: str, place: str, book: Rulebook, mistakes: list[Mistake]) -> BaseRule | None:
    """The rule, as far as it could be read."""
    written = with_dialect(book.rules[f"{method} {template}"], book.dialects, place, mistakes)
    written = with_seal(written, book.seal, place, mistakes)
    before = len(mistakes)
    rule: Rule | None = convert_all(written, Rule, place, mistakes)
    if rule is None:
        return None
    complete = len(mistakes) == before
    found = [*check_names(rule, template, book.locators)]
    if complete:
        found += rule.mistakes(method, template)
    mistakes += [mistake.under(place) for mistake in found]
    return rule


def bind(rule: BaseRule, method: str, template: str, operation: str, chains: Chains) -> Route:
    """The route of a rule without a mistake."""
    return Route(
        method,
        template,
        operation,
        rule,
        chains.get(rule.locate or "", ()),
        chains.get(rule.whole_locate or "", ()),
        keyed=rule.idempotency != NO_WORDS,
        filters=rule.filters(chains),
        parts_space=rule.parts_space,
        ages=rule.ages,
    )


def _twins(routes: list[Route]) -> Iterator[Mistake]:
    """Two templates that differ only in the names of their variables are one path."""
    shapes: dict[str, str] = {}
    for route in routes:
        shape = f"{route.method} {shape_of(route.template)}"
        if shape in shapes:
            yield Mistake(f"rules.{route.name}", f"it is the same path as {shapes[shape]}", "remove one of the two")
        shapes[shape] = route.name
