"""Bare arrays that are always whole: the application has no pages, no order to choose and no properties to choose.

Holds: no parameter is the gateway's; each goes to every shard as the client wrote it.
"""

from collections.abc import Sequence
from typing import ClassVar

from shardgate.core.contracts import Ahead, Listing, Merged, Page, Strategy
from shardgate.core.http import Reply, Request


class Whole(Strategy, frozen=True, tag="whole"):
    """The body is the list, and all of it."""

    posted: ClassVar[bool] = False
    ahead: ClassVar[Ahead] = "never"

    @property
    def accepted(self) -> tuple[int, ...]:
        """The statuses of a reply that is a list."""
        return (200,)

    @property
    def past_end(self) -> int | None:
        """There is no page behind the end."""
        return None

    @property
    def limit_default(self) -> None:
        """No limit is ever told."""
        return None

    @property
    def limit_max(self) -> None:
        """No request is cut."""
        return None

    def read(self, request: Request) -> Page:
        """All rows, in the list's default order."""
        return Page(0, None, (), None)

    def unpaged(self, request: Request) -> str:
        """What a list is known by."""
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

    def refused(self, reply: Reply, total: int) -> Reply:
        """Never asked: there is no page behind the end."""
        return reply

    def close(self, merged: Merged) -> Reply:
        """The rows."""
        return Reply(200, list(merged.reply.fields), merged.rows)
