"""Sorted lists merged into one sorted list, a page at a time."""

from collections.abc import Sequence
from typing import Final

from shardgate.core.contracts import NO_MOMENT, Merging, Moment
from shardgate.core.dialect import AnyCursor, AnyDialect
from shardgate.core.dialect.content_range import ContentRange
from shardgate.core.dialect.custom import CustomDialect
from shardgate.core.dialect.whole import Whole
from shardgate.core.errors import UnreadablePageError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request
from shardgate.core.lists.last_page import LastPageMerging
from shardgate.core.lists.merging import ListMerging
from shardgate.core.lists.parted import PartedListMerging
from shardgate.core.lists.rule import ListRule
from shardgate.core.paging.known_names import FIELDS, field_may_page
from shardgate.core.paging.parameters import Parameters
from shardgate.core.topology import ShardId

# Fields of a request's head that may page the list.
_PAGING: Final = FIELDS | {b"range"}
# Bodies that some clients send with every request: they ask for nothing.
_ASKS_NOTHING: Final = frozenset({b"", b"{}", b"[]", b"null", b'""'})


class Listed(ListRule, frozen=True, tag="list"):
    """The lists of all shards as one list, in one order."""

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> Merging:
        """Start the merge of one request. Raises UnreadablePageError."""
        dialect = self.dialect
        if not _PAGING.isdisjoint(request.fields.values):
            request = _by_parameters(request, dialect)
        if request.body and not dialect.posted:
            _refuse_body(request)
        if isinstance(dialect, AnyCursor):
            walk = dialect.begin(request, shards, moment, self.order)
            walk.not_here, walk.around = self.not_here, self.surroundings
            walk.no_rows, walk.items, walk.fields_written = self.no_rows, self.items, self.fields_written
            return walk
        parts = self.parts
        if parts is not None and (moment.parted or parts.locate is None):

            def begin(inner: Request) -> Merging:
                return ListMerging(self, inner, shards, moment.pages)

            return PartedListMerging(self, parts, request, shards, moment.parted, begin)
        if dialect.finds_last:
            paged = dialect.plugin if isinstance(dialect, CustomDialect) else dialect
            if isinstance(paged, Parameters):
                return LastPageMerging(paged, request, lambda inner: ListMerging(self, inner, shards, moment.pages))
        return ListMerging(self, request, shards, moment.pages)

    def describe(self) -> str:
        """The merge in one line."""
        return f"one list, sorted by {', '.join(self.default_order)} unless the request says otherwise"


def _by_parameters(request: Request, dialect: AnyDialect) -> Request:
    """The request without its range. Bytes are a matter of HTTP, and may be ignored (RFC 9110 section 14.2); by other
    units applications page.

    Raises UnreadablePageError.
    """
    _check_fields(request, dialect)
    asked = request.fields.values.get(b"range", b"bytes")
    if asked.lower().startswith(b"bytes"):
        return request
    if isinstance(dialect, ContentRange) and dialect.ranges != "refuse":
        return dialect.by_parameters(request) if dialect.ranges == "read" else request
    raise _unknown_field("Range", asked)


def _check_fields(request: Request, dialect: AnyDialect) -> None:
    """Raises UnreadablePageError where a field seems to page the list, and the rule does not say that it does not."""
    inner = dialect.plugin if isinstance(dialect, CustomDialect) else dialect
    said = inner if isinstance(inner, Parameters | Whole) else Whole()
    if said.names == "exact":
        return
    sized = not isinstance(said, Parameters) or said.limit is not None
    passes = [name.lower().encode() for name in said.passes]
    for name in FIELDS & request.fields.values.keys():
        value = request.fields.values[name]
        if name not in passes and field_may_page(name, value, sized=sized):
            raise _unknown_field(name.decode().title(), value)


def _unknown_field(name: str, value: bytes) -> UnreadablePageError:
    detail = f"the field `{name}: {excerpt(value)}` is not accepted: the gateway cannot tell how it pages the list"
    return UnreadablePageError(f"{detail}; page by parameters of the query", about={"field": name})


def _refuse_body(request: Request) -> None:
    """A body with a GET means what the application makes of it (RFC 9110 section 9.3.1): it may filter, or page.

    Raises UnreadablePageError.
    """
    if request.body.strip() not in _ASKS_NOTHING:
        raise UnreadablePageError(
            f"a {request.method} of this list is not accepted with a body: the gateway cannot tell how it changes the "
            "list; write it as parameters of the query"
        )
