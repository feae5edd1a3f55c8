"""A number that a change shares among the parts of an entity: each part gets what it lacks.

    a part needs 60 and has 0, the other needs 40 and has 10: a payment of 90 is 60 for the one, 30 for the other

Holds: the shares add up to the number, to the last unit; otherwise nothing is shared.
"""

from collections.abc import Mapping

import msgspec

from shardgate.core.errors import AmountMismatchError, BrokenReplyError
from shardgate.core.failures.of_shard import of_shard
from shardgate.core.json.number import Number, read_number, write_number
from shardgate.core.json.object import JsonObject
from shardgate.core.topology import ShardId


class Share(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number of the body that is meant for the whole: each part gets what it lacks."""

    member: str
    """The member of the body with the number: `amount`."""
    of: str
    """The member of a part with all that it needs: `price`."""
    less: str | None = None
    """The member of a part with what it has already: `paid`."""
    unless: tuple[str, ...] = ()
    """Members of the body that only a change of one part can have: `[voucher_code]`. A body with one of them is not
    shared."""


def shares(body: JsonObject | None, parts: Mapping[ShardId, bytes], shared: Share) -> dict[ShardId, bytes] | ShardId:
    """The body for each part that lacks something; or the shard that will refuse the whole body in its own words.

    Raises AmountMismatchError where the number is not what all parts lack and no shard is sure to refuse it;
    BrokenReplyError where a part does not say what it lacks.
    """
    amount = None if body is None else _amount(body, shared.member)
    if body is None or amount is None or amount <= 0:
        return next(iter(parts))
    lacks = {shard: _lack(shard, part, shared) for shard, part in parts.items()}
    for_one = any(body.raw(name) not in {None, b"null"} for name in shared.unless)
    if sum(lacks.values()) == amount and not for_one:
        return {shard: body.edited({shared.member: write_number(lack)}) for shard, lack in lacks.items() if lack}
    least = min(lacks, key=lacks.__getitem__)
    if lacks[least] < amount:
        return least
    raise AmountMismatchError(
        f"the member `{shared.member}` is not what all parts lack", about={"member": shared.member}
    )


def _amount(body: JsonObject, member: str) -> Number | None:
    raw = body.raw(member)
    try:
        return None if raw is None else read_number(raw)
    except (ValueError, ArithmeticError):  # an exponent may be larger than any number that can be read
        return None


def _lack(shard: ShardId, part: bytes, shared: Share) -> int:
    """What a part lacks, in whole units. Raises BrokenReplyError."""
    with of_shard(shard):
        document = JsonObject(part)
        needs, has = document.number(shared.of), document.number(shared.less) if shared.less else 0
        if needs is None or has is None:
            lacking = shared.of if needs is None else shared.less
            raise BrokenReplyError(f"a part does not say its {lacking}", where=f"member `{lacking}`")
        return needs - has
