"""The whole reply of a shard, made of its head and its body.

Holds: the fields are named as the shard wrote them; whoever changes them changes no other reply with the same head.
Hot path: made for each shard of a gather. Compiled, apart from `Reply`, which cannot be (decision 54).
"""

from shardgate.core.http import Reply
from shardgate.core.request import ReplyHead


def whole_of(head: ReplyHead, body: bytes) -> Reply:
    """The reply with this head and this body."""
    named = head.named
    if named is None:
        named = head.named = [(line[: len(name)], value) for name, value, line in head.fields]
    return Reply(head.status, named.copy(), body, head.reason)
