"""A request that is looked for among what is kept."""

from typing import Any, cast

from shardgate.core.exchange import Exchange
from shardgate.core.http import Reply
from shardgate.core.replies.cache.kept_replies import KeptReplies
from shardgate.core.replies.cache.keys import key_of
from shardgate.core.replies.cache.settings import CacheWords
from shardgate.core.routes.route import Route
from shardgate.engine.caching import Lookup
from shardgate.net.clock import now
from tests.core.requests import request


class Meter:
    def cached(self, result: str) -> None: ...


def test_the_reply_to_an_equal_request_that_came_earlier_is_as_old_as_that() -> None:
    asked, store = request("GET /a"), KeptReplies(CacheWords())
    exchange = Exchange(asked, b"", "", now())
    lookup = Lookup(store, asked, Route("GET", "/a", "a", None), exchange, cast(Any, Meter()))
    exchange.upstream_s = 30.0  # it joined: the shard was asked so long ago
    fields = [(b"Cache-Control", b"public, max-age=60")]
    assert lookup.instead(200, fields) is None
    assert lookup.wants(200, fields, 0)
    assert lookup.keep(Reply(200, fields))
    entry, _ = store.find(key_of(asked), asked)
    assert entry is not None
    assert 30 <= entry.current_age_s(now()) < 60
