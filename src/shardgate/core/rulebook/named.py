"""What rules refer to by name: locator chains and dialects."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, get_args

from shardgate.core.cursors.seal import Seal
from shardgate.core.dialect import AnyDialect
from shardgate.core.dialect.id_cursor import IdCursor
from shardgate.core.limits import BULK_KEYS_ALLOWED_MAX, BULK_TARGET_BYTES_MAX
from shardgate.core.locate import AnyLocator
from shardgate.core.locate.bulk import Bulk
from shardgate.core.locate.prefix import Prefix
from shardgate.core.locate.probe import Probe
from shardgate.core.routes.mistakes import Mistake, choose
from shardgate.core.routes.route import Chains
from shardgate.core.routes.targets import check_target
from shardgate.core.rulebook.complaints import replaced, written
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rulebook.document import Rulebook
from shardgate.core.rulebook.references import Plain
from shardgate.core.rulebook.shape import Steps

_SEALED = {str(kind.__struct_config__.tag) for kind in get_args(AnyDialect) if "seal" in kind.__struct_fields__}
_UNKNOWN: Plain = {"kind": "offset"}
"""Stands for a dialect with a mistake, so that the rest of the rule is checked."""


def read_chains(book: Rulebook, shards: Collection[str], mistakes: list[Mistake]) -> Chains:
    """The locator chains, as far as they could be read."""
    chains = {}
    for name, given in book.locators.items():
        place = book.places.get(f"locators.{name}", f"locators.{name}")
        before = len(mistakes)
        chain: tuple[AnyLocator, ...] | None = convert_all(given, tuple[AnyLocator, ...], place, mistakes)
        if chain is not None and len(mistakes) == before:
            mistakes += [mistake.under(place) for mistake in _check_chain(chain, shards)]
            chains[name] = chain
    return chains


def _check_chain(chain: tuple[AnyLocator, ...], shards: Collection[str]) -> Iterator[Mistake]:
    if not chain:
        yield Mistake("", "the chain is empty", "add `- kind: directory`")
    for number, locator in enumerate(chain):
        for shard in getattr(locator, "pinned", tuple)():
            if shards and shard not in shards:
                yield Mistake(f"[{number}]", f"no shard is named {shard!r}", choose(shard, shards))
        if isinstance(locator, Prefix) and not locator.separator:
            cure = "write the character that ends the prefix, like `-`"
            yield Mistake(f"[{number}].separator", "it is empty, so that no prefix ends", cure)
        if isinstance(locator, Probe):
            yield from (mistake.under(f"[{number}]") for mistake in _check_probe(locator))


def _check_probe(probe: Probe) -> Iterator[Mistake]:
    if probe.by_headers:
        if "{" in probe.path:
            problem = f"{probe.path!r} names a key, and `by_headers` asks without one"
            yield Mistake("path", problem, "write a path like `/me`, or remove `by_headers`")
        yield from check_target("path", probe.path, "/me", [])
    elif not (probe.path.startswith("/") and "{key}" in probe.path):
        problem = f"{probe.path!r} is no path with a key in it: it would be found everywhere, or nowhere"
        yield Mistake("path", problem, "write it as `/events/{key}`")
    else:
        yield from check_target("path", probe.path, "/events/{key}", ["key"])
    if probe.bulk is not None:
        yield from (mistake.under("bulk") for mistake in _check_bulk(probe.bulk))


def _check_bulk(bulk: Bulk) -> Iterator[Mistake]:
    """What would make lists of keys that no application reads, or that say nothing of the keys."""
    example = "/events?id={keys}"
    if bulk.path.count("{keys}") != 1:
        yield Mistake("path", f"{bulk.path!r} does not say once where the keys stand", f"write it as `{example}`")
    else:
        yield from check_target("path", bulk.path, example, ["keys"])
    if len(bulk.path) > BULK_TARGET_BYTES_MAX // 2:
        yield Mistake("path", "it leaves no room for keys", f"write at most {BULK_TARGET_BYTES_MAX // 2} characters")
    if bulk.separator == "":
        cure = "write what stands between two keys, or null where the parameter is repeated"
        yield Mistake("separator", "an empty text divides nothing", cure)
    if bulk.separator is None and "{keys}" in bulk.path and bulk.parameter() is None:
        problem = f"{bulk.path!r} has no parameter that could be repeated for each key"
        yield Mistake("separator", problem, f"write the path as `{example}`, or a separator")
    if not bulk.key:
        yield Mistake("key", "it is empty", "write the member of a row that is its key, such as `id`")
    if not 2 <= bulk.keys_max <= BULK_KEYS_ALLOWED_MAX:
        cure = f"write how many keys the application takes at once, from 2 to {BULK_KEYS_ALLOWED_MAX}"
        yield Mistake("keys_max", f"{bulk.keys_max} keys are not asked for at once", cure)
    if bulk.rows_max is not None and bulk.rows_max < 1:
        cure = "write how many rows one reply of the application has, or null"
        yield Mistake("rows_max", "a list has at least one row", cure)


def read_dialects(book: Rulebook, mistakes: list[Mistake]) -> dict[str, Any]:
    """The dialects, each with its secret; None for one with a mistake."""
    dialects: dict[str, Any] = {}
    for name, given in book.dialects.items():
        place = book.places.get(f"dialects.{name}", f"dialects.{name}")
        before = len(mistakes)
        plain = sealed(given, book.seal, place, mistakes)
        dialect: AnyDialect | None = convert_all(plain, AnyDialect, place, mistakes)
        if dialect is not None and len(mistakes) == before:
            mistakes += [mistake.under(place) for mistake in check_dialect(dialect)]
        dialects[name] = plain if len(mistakes) == before else None
    return dialects


def check_dialect(dialect: Any) -> Iterator[Mistake]:
    """What msgspec does not find in a dialect; paths begin at the dialect."""
    default, most = getattr(dialect, "limit_default", None), getattr(dialect, "limit_max", None)
    for field, size in (("limit_default", default), ("limit_max", most)):
        if size is not None and size < 1:
            yield Mistake(field, "a page has at least one row", "write the number that the application takes, or null")
    if default is not None and most is not None and default > most > 0:
        problem = f"the application gives {default} rows without being asked, and at most {most}"
        yield Mistake("limit_default", problem, f"write at most {most}, or a greater `limit_max`")
    if isinstance(dialect, IdCursor) and dialect.row is not None:
        yield from check_target("row", dialect.row, "/events/{id}", ["id"])


MERGE_FIELDS: Final = ("merge", "by_post", "parts")
"""The fields of rules that may have a merge."""


def merges_of(rule: Any) -> Iterator[tuple[Steps, dict[str, Any]]]:
    """The merges of a rule, as it is written, and where they stand; one that is chosen before its choices."""
    for member in MERGE_FIELDS:
        merge = rule.get(member) if isinstance(rule, dict) else None
        if not isinstance(merge, dict):
            continue
        yield (member,), merge
        choices = merge.get("choices") if merge.get("kind") == "chosen" else None
        inner = [((member, "choices", n, "merge"), _of(each, "merge")) for n, each in enumerate(_listed(choices))]
        for steps, each in [*inner, ((member, "otherwise"), _of(merge, "otherwise"))]:
            if merge.get("kind") == "chosen" and isinstance(each, dict):
                yield steps, each


def dialect_of(rule: Any) -> Iterator[tuple[Steps, Any]]:
    """Where the merges of a rule, as it is written, have a dialect; and the dialect, or its name."""
    for steps, merge in merges_of(rule):
        if "dialect" in merge and merge.get("kind") != "chosen":
            yield (*steps, "dialect"), merge["dialect"]


def with_dialect(
    rule: Any, dialects: Plain, seal: Seal | None, place: str, mistakes: list[Mistake]
) -> tuple[Any, bool]:
    """The rule with the dialect in place of its name; and whether that could be done."""
    known = True
    for steps, given in dialect_of(rule):
        where, dialect = f"{place}{written(steps)}", given
        if not isinstance(given, str):
            dialect = sealed(given, seal, where, mistakes)
        elif given not in dialects:
            cure = choose(given, dialects) if dialects else f"add `{given}: {{kind: offset}}` under `dialects`"
            mistakes.append(Mistake(where, f"no dialect is named {given!r}", cure))
        if isinstance(given, str):
            dialect = dialects.get(given)
        known &= dialect is not None
        rule = replaced(rule, steps, _UNKNOWN if dialect is None else dialect)
    return rule, known


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _of(value: Any, member: str) -> Any:
    return value.get(member) if isinstance(value, dict) else None


def sealed(dialect: Any, seal: Seal | None, place: str, mistakes: list[Mistake]) -> Any:
    """The dialect with the secret that it signs its cursors with, where it does."""
    if not isinstance(dialect, dict) or dialect.get("kind") not in _SEALED:
        return dialect
    if "seal" in dialect:
        mistakes.append(Mistake(f"{place}.seal", "it is not written here", "remove it, and write `cursors`"))
    if seal is None:
        cure = "add `cursors: {secret_file: cursor.secret}`, the same secret for every worker and every gateway"
        mistakes.append(Mistake(place, "its cursors are signed, and there is no secret", cure))
    return {**dialect, "seal": seal or Seal((b"",), 0)}
