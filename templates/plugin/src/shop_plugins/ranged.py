"""A dialect: `GET /products?skip=20&take=10` gives `{"range": "20-29/42", "items": [...]}`."""

import re

from shardgate.extend import BrokenReplyError, JsonObject, Listing, Merged, Parameters, Reply

_RANGE = re.compile(rb'"[^"/]*/([0-9]{1,15})"')


class Ranged(Parameters, frozen=True):
    """Offset and limit under other names; the rows and their range stand in the body."""

    offset: str = "skip"
    limit: str = "take"

    def open(self, reply: Reply) -> Listing:
        body = JsonObject(reply.body)
        stated = _RANGE.fullmatch(body.value("range"))
        if stated is None:
            raise BrokenReplyError("a shard's list does not state its size", where="member `range`")
        return Listing(body.value("items"), int(stated[1]))

    def close(self, merged: Merged) -> Reply:
        first = merged.page.offset
        shown = f"{first}-{first + merged.shown - 1}" if merged.shown else "*"
        body = JsonObject(merged.reply.body).edited({"range": f"{shown}/{merged.total}", "items": merged.rows})
        return Reply(200, list(merged.reply.fields), body)
