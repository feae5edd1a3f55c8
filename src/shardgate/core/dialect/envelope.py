"""Lists in an object: `{"data": [...], "pagination": {"total": 9, "limit": 3, "offset": 0, "has_more": true}}`."""

from shardgate.core.contracts import Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.parameters import Parameters


class Envelope(Parameters, frozen=True, tag="envelope"):
    """Limit and offset; the rows and their number stand in the body. Members are named by path: `pagination.total`."""

    items: str = "items"
    total: str | None = "total"
    """The size of the filtered collection; where the body has no such member, none is told."""
    has_more: str | None = None
    limit_echo: str | None = None
    offset_echo: str | None = None

    def open(self, reply: Reply) -> Listing:
        """The list under its path, and what stands beside it. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        return Listing(body.array(self.items), body.number(self.total), body.flag(self.has_more))

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
