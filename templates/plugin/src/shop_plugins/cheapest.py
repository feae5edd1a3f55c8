"""A merge: one offer out of many, the one with the lowest price."""

from collections.abc import Sequence

import msgspec

from shardgate.extend import Combining, Reply


class Cheapest(Combining, frozen=True):
    """The reply of the shard whose object has the lowest value of `by`."""

    by: str = "price"

    def combine(self, replies: Sequence[Reply]) -> Reply:
        return min(replies, key=lambda reply: msgspec.json.decode(reply.body)[self.by])

    def describe(self) -> str:
        return f"the object with the lowest {self.by}"
