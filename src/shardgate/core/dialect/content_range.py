"""A bare array with its range in a header: `Content-Range: 0-24/3573`, status 206 for a part (as PostgREST)."""

import re
from typing import ClassVar

from shardgate.core.contracts import Listing, Merged, PastEnd, Streamable
from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.paging.parameters import Parameters
from shardgate.core.replies.fields import with_field

_RANGE = re.compile(r"(?:[A-Za-z]+ )?(?:\*|[0-9]{1,15}-[0-9]{1,15})/(\*|[0-9]{1,15})")


class ContentRange(Parameters, frozen=True, tag="content_range"):
    """Limit and offset, `order=price.desc,id`. A `Range` header of the request is ignored, as HTTP allows."""

    streamable: ClassVar[Streamable] = "with_total"

    suffix: str | None = "."
    """What stands between a sort key and its direction: `name.desc`."""
    past_end: PastEnd = 416
    """The status by which the application refuses a page behind the last row; `last`: it gives the last page."""
    unit: str = ""
    """The unit before the range: `items` in `items 0-24/3573`."""
    partial: int = 206
    """The status of a page that is not the whole list, where the size of the list is stated."""

    @property
    def accepted(self) -> tuple[int, ...]:
        """The statuses of a reply that is a list."""
        return (200, 206)

    def open(self, reply: Reply) -> Listing:
        """The body, and the size that Content-Range states (`*` states none). Raises BrokenReplyError."""
        value = reply.field(b"content-range")
        match = None if value is None else _RANGE.fullmatch(value.decode("latin-1"))
        if match is None:
            raise BrokenReplyError(
                "a shard's Content-Range is missing, or cannot be read",
                where="header Content-Range",
                log=f"found `{excerpt(value or b'')}`, expected `0-24/3573`, `0-24/*` or `*/3573`",
            )
        return Listing(reply.body, None if match[1] == "*" else int(match[1]))

    def refused(self, reply: Reply, total: int) -> Reply:
        """The refusal, with the size of the whole list in Content-Range: `*/3573`."""
        with_field(reply, "Content-Range", f"{self.unit} */{total}".lstrip().encode())
        return reply

    def close(self, merged: Merged) -> Reply:
        """The rows, and their range in the whole list."""
        first, total = merged.page.offset, merged.total
        rows = f"{first}-{first + merged.shown - 1}" if merged.shown else "*"
        content_range = f"{self.unit} {rows}".lstrip() + f"/{'*' if total is None else total}"
        status = 200 if total is None or merged.shown >= total else self.partial
        reply = Reply(status, list(merged.reply.fields), merged.rows)
        with_field(reply, "Content-Range", content_range.encode())
        return reply
