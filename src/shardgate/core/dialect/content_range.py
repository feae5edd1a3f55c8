"""A bare array with its range in a header: `Content-Range: 0-24/3573`, status 206 for a part (as PostgREST)."""

import re
from typing import ClassVar, Literal

from shardgate.core.contracts import Listing, Merged, PastEnd, Streamable
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, Request
from shardgate.core.paging.parameters import Parameters
from shardgate.core.paging.query import encoded
from shardgate.core.replies.fields import with_field

_RANGE = re.compile(r"(?:[A-Za-z]+ )?(?:\*|[0-9]{1,15}-[0-9]{1,15})/(\*|[0-9]{1,15})")


_ASKED = re.compile(r"(?:[A-Za-z]+=)?([0-9]{1,15})-([0-9]{1,15})?")


class ContentRange(Parameters, frozen=True, tag="content_range"):
    """Limit and offset, `order=price.desc,id`."""

    streamable: ClassVar[Streamable] = "with_total"

    suffix: str | None = "."
    """What stands between a sort key and its direction: `name.desc`."""
    past_end: PastEnd = 416
    """The status by which the application refuses a page behind the last row; `last`: it gives the last page."""
    unit: str = ""
    """The unit before the range: `items` in `items 0-24/3573`."""
    partial: int = 206
    """The status of a page that is not the whole list, where the size of the list is stated."""
    ranges: Literal["refuse", "read", "ignore"] = "refuse"
    """The field `Range: 0-24` of a request. `read`: it pages the list, where the query does not; a request with both is
    refused. `ignore`: the application does not read it. `refuse`: it is not known. `Range: bytes=…` is ignored."""

    def __post_init__(self) -> None:
        """A range says how many rows. Raises ValueError."""
        super().__post_init__()
        if self.ranges == "read" and (self.limit is None or self.limit_is == "end"):
            raise ValueError("`ranges: read` needs a `limit` that counts rows")

    @property
    def accepted(self) -> tuple[int, ...]:
        """The statuses of a reply that is a list."""
        return (200, 206)

    def by_parameters(self, request: Request) -> Request:
        """A request that pages by a range, as one that pages by parameters. Raises UnreadablePageError."""
        text = request.fields.values[b"range"].decode("latin-1")
        match = _ASKED.fullmatch(text)
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            accepted = "`Range: 0-24`, or `25-` for all behind, is accepted"
            raise UnreadablePageError(f"`Range: {excerpt(text)}`: {accepted}", about={"field": "Range"})
        if {self.limit, self.offset} & self.values(request).keys():
            problem = f"`Range: {excerpt(text)}` beside `{self.limit}` or `{self.offset}`: one of them is accepted"
            raise UnreadablePageError(problem, about={"field": "Range"})
        parts = [request.query] if request.query else []
        if match[2]:
            parts.append(f"{encoded(self.limit or '')}={int(match[2]) - int(match[1]) + 1}")
        query = "&".join([*parts, f"{encoded(self.offset)}={int(match[1])}"])
        return request.asking(query=query, target=f"{request.path}?{query}".encode())

    @property
    def fields_written(self) -> frozenset[bytes]:
        """The fields of the reply's head that it writes anew."""
        return frozenset({b"content-range"})

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
