"""A parameter that the links of a page carry which lacked shards: the pages that they lead to lack them, too.

    /events?page=2&shardgate-lacks=Zb3…

Holds: shards never see it. It names a shard by a digest of its alias, and can only take shards away: a reply that lacks
one says so.
"""

import base64
from collections.abc import Collection, Mapping

from shardgate.core.cursors.seal import digest
from shardgate.core.errors import BadCursorError
from shardgate.core.http import Request
from shardgate.core.topology import Shard, ShardId

NAME = "shardgate-lacks"


def mark_of(aliases: Collection[str]) -> str:
    """The parameter of a page that lacks these shards."""
    return f"{NAME}={'.'.join([_named(alias) for alias in sorted(aliases)])}"


def marked(request: Request, mark: str) -> Request:
    """The request as the links of its page lead back to it."""
    query = f"{request.query}&{mark}" if request.query else mark
    return request.asking(query=query, target=_target(request.target, query))


def read(request: Request, shards: Mapping[ShardId, Shard]) -> tuple[Request, frozenset[ShardId]]:
    """The request without the parameter, and the shards that it names. Raises BadCursorError."""
    if NAME not in request.query:
        return request, frozenset()
    parts = request.query.split("&")
    values = [part.partition("=")[2] for part in parts if part.partition("=")[0] == NAME]
    if not values:
        return request, frozenset()
    named = {_named(shard.alias): name for name, shard in shards.items()}
    wanted = {each for value in values for each in value.split(".")}
    if not wanted <= named.keys():
        raise BadCursorError(f"`{NAME}` names no shard of this gateway; request the list without it to begin anew")
    query = "&".join([part for part in parts if part.partition("=")[0] != NAME])
    target = _target(request.target, query)
    return request.asking(query=query, target=target), frozenset([named[each] for each in wanted])


def unmarked(target: bytes, mark: str) -> bytes:
    """The target of a request to a shard, without the parameter."""
    path, _, query = target.partition(b"?")
    own = mark.encode("ascii")
    kept = [part for part in query.split(b"&") if part != own]
    return path + b"?" + b"&".join(kept) if kept else path


def _target(target: bytes, query: str) -> bytes:
    path = target.partition(b"?")[0]
    return path + b"?" + query.encode("ascii") if query else path


def _named(alias: str) -> str:
    return base64.urlsafe_b64encode(digest(alias)).decode()
