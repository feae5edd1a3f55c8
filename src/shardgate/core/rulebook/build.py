"""Rulebook → Routes, with every mistake that is in it.

Holds: an operation without a rule is a mistake: the gateway does not guess how data is divided. An operation that the
rule of a subtree covers (`ANY /admin/**`) has that rule. OPTIONS is any shard's where no rule says otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from shardgate.core.contracts import Locator
from shardgate.core.locate.hashed import Hash
from shardgate.core.routes.mistakes import Mistake, near
from shardgate.core.routes.route import NO_WORDS, BaseRule, Chains, PathReading, Route, Routes
from shardgate.core.routes.template import (
    ANY,
    BELOW,
    METHODS,
    check_operation,
    check_template,
    covers,
    shape_of,
)
from shardgate.core.rulebook.complaints import written
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rulebook.document import Rulebook
from shardgate.core.rulebook.named import check_dialect, dialect_of, read_chains, read_dialects, with_dialect
from shardgate.core.rulebook.names import check_credentials, check_names
from shardgate.core.rulebook.shape import at
from shardgate.core.rules import Rule
from shardgate.core.rules.any_shard import OF_ANY_SHARD


def build_routes(
    book: Rulebook,
    shards: Mapping[str, object],
    *,
    method_override: str | None,
    trailing_slash: bool,
    method_override_header: str | None = None,
    method_override_member: str | None = None,
    paths: PathReading = PathReading(),  # noqa: B008 - it is a value
) -> tuple[Routes, list[Mistake]]:
    """Every operation as a route, and all mistakes at once."""
    mistakes: list[Mistake] = []
    chains = read_chains(book, shards, mistakes)
    reader = _Reader(book, chains, read_dialects(book, mistakes), shards, mistakes)
    declared = [name for name in book.unserved if name not in book.operations]
    covered = _covered(book)
    names = [name for name in (*book.operations, *declared) if name not in covered]
    routes = [route for name in names if (route := reader.route(name)) is not None]
    folds = paths.case == "ignored"
    shapes = {
        route.name: f"{route.method} {shape_of(route.template, trailing_slash=trailing_slash, folds=folds)}"
        for route in routes
    }
    routes = [*_without_covered(routes, shapes)]
    mistakes += _twins(routes, shapes)
    options = Route("OPTIONS", f"/{BELOW}", _OPTIONS, OF_ANY_SHARD, is_implied=True)
    return (
        Routes(
            tuple(routes),
            method_override,
            method_override_header,
            trailing_slash,
            method_override_member,
            paths,
            covered,
            () if _OPTIONS in shapes.values() else (options,),
        ),
        mistakes,
    )


_OPTIONS: Final = f"OPTIONS /{BELOW}"


def _covered(book: Rulebook) -> dict[str, str]:
    """The operations without a rule of their own that are a subtree's, or whose GET has a rule that is also HEAD's."""
    named = [*book.rules, *book.unserved]
    subtrees = sorted([name for name in named if name.endswith(f"/{BELOW}")], key=len, reverse=True)
    covered = {}
    for name in book.operations:
        if name in book.rules or name in book.unserved:
            continue
        method, _, template = name.partition(" ")
        exact = [f"{ANY} {template}", *([f"GET {template}"] if method == "HEAD" else [])]
        rule = next((each for each in exact if each in named), None)
        rule = rule or next((each for each in subtrees if covers(each, name)), None)
        if rule is None and method == "OPTIONS":
            rule = _OPTIONS
        if rule is not None:
            covered[name] = rule
    return covered


class _Reader(msgspec.Struct, frozen=True):
    """Reads the rules of one rulebook."""

    book: Rulebook
    chains: Chains
    dialects: dict[str, Any]
    shards: Mapping[str, object]
    mistakes: list[Mistake]

    def route(self, name: str) -> Route | None:
        """The route of an operation; None where there is a mistake."""
        book = self.book
        method, _, template = name.partition(" ")
        if name in book.unserved:
            return self._unserved(name, method, template)
        if name not in book.rules:
            cure = "add `x-shardgate` to it in the document, or an entry under `rules`, or list it under `unserved`"
            if (short := book.unbased.get(name)) in book.rules or short in book.unserved:
                cure = f"write `{name}` in place of `{short}`: the document's server has a path, with which clients ask"
            self.mistakes.append(Mistake(f"rules.{name}", "the operation has no rule", cure))
            return None
        place = book.places[name]
        if self._add(place, check_operation(name)) or self._add(place, check_template(template)):
            return None
        rule = self._rule(name, method, template, place)
        return None if rule is None else bind(rule, method, template, book.operations[name], self.chains)

    def _unserved(self, name: str, method: str, template: str) -> Route | None:
        place = f"unserved.{name}"
        if name not in self.book.operations:
            if self._add(place, check_operation(name)):
                return None
            known = [each for each in self.book.operations if _may_be_meant(name, each)]
            if (meant := near(name, known, alike=0.85)) is not None:
                self._add(place, [Mistake("", "no such operation", f"did you mean {meant!r}?")])
            if "}{" not in template and self._add(place, check_template(template)):
                return None
        operation = self.book.operations.get(name, name)
        return Route(method, template, operation, None, unserved=self.book.unserved[name])

    def _rule(self, name: str, method: str, template: str, place: str) -> BaseRule | None:
        """The rule; None where there is a mistake. What could be read of it is checked in any case."""
        before = any(mistake.path.startswith(f"{place}.") for mistake in self.mistakes)
        count = len(self.mistakes)
        plain, known = with_dialect(self.book.rules[name], self.dialects, self.book.seal, place, self.mistakes)
        rule: Rule | None = convert_all(plain, Rule, place, self.mistakes)
        if rule is None:
            return None
        complete = known and not before and len(self.mistakes) == count
        self._add(place, check_names(rule, template, self.book.locators))
        self._add(place, check_credentials(rule, self.chains))
        if complete:
            for steps, given in dialect_of(self.book.rules[name]):
                found = () if isinstance(given, str) else check_dialect(at(rule, steps))
                self._add(f"{place}{written(steps)}", found)
            self._add(place, _of_methods(rule, method, template))
            self._add(place, rule.unknown_shards(self.shards) if self.shards else ())
        return rule if complete and len(self.mistakes) == count else None

    def _add(self, place: str, found: Iterable[Mistake]) -> bool:
        """Note mistakes; whether there are any."""
        before = len(self.mistakes)
        self.mistakes.extend(mistake.under(place) for mistake in found)
        return len(self.mistakes) > before


def _of_methods(rule: BaseRule, method: str, template: str) -> list[Mistake]:
    """What is wrong in a rule for its method; of a rule for every method, for the first that it does not suit."""
    if method != ANY:
        return [*rule.mistakes(method, template)]
    always = [*rule.mistakes("GET", template)]
    for each in METHODS[1:]:
        if more := [mistake for mistake in rule.mistakes(each, template) if mistake not in always]:
            cure = f"name the methods that the rule is for, like `POST|PUT {template}`"
            return [*always, *(msgspec.structs.replace(mistake, cure=cure) for mistake in more)]
    return always


def bind(rule: BaseRule, method: str, template: str, operation: str, chains: Chains) -> Route:
    """The route of a rule without a mistake."""
    chain = rule.chain(chains) or ""
    locators = chains.get(chain, ())
    coalesces = rule.coalesces and not rule.only_reads  # a gather shares what it gathers
    direct = rule.direct(locators)
    return Route(
        method,
        template,
        operation,
        rule,
        locators,
        chains.get(rule.whole_locate or "", ()),
        keyed=rule.idempotency != NO_WORDS,
        filters=rule.filters(chains),
        parts_space=rule.parts_space,
        ages=rule.ages,
        collects_head_fields=rule.cookies != "none" or rule.date != "first" or rule.cached is not None,
        chain=chain,
        direct=direct,
        finder=_finder(locators[0]) if direct else None,
        is_list=rule.only_reads,
        asks_everybody=rule.asks_everybody,
        calls=rule.calls,
        is_cached=rule.cached is not None,
        coalesces=coalesces,
        shares=rule.cached is not None or coalesces,
    )


def _finder(locator: Locator) -> Locator:
    """What finds a key's shard as this locator does: of a plain hash, its compiled part, since most keys go by it."""
    return locator.finder if isinstance(locator, Hash) else locator


