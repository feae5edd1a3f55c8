"""A count: the body is a number, or the number is a member of it, or a header of the reply. Counts add up."""

from collections.abc import Sequence

from shardgate.core.http import Reply
from shardgate.core.json.number import add, write_number
from shardgate.core.json.object import JsonObject
from shardgate.core.merge.combining import Aggregating, with_body
from shardgate.core.replies.fields import read_count, with_field


class Count(Aggregating, frozen=True, tag="count"):
    """The sum of the shards' counts: `{"count": 12}`."""

    member: str | None = None
    """The path of the member with the count. Null: the whole body is the number, unless `header` is set."""
    header: str | None = None
    """The reply header with the count: `X-Total-Count`. Where only `header` is set, all shards' bodies must be the
    same; null: no header counts."""

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The sum. Raises BrokenReplyError, ValueError."""
        reply = with_body(replies[0], self._body(replies))
        if self.header is not None:
            counts = [count for each in replies if (count := read_count(each, self.header)) is not None]
            if 0 < len(counts) < len(replies):
                raise ValueError(f"{len(replies) - len(counts)} of {len(replies)} shards state no {self.header}")
            with_field(reply, self.header, b"%d" % sum(counts) if counts else None)
        return reply

    def describe(self) -> str:
        """The merge in one line."""
        names = [name for name in (self.member, self.header) if name is not None]
        return f"the sum of the counts in {' and '.join(names) or 'the body'}"

    def _body(self, replies: Sequence[Reply]) -> bytes:
        bodies = [reply.body for reply in replies]
        if self.member is not None:
            documents = [JsonObject(body) for body in bodies]
            total = add([document.value(self.member) for document in documents])
            return documents[0].edited({self.member: write_number(total)})
        if self.header is None:
            first = bodies[0]
            start = len(first) - len(first.lstrip())
            return first[:start] + write_number(add([body.strip() for body in bodies])) + first[len(first.rstrip()) :]
        if len(set(bodies)) > 1:
            raise ValueError("the bodies differ, and the rule names no member to add")
        return bodies[0]
