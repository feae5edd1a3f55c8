"""Which requests may ask many shards: a list that no filter narrows is refused, for all clients or for some.

Never: knows how a filter narrows; prune.py does.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from shardgate.core.clients.claims import Claims, keys_in
from shardgate.core.errors import ScatterRefusedError


class Scatter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many shards a request may ask."""

    shards_max: Annotated[int, msgspec.Meta(ge=1)] = 1
    """As many as the filters may leave at most. A request for more is refused (SG1040) before any shard is asked."""
    unless: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Claim of a verified token → the values with which a client may ask all: `{tier: [gold, internal]}`."""

    def check(self, asked: int, claims: Claims | None, filters: Sequence[str]) -> None:
        """Raises ScatterRefusedError. `filters`: what would narrow the request."""
        if asked <= self.shards_max or any(
            value in allowed for claim, allowed in self.unless.items() for value in keys_in(claims, claim)
        ):
            return
        narrow = f"; narrow it by {' or '.join(filters)}" if filters else ""
        raise ScatterRefusedError(f"the request would ask {asked} shards, and may ask {self.shards_max}{narrow}")
