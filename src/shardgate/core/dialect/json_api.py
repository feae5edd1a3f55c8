"""JSON:API lists: `page[number]=2&page[size]=10` → `{"data": [...], "included": [...], "links": {...}, "meta": {...}}`.

`included` has the resources that the rows of the page refer to, each once, in the order of the references.
"""

from collections.abc import Sequence

import msgspec

from shardgate.core.contracts import Listing, Merged
from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.json.array import Rows, cut, join
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.links import Linked, Rel, linked


class JsonApi(Linked, frozen=True, tag="json_api"):
    """Page numbers; with `page: null` limit and offset: then write `limit: page[limit]`, `offset: page[offset]`."""

    page: str | None = "page[number]"
    """The parameter with the number of the page; `null`: limit and offset."""
    limit: str | None = "page[size]"
    """The parameter with the size of a page. With limit and offset, write `page[limit]`."""
    offset: str = "page[offset]"
    """The parameter with the number of rows before the page, where `page` is `null`."""
    order: str = "sort"
    """The parameter with the order."""
    rels: tuple[Rel, ...] = ("self", "first", "prev", "next", "last")
    """The links that the application writes, in its order. Others of these five are dropped."""
    links_absent: bool = False
    """A link to a page that does not exist is left out; false: it is `null`."""
    total: str | None = "meta.total"
    """The member with the size of the filtered list."""
    page_count: str | None = None
    """The member with the number of pages; null: there is no such member."""

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members of the reply that it writes anew."""
        return ("data", self.total, self.page_count, "included", "links", *self.echoes)

    def open(self, reply: Reply) -> Listing:
        """The primary data, its size, and the included resources. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        return Listing(body.value("data"), body.number(self.total), extra=body.raw("included") or b"", document=body)

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows, with the resources that they refer to and links of our own."""
        pages = None if merged.total is None else -(-merged.total // merged.size)
        changes: dict[str | None, object] = {
            "data": merged.rows,
            self.total: merged.total,
            self.page_count: pages,
            **self.echoed(merged),
        }
        body = JsonObject(merged.reply.body).edited(changes)
        if merged.extras:
            body = JsonObject(body).put("included", msgspec.Raw(_included(merged.rows, merged.extras)))
        urls = self.links(merged)
        links = {rel: urls[rel] for rel in self.rels}
        return Reply(200, list(merged.reply.fields), linked(body, "links", links, absent=self.links_absent))


class _Reference(msgspec.Struct, frozen=True):
    type: str
    id: str


class _Relationship(msgspec.Struct):
    data: _Reference | list[_Reference] | msgspec.UnsetType | None = msgspec.UNSET


class _Resource(msgspec.Struct):
    type: str
    id: str
    relationships: dict[str, _Relationship] = {}


_ROWS = msgspec.json.Decoder(list[_Resource])


def _included(data: bytes, arrays: Sequence[bytes]) -> bytes:
    """The resources that the page's rows refer to, and those that these refer to (JSON:API 1.1, compound documents).

    Raises BrokenReplyError where the rows do not say what they refer to.
    """
    samples = [cut(array) for array in arrays]
    pool: dict[_Reference, tuple[msgspec.Raw, _Resource]] = {}
    try:
        rows = _ROWS.decode(data)
        for sample in samples:
            for raw, resource in zip(sample.raw, _ROWS.decode(sample.body), strict=True):
                pool.setdefault(_Reference(resource.type, resource.id), (raw, resource))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenReplyError(
            "a shard's resource is not as JSON:API says", where="members data and included", log=str(error)
        ) from error
    linkage = [one for row in rows for one in row.relationships.values() if one.data is not msgspec.UNSET]
    if rows and pool and not linkage:
        first = next(iter(pool))
        raise BrokenReplyError(
            "a shard includes resources, and its rows do not say which are theirs",
            where="member data",
            log=f"{len(pool)} included, the first is {excerpt(f'{first.type} {first.id}')}; no row has `relationships`",
        )
    return join(_reached(rows, pool), _shown(samples))


def _reached(rows: Sequence[_Resource], pool: dict[_Reference, tuple[msgspec.Raw, _Resource]]) -> list[msgspec.Raw]:
    found: list[msgspec.Raw] = []
    seen = {_Reference(row.type, row.id) for row in rows}
    queue = list(rows)
    for resource in queue:  # grows while it is read
        for reference in _references(resource):
            if reference not in seen and reference in pool:
                seen.add(reference)
                raw, further = pool[reference]
                found.append(raw)
                queue.append(further)
    return found


def _references(resource: _Resource) -> list[_Reference]:
    found: list[_Reference] = []
    for relationship in resource.relationships.values():
        data = relationship.data
        if isinstance(data, list):
            found += data
        elif isinstance(data, _Reference):
            found.append(data)
    return found


def _shown(samples: Sequence[Rows]) -> Sequence[Rows]:
    """The arrays with resources, where there are any: they show how the application writes an array."""
    return [sample for sample in samples if sample.raw] or samples
