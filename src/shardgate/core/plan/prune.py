"""Narrows a list to the shards that own the tenants or ids named by its filters, its path or the client's token.

Holds: every row that the filters let through is on a shard that is asked. All shards are asked where the shard of a
value is not certain, or where an application may read a parameter differently: slower, never wrong. The shard of an id
that is only remembered is a guess: the page must show that id, or all shards are asked after all.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import unquote_plus

import msgspec

from shardgate.core.clients.claims import Claims, bound_keys, keys_in
from shardgate.core.contracts import UNKNOWN, AskAll, Known
from shardgate.core.errors import BoundClientError, TooComplexError
from shardgate.core.excerpt import excerpt
from shardgate.core.locate.learned import Learned
from shardgate.core.paging.query import parts_of
from shardgate.core.routes.route import Filter
from shardgate.core.topology import ShardId
from shardgate.core.twins import is_twin


class Pruned(msgspec.Struct, frozen=True):
    """The shards that are left, the reasons, and the ids that a page must show for that to be right."""

    shards: tuple[ShardId, ...]
    reasons: tuple[str, ...]
    hoped: frozenset[str] = frozenset()
    """Ids whose shard is only remembered."""


def prune(
    filters: Sequence[Filter],
    query: str,
    known: Known,
    claims: Claims | None = None,
    variables: Mapping[str, str] | None = None,
    binding: frozenset[str] = frozenset(),
) -> Pruned | None:
    """The shards to ask; None: all. `binding`: the claims that bind the client. Raises BoundClientError."""
    if (
        not binding
        and "%" not in query
        and not any(each.parameter in query or (each.claim and claims) or each.variable for each in filters)
    ):
        return None
    try:
        parts = parts_of(query)
    except TooComplexError:
        if binding:
            raise
        return None  # an application may read the first thousand, and drop the others
    left, reasons = set(known.topology.ids), []
    hoped: set[str] = set()
    allowed = _allowed(filters, known, claims, binding)
    if not left <= allowed:
        left &= allowed
        reasons.append(
            f"the token binds its client to what {' and '.join(sorted(allowed))} own{'s' * (len(allowed) == 1)}"
        )
    for each in filters:
        owners = _owners(each, parts, known, claims, variables or {})
        if owners is None or left <= owners[0]:
            continue
        left &= owners[0] or left
        hoped |= owners[1]
        reasons.append(
            f"{each.parameter} names what {' and '.join(sorted(owners[0]))} own{'s' * (len(owners[0]) == 1)}"
        )
    if not reasons:
        return None
    # Filters that exclude each other leave nothing: any shard can give the empty list, in the application's own words.
    shards = tuple(shard for shard in known.topology.ids if shard in left)
    shards = shards or tuple(shard for shard in known.topology.ids if shard in allowed)[:1]
    return Pruned(shards, tuple(reasons), frozenset(hoped))


def _allowed(
    filters: Sequence[Filter], known: Known, claims: Claims | None, binding: frozenset[str]
) -> frozenset[ShardId]:
    """The shards of the keys that the client is bound to; all where it is not. Raises BoundClientError."""
    left = frozenset(known.topology.ids)
    for each in filters:
        if each.claim not in binding:
            continue
        keys = bound_keys(claims, each.claim)
        certain = msgspec.structs.replace(each, shown=False)
        owners = {key: _owner(certain, key, known)[0] for key in keys}
        unknown = next((key for key, owner in owners.items() if owner is None), None)
        if unknown is not None:
            detail = f"no shard owns the key `{excerpt(unknown)}`, to which the token binds its client"
            raise BoundClientError(detail, about={"key": excerpt(unknown)})
        left &= {owner for owner in owners.values() if owner is not None}
    return left


def _owners(
    each: Filter,
    parts: Sequence[str],
    known: Known,
    claims: Claims | None,
    variables: Mapping[str, str],
) -> tuple[frozenset[ShardId], frozenset[str]] | None:
    """The owners of all keys that a parameter names, and the keys whose owner is only remembered.

    None where an owner is not known.
    """
    keys = _keys(each, parts, claims, variables)
    if keys is None:
        return None
    owners: set[ShardId] = set()
    hoped: set[str] = set()
    for key in dict.fromkeys(keys):
        owner, certain = _owner(each, key, known)
        if owner is None:
            return None
        owners.add(owner)
        if not certain:
            hoped.add(key)
    return (frozenset(owners), frozenset(hoped)) if owners else None


def _keys(each: Filter, parts: Sequence[str], claims: Claims | None, variables: Mapping[str, str]) -> list[str] | None:
    """The keys that a filter names; None where an application may read others."""
    keys = [*keys_in(claims, each.claim)] if each.claim else []
    if each.variable in variables:
        keys.append(variables[each.variable])
    for part in parts:
        raw, _, text = part.partition("=")
        name, value = _decoded(raw), _decoded(text)
        if name in each.unless:
            return None
        if each.claim or each.variable:
            continue
        if is_twin(name, each.parameter) or (";" in part and each.separator != ";"):
            return None  # some parsers separate parameters by `;`
        if name == each.parameter:
            # An application may read the first of several, the last or all: the owners of all cover each way.
            keys += value.split(each.separator) if each.separator else [value]
    return keys


def _decoded(text: str) -> str:
    return unquote_plus(text, errors="surrogateescape") if "%" in text or "+" in text else text


def _owner(each: Filter, key: str, known: Known) -> tuple[ShardId | None, bool]:
    """The shard, and whether it is certain: it is not where it is only remembered, and no other locator knows more."""
    guess: ShardId | None = None
    for locator in each.locators:
        place = locator.locate(each.space, key, known)
        remembered = isinstance(locator, Learned)
        if place is UNKNOWN or (remembered and not each.shown):
            continue
        if isinstance(place, AskAll):
            return guess, False
        if place not in known.topology.shards:
            return None, False
        if not remembered:
            return place, True
        guess = place
    return guess, False
