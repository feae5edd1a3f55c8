"""What rules refer to by name: locator chains and dialects."""

from collections.abc import Iterator
from typing import Any, get_args

from shardgate.core.cursors.seal import Seal
from shardgate.core.dialect import AnyDialect
from shardgate.core.locate import AnyLocator
from shardgate.core.locate.probe import Probe
from shardgate.core.routes.mistakes import Mistake, choose
from shardgate.core.routes.route import Chains
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rulebook.document import Plain, Rulebook

_SEALED = {str(kind.__struct_config__.tag) for kind in get_args(AnyDialect) if "seal" in kind.__struct_fields__}
_UNKNOWN: Plain = {"kind": "offset"}
"""Stands for a dialect with a mistake, so that the rest of the rule is checked."""


def read_chains(book: Rulebook, mistakes: list[Mistake]) -> Chains:
    """The locator chains without a mistake."""
    chains = {}
    for name, given in book.locators.items():
        place = book.places.get(f"locators.{name}", f"locators.{name}")
        before = len(mistakes)
        chain: tuple[AnyLocator, ...] | None = convert_all(given, tuple[AnyLocator, ...], place, mistakes)
        if chain is not None and len(mistakes) == before:
            mistakes += [mistake.under(place) for mistake in _check_chain(chain)]
            chains[name] = chain
    return chains


def _check_chain(chain: tuple[AnyLocator, ...]) -> Iterator[Mistake]:
    if not chain:
        yield Mistake("", "the chain is empty", "add `- kind: directory`")
    for number, locator in enumerate(chain):
        if isinstance(locator, Probe) and not (locator.path.startswith("/") and "{key}" in locator.path):
            problem = f"{locator.path!r} is no path with a key in it: it would be found everywhere, or nowhere"
            yield Mistake(f"[{number}].path", problem, "write it as `/events/{key}`")


def with_dialect(rule: Any, dialects: Plain, place: str, mistakes: list[Mistake]) -> Any:
    """The rule with the dialect in place of its name."""
    for member in ("merge", "parts"):
        merge = rule.get(member) if isinstance(rule, dict) else None
        name = merge.get("dialect") if isinstance(merge, dict) else None
        if not isinstance(merge, dict) or not isinstance(name, str):
            continue
        if name not in dialects:
            cure = choose(name, dialects)
            mistakes.append(Mistake(f"{place}.{member}.dialect", f"no dialect is named {name!r}", cure))
        rule = {**rule, member: {**merge, "dialect": dialects.get(name, _UNKNOWN)}}
    return rule


def with_seal(rule: Any, seal: Seal | None, place: str, mistakes: list[Mistake]) -> Any:
    """The rule, whose dialect has the secret that it signs its cursors with."""
    merge = rule.get("merge") if isinstance(rule, dict) else None
    dialect = merge.get("dialect") if isinstance(merge, dict) else None
    if not isinstance(merge, dict) or not isinstance(dialect, dict) or dialect.get("kind") not in _SEALED:
        return rule
    if "seal" in dialect:
        mistakes.append(Mistake(f"{place}.merge.dialect.seal", "it is not written here", "write `cursors`"))
    if seal is None:
        cure = "add `cursors: {secret_file: cursor.secret}`, the same secret for every worker and every gateway"
        mistakes.append(Mistake(f"{place}.merge.dialect", "its cursors are signed, and there is no secret", cure))
    return {**rule, "merge": {**merge, "dialect": {**dialect, "seal": seal or Seal((b"",), 0)}}}
