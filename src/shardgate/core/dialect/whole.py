"""A bare array that is always whole: the application has no pages, and clients choose neither order nor properties.

Holds: every parameter goes to every shard as the client wrote it, or is refused because it seems to page.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

from shardgate.core.contracts import Listing, Merged, Page, Strategy, Streamable
from shardgate.core.errors import UnreadablePageError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, Request
from shardgate.core.paging.known_names import may_page
from shardgate.core.paging.query import pairs_of


class Whole(Strategy, frozen=True, tag="whole"):
    """The body is the whole list, in its default order."""

    posted: ClassVar[bool] = False
    streamable: ClassVar[Streamable] = "never"
    finds_last: ClassVar[bool] = False

    passes: tuple[str, ...] = ()
    """Parameters by whose names widespread applications page, and which this one ignores, or filters by: they reach the
    shards as they came. Without it a request with such a parameter, and a number in it, is refused. So are fields of
    the request's head, which this names, too: `X-Page`."""
    names: Literal["strict", "exact"] = "strict"
    """`exact`: the application reads no parameter and no field of the head that pages, whatever its name. All reach the
    shards as they came, and none is refused."""

    @property
    def accepted(self) -> tuple[int, ...]:
        """The statuses of a reply that is a list."""
        return (200,)

    @property
    def past_end(self) -> int | None:
        """None: there are no pages."""
        return None

    @property
    def limit_default(self) -> None:
        """None: every reply has all rows."""
        return None

    @property
    def limit_max(self) -> None:
        """None: every reply has all rows."""
        return None

    @property
    def fields_always(self) -> tuple[str, ...]:
        """Nothing: clients choose no properties."""
        return ()

    def read(self, request: Request) -> Page:
        """All rows, in the list's default order.

        Raises UnreadablePageError where a parameter seems to page: each shard would page its own rows.
        """
        asked = pairs_of(request.query) if request.query and self.names == "strict" else ()
        for name, value in asked:
            if name not in self.passes and may_page(name, value):
                detail = f"the parameter `{excerpt(name)}` is not accepted: this list has no pages"
                raise UnreadablePageError(detail, about={"parameter": excerpt(name)})
        return Page(0, None, (), None)

    def problem(self, request: Request) -> str:
        """Never asked: every request can be read."""
        return ""

    def unpaged(self, request: Request) -> str:
        """The list without its page: path and query."""
        return f"{request.path}?{request.query}"

    def cover(self, start: int, count: int | None) -> tuple[int, int | None]:
        """All rows come in one request."""
        return start, count

    def ask(self, request: Request, page: Page, fields: Sequence[str] | None) -> tuple[bytes, bytes]:
        """The client's own target."""
        return request.target, b""

    def open(self, reply: Reply) -> Listing:
        """The body."""
        return Listing(reply.body)

    def sizes(self, replies: Sequence[Reply]) -> list[int | None]:
        """None of them states its size."""
        return [None] * len(replies)

    def refused(self, reply: Reply, total: int) -> Reply:
        """Never asked: there are no pages."""
        return reply

    def close(self, merged: Merged) -> Reply:
        """The rows."""
        return Reply(200, list(merged.reply.fields), merged.rows)
