"""The reply of the first shard that has the thing: one shard has it and it is not known which, or all have the same.

Holds: "first" is by the order of the configuration, never by speed. Where a shard fails and none before it has the
thing, the failure is the reply, since that shard might have it.
"""

from collections.abc import Sequence
from typing import ClassVar

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.merge.combining import Combining
from shardgate.core.replies.refusals import unite
from shardgate.core.replies.validators import Tagging
from shardgate.core.topology import ShardId

_NO_CONTENT = 204
_NOTHING = frozenset({b"", b"null", b"[]", b"{}"})


class First(Combining, frozen=True, tag="first"):
    """One shard's reply, untouched."""

    tagging: ClassVar[Tagging] = "own"

    not_here: tuple[int, ...] = (404,)
    """The statuses by which a shard says that it does not have the thing."""
    empty: bool | None = None
    """A shard also says so by an empty list, an empty object, `null`, or an empty body. `false`: these are an answer
    like any other. Default: they are, and a reply in which another shard has something is refused (502)."""

    def refusal(self, replies: Sequence[Reply], shards: Sequence[ShardId]) -> Reply | None:
        """None where a shard has the thing and none before it fails; else the refusal that stands for all.

        Raises BrokenReplyError where it is not known whether a shard has the thing.
        """
        for reply in replies:
            if reply.status in self.not_here or self._is_nothing(reply):
                continue
            if reply.status == _NO_CONTENT and any(200 <= each.status < _NO_CONTENT for each in replies):
                detail = "a shard answers 204 (No Content), and another has something"
                raise BrokenReplyError(detail, log="write `not_here: [204, 404]` if 204 says that it has nothing")
            if self.empty is None and self._is_bare(reply) and not all(map(self._is_bare, _successes(replies))):
                detail = "a shard answers with nothing, and another has something"
                raise BrokenReplyError(detail, log="write `empty: true` if that says that it has nothing, or `false`")
            return None if 200 <= reply.status < 300 else unite([reply])
        return None if any(200 <= reply.status < 300 for reply in replies) else unite(replies)

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The reply of the first shard that has the thing; where none has it, the first accepted reply."""
        found = _successes(replies)
        return next((reply for reply in found if not self._is_nothing(reply)), found[0])

    def describe(self) -> str:
        """The merge in one line."""
        return "the reply of the first shard that has it"

    def _is_nothing(self, reply: Reply) -> bool:
        return self.empty is True and self._is_bare(reply)

    def _is_bare(self, reply: Reply) -> bool:
        return 200 <= reply.status < 300 and b"".join(reply.body.split()) in _NOTHING


def _successes(replies: Sequence[Reply]) -> list[Reply]:
    return [reply for reply in replies if 200 <= reply.status < 300]
