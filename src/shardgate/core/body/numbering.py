"""The number of the item that a refusal names: a shard counts the items it was sent, the client those of its request.

Never: guesses how an application writes the number; the rule says so (`position`).
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from shardgate.core.http import Reply

PLACE = "{n}"
"""Stands for the number in a form: `items.{n}`."""


def renumbered(reply: Reply, form: str | None, positions: Sequence[int]) -> Reply:
    """A shard's refusal, with the numbers of the client's items; `positions`: where the shard's items stand among
    them."""
    if form is None or reply.status < 400 or list(positions) == list(range(len(positions))):
        return reply

    def whole(match: re.Match[bytes]) -> bytes:
        number = int(match[2])
        return match[1] + b"%d" % (positions[number] if number < len(positions) else number)

    return msgspec.structs.replace(reply, body=_pattern(form).sub(whole, reply.body))


def position_of(reply: Reply, form: str | None) -> int | None:
    """The number of the first item that a refusal names; None where it names none."""
    match = None if form is None else _pattern(form).search(reply.body)
    return None if match is None else int(match[2])


def says_the_same(one: Reply, other: Reply, form: str) -> bool:
    """Whether two refusals differ only in the item that they name."""
    bodies = {_pattern(form).sub(rb"\1", reply.body) for reply in (one, other)}
    return one.status == other.status and len(bodies) == 1


@lru_cache(maxsize=64)
def _pattern(form: str) -> re.Pattern[bytes]:
    """Finds the number in a text. Forms come from the configuration: there are few."""
    before, _, after = form.partition(PLACE)
    return re.compile(rb"(?<![\w.])(%s)(\d{1,6})(?=%s)(?!\d)" % (re.escape(before.encode()), re.escape(after.encode())))
