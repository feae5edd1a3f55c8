"""The first that has it: something that one shard holds, and nobody knows which; or that all hold alike.

Holds: *first* is the order of the configuration, never who was quicker. Where a shard fails, and none before it has it,
nobody can say who is first: the failure is the reply.
"""

from collections.abc import Sequence

from shardgate.core.http import Reply
from shardgate.core.merge.combining import Combining
from shardgate.core.replies.refusals import unite

_NOTHING = frozenset({b"", b"null", b"[]", b"{}"})


class First(Combining, frozen=True, tag="first"):
    """One shard's reply, untouched."""

    not_found: tuple[int, ...] = (404,)
    """The statuses by which an instance says that it has nothing."""
    empty: bool = False
    """An empty list, an empty object, null and an empty body say so too."""

    def refusal(self, replies: Sequence[Reply]) -> Reply | None:
        """None where one of the shards has it, and none before it fails."""
        for reply in replies:
            if reply.status in self.not_found or self._is_nothing(reply):
                continue
            return None if 200 <= reply.status < 300 else unite([reply])
        return None if any(200 <= reply.status < 300 for reply in replies) else unite(replies)

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The first that has it; where all that answered have nothing, the first of those."""
        found = [reply for reply in replies if 200 <= reply.status < 300]
        return next((reply for reply in found if not self._is_nothing(reply)), found[0])

    def describe(self) -> str:
        """The merge in one line."""
        return "the reply of the first shard that has it"

    def _is_nothing(self, reply: Reply) -> bool:
        return self.empty and 200 <= reply.status < 300 and b"".join(reply.body.split()) in _NOTHING