def _may_be_meant(name: str, other: str) -> bool:
    """Whether an operation may be meant by a name that is none: of the same method and length, and another path."""
    method, _, template = name.partition(" ")
    other_method, _, other_template = other.partition(" ")
    shapes = {shape_of(template, trailing_slash=True), shape_of(other_template, trailing_slash=True)}
    return method == other_method and name.count("/") == other.count("/") and len(shapes) == 2


def _without_covered(routes: list[Route], shapes: Mapping[str, str]) -> Iterator[Route]:
    """The routes but for those that are not served and whose paths are also another operation's."""
    seen = {shapes[route.name] for route in routes if route.rule is not None}
    for route in routes:
        if route.rule is not None or shapes[route.name] not in seen:
            yield route
        seen.add(shapes[route.name])


def _twins(routes: list[Route], shapes: Mapping[str, str]) -> Iterator[Mistake]:
    """Two templates that differ only in the names of their variables are one path."""
    first: dict[str, str] = {}
    for route in routes:
        twin = first.setdefault(shapes[route.name], route.name)
        if twin != route.name:
            cure = "remove one of the two, or move it to `unserved`: the other is then served"
            if route.template.rstrip("/") == twin.partition(" ")[2].rstrip("/"):
                cure = f"write `trailing_slash: distinct` where the application tells them apart; or {cure}"
            yield Mistake(f"rules.{route.name}", f"it is the same path as {twin}", cure)
