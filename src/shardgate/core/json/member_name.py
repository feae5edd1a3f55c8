"""The name of a member, as it stands in an object of a shard: how it is passed over.

Holds: no look back, and a bound: without them a name of 8 MB takes a second and a gigabyte.
"""

import re
from typing import Final

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.limits import MEMBER_NAME_MAX

NAME: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
"""The pattern of a name with its quotes."""
FIRST_MEMBER_BYTES_MAX: Final = 64 * 1024
"""How far is looked for the name of the first member, where only the white space around it is of interest."""
_NAME = re.compile(rb"[ \t\r\n]*+(%b)[ \t\r\n]*+:[ \t\r\n]*+" % NAME)


def behind_name(text: bytes, position: int, name: str) -> int | None:
    """Where the value begins of the member with this name, which stands at the position; None: it does not stand there.

    Raises BrokenReplyError where the name is too long.
    """
    if len(name) > MEMBER_NAME_MAX:
        problem = f"a shard's reply has a member whose name is longer than {MEMBER_NAME_MAX} characters"
        raise BrokenReplyError(problem, where=f"byte {position}", log=f"{len(name)} characters: `{excerpt(name)}`")
    match = _NAME.match(text, position)
    return None if match is None or msgspec.json.decode(match[1]) != name else match.end()
