"""Which item a refusal means: a shard counts the items of its own part, the client those of its request.

Never: guesses how an application writes it: the rule says so (`position`).
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from shardgate.core.http import Reply

PLACE = "{n}"
"""What stands for the number in a form: `items.{n}`."""


def renumbered(reply: Reply, form: str | None, positions: Sequence[int]) -> Reply:
    """The refusal of a part with the numbers of the whole; `positions`: where the part's items stand in it."""
    if form is None or reply.status < 400 or list(positions) == list(range(len(positions))):
        return reply

    def whole(match: re.Match[bytes]) -> bytes:
        number = int(match[2])
        return match[1] + b"%d" % (positions[number] if number < len(positions) else number)

    return msgspec.structs.replace(reply, body=_pattern(form).sub(whole, reply.body))


def position_of(reply: Reply, form: str | None) -> int | None:
    """The item that a refusal means first; None where it means none."""
    match = None if form is None else _pattern(form).search(reply.body)
    return None if match is None else int(match[2])


def says_the_same(one: Reply, other: Reply, form: str) -> bool:
    """Whether two refusals differ in nothing but the item that they mean."""
    bodies = {_pattern(form).sub(rb"\1", reply.body) for reply in (one, other)}
    return one.status == other.status and len(bodies) == 1


@lru_cache(maxsize=64)
def _pattern(form: str) -> re.Pattern[bytes]:
    """A form is the configuration's, so that there are few."""
    before, _, after = form.partition(PLACE)
    return re.compile(rb"(?<![\w.])(%s)(\d{1,6})(?=%s)(?!\d)" % (re.escape(before.encode()), re.escape(after.encode())))
