"""Lists in an object: `{"data": [...], "pagination": {"total": 9, "limit": 3, "offset": 0, "has_more": true}}`."""

from shardgate.core.contracts import Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.parameters import Parameters


class Envelope(Parameters, frozen=True, tag="envelope"):
    """Limit and offset; the body is an object with the list. Members are named by path: `pagination.total`."""

    items: str = "items"
    """The member with the list."""
    total: str | None = "total"
    """The member with the size of the filtered list. A body without it states no size."""
    has_more: str | None = None
    """The member that says whether there are rows behind the page; null: there is no such member."""
    limit_echo: str | None = None
    """The member that repeats the limit; null: there is no such member."""
    offset_echo: str | None = None
    """The member that repeats the offset; null: there is no such member."""

    def open(self, reply: Reply) -> Listing:
        """The list, its size, and whether there is more. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        return Listing(body.value(self.items), body.number(self.total), body.flag(self.has_more))

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows."""
        page = merged.page
        changes: dict[str | None, object] = {
            self.items: merged.rows,
            self.total: merged.total,
            self.has_more: merged.more,
            self.limit_echo: page.limit,
            self.offset_echo: page.offset,
        }
        return Reply(200, list(merged.reply.fields), JsonObject(merged.reply.body).edited(changes))
