"""A dialect that is a plug-in. config/plugins.py makes the plug-in when the configuration is read.

Holds: what the plug-in returns is checked, so that a shard is sent one request, and the client one reply
(core/guard.py says what becomes of errors).
Never: imports anything.
"""

from collections.abc import Sequence
from typing import Any

from shardgate.core.contracts import UNKNOWN, Listing, Merged, Page, PastEnd, Strategy, Streamable, Unknown
from shardgate.core.errors import BrokenReplyError
from shardgate.core.guard import PluginError, call, is_target, misfit
from shardgate.core.http import Reply, Request
from shardgate.core.paging.parameters import Parameters
from shardgate.core.replies.foreign import checked

_OF_A_REPLY = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)


class CustomDialect(Strategy, frozen=True, tag="custom"):
    """`{kind: custom, class: "package.module:Class", options: {…}}`, or `{kind: NAME, …}` of an entry point."""

    named: str
    """The plug-in's name for the log: `package.module:Class`."""
    plugin: Any
    """The dialect, made from a class that derives from Parameters."""

    @property
    def posted(self) -> bool:
        """Whether the list is asked for by POST."""
        return self._parameters.posted

    @property
    def finds_last(self) -> bool:
        """Whether a request may be for the last page, which only the size of the list tells."""
        return self._parameters.finds_last

    @property
    def streamable(self) -> Streamable:
        """Whether the head of the merged reply can be written before the rows have arrived."""
        return self._parameters.streamable

    @property
    def accepted(self) -> tuple[int, ...]:
        """The statuses of a reply that is a list."""
        return self._parameters.accepted

    @property
    def past_end(self) -> PastEnd:
        """What the application does with a page behind the last row."""
        return self._parameters.past_end

    @property
    def limit_default(self) -> int | None:
        """What the application takes when no limit is given; None: all rows."""
        return self._parameters.limit_default

    @property
    def limit_max(self) -> int | None:
        """The most rows that one request gives; None: any number."""
        return self._parameters.limit_max

    @property
    def fields_always(self) -> tuple[str, ...]:
        """The properties that rows show whatever properties are asked for."""
        return self._parameters.fields_always

    def read(self, request: Request) -> Page | Unknown:
        """The page that a client asks for. Raises PluginError, or the ClientError that the plug-in raises."""
        page = call(self.named, self.plugin, "read", request)
        if page is UNKNOWN or (isinstance(page, Page) and _is_page(page)):
            return page
        raise misfit(self.named, "read", page, "a Page of whole numbers from 0 on, or UNKNOWN")

    def problem(self, request: Request) -> str:
        """Why `read` gave UNKNOWN. Raises PluginError."""
        text = call(self.named, self.plugin, "problem", request)
        if not isinstance(text, str):
            raise misfit(self.named, "problem", text, "a text")
        return text

    def unpaged(self, request: Request) -> str:
        """What a list is known by. Raises PluginError."""
        text = call(self.named, self.plugin, "unpaged", request)
        if not isinstance(text, str):
            raise misfit(self.named, "unpaged", text, "a text")
        return text

    def cover(self, start: int, count: int | None) -> tuple[int, int | None]:
        """The rows (first, how many) of one request that gives row `start`. Raises PluginError."""
        rows = call(self.named, self.plugin, "cover", start, count)
        if not isinstance(rows, tuple) or len(rows) != 2 or not _is_count(rows[0]):
            raise misfit(self.named, "cover", rows, "(first row, how many)")
        first, many = rows
        if first > start or not (many is None or (_is_count(many) and (not count or first + many > start))):
            raise misfit(self.named, "cover", rows, "a page with the row that is wanted")
        return first, many

    def ask(self, request: Request, page: Page, fields: Sequence[str] | None) -> tuple[bytes, bytes]:
        """What a shard is asked, as target and body. Raises PluginError."""
        asked = call(self.named, self.plugin, "ask", request, page, fields)
        if (
            not isinstance(asked, tuple)
            or len(asked) != 2
            or not is_target(asked[0])
            or not isinstance(asked[1], bytes)
        ):
            raise misfit(self.named, "ask", asked, "(target, body) in bytes, with a target from `/` on without spaces")
        return asked

    def open(self, reply: Reply) -> Listing:
        """Where the rows stand in a shard's reply. Raises BrokenReplyError, PluginError."""
        try:
            listing = call(self.named, self.plugin, "open", reply)
        except PluginError as error:
            if isinstance(error.__cause__, _OF_A_REPLY):
                raise BrokenReplyError("a shard's reply is not what its dialect says", log=str(error)) from error
            raise
        if not isinstance(listing, Listing) or not isinstance(listing.rows, bytes) or not _are_counts(listing):
            raise misfit(self.named, "open", listing, "a Listing with rows in bytes and numbers from 0 on")
        return listing

    def sizes(self, replies: Sequence[Reply]) -> list[int | None] | None:
        """None: only the plug-in's `open` says what is in a reply."""
        return None

    def refused(self, reply: Reply, total: int) -> Reply:
        """A shard's refusal of a page behind the end. Raises PluginError."""
        return checked(self.named, "refused", call(self.named, self.plugin, "refused", reply, total))

    def close(self, merged: Merged) -> Reply:
        """The merged reply. Raises PluginError."""
        return checked(self.named, "close", call(self.named, self.plugin, "close", merged))

    @property
    def _parameters(self) -> Parameters:
        parameters: Parameters = self.plugin
        return parameters


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_page(page: Page) -> bool:
    names = () if page.fields is None else page.fields
    if not isinstance(names, tuple) or not isinstance(page.order, tuple):
        return False
    has_names = all(isinstance(name, str) for name in (*names, *(name for name, _ in page.order)))
    has_directions = all(isinstance(descends, bool) for _, descends in page.order)
    return _is_count(page.offset) and (page.limit is None or _is_count(page.limit)) and has_names and has_directions


def _are_counts(listing: Listing) -> bool:
    return (listing.total is None or _is_count(listing.total)) and isinstance(listing.extra, bytes)
