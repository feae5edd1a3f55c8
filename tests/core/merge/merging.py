"""What a merge makes of the replies of shards."""

from shardgate.core.contracts import Merger
from shardgate.core.http import Reply
from tests.core.requests import request


def merged(rule: Merger, *given: bytes | str | Reply) -> Reply:
    """The merge of these replies, or bodies, of the shards s0, s1, …"""
    shards = [f"s{n}" for n in range(len(given))]
    merging = rule.begin(request("GET /it?x=1"), shards)
    assert [(ask.shard, ask.target) for ask in merging.asks()] == [(shard, b"/it?x=1") for shard in shards]
    replies = {shard: each if isinstance(each, Reply) else ok(each) for shard, each in zip(shards, given, strict=True)}
    backwards = dict(reversed(replies.items()))  # whoever was quicker
    reply = merging.take(backwards)
    assert isinstance(reply, Reply)
    return reply


def ok(body: bytes | str, **fields: str) -> Reply:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return Reply(200, named, body.encode() if isinstance(body, str) else body)


def text(rule: Merger, *bodies: bytes | str) -> str:
    """The merged body."""
    return merged(rule, *bodies).body.decode()
