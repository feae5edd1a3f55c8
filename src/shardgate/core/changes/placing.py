"""Policies that choose the shard of a new tenant. The rule may pin some tenants to a shard before.

Holds: equal loads go to the shard that stands first in the configuration.
"""

from collections.abc import Mapping

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.topology import ShardId

Loads = Mapping[ShardId, float]
"""How much each shard has, in the order of the configuration."""


class _Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    def willing(self, loads: Loads) -> Loads:
        """The shards that take new tenants at all."""
        return loads


class LeastTenants(_Policy, frozen=True, tag="least_tenants"):
    """The shard with the fewest tenants."""

    def choose(self, loads: Loads) -> ShardId:
        """The shard for one more."""
        return min(loads, key=loads.__getitem__)


class Weighted(_Policy, frozen=True, tag="weighted"):
    """Tenants in proportion to the weights; a weight of 0 takes none, a shard that is not named has the weight 1."""

    weights: Mapping[str, float]
    """Shard → weight. 0: it takes no tenant. A shard that is not named has the weight 1."""

    def willing(self, loads: Loads) -> Loads:
        """The shards with a weight above 0."""
        return {shard: load for shard, load in loads.items() if self.weights.get(shard, 1.0) > 0}

    def choose(self, loads: Loads) -> ShardId:
        """The shard that is furthest below its proportion."""
        willing = self.willing(loads)
        return min(willing, key=lambda shard: (willing[shard] + 1) / self.weights.get(shard, 1.0))


class LeastData(_Policy, frozen=True, tag="least_data"):
    """The shard with the least data, as each shard counts it itself."""

    path: str
    """What each shard is asked: `/v3/events?limit=1&with_count=true`."""
    count_header: str | None = None
    """The header field of the reply with the number. Either this or `count` is needed."""
    count: str | None = None
    """The member of the reply's body with the number, by path: `meta.total`."""

    def choose(self, loads: Loads) -> ShardId:
        """The shard with the smallest count."""
        return min(loads, key=loads.__getitem__)

    def stated(self, reply: Reply) -> float | None:
        """How much a shard says that it has; None where it does not say it."""
        if reply.status >= 300:
            return None
        if self.count_header is not None:
            said = reply.field(self.count_header.lower().encode()) or b""
            return float(said) if said.isdigit() else None
        try:
            return JsonObject(reply.body).number(self.count)
        except BrokenReplyError:
            return None


AnyPolicy = LeastTenants | Weighted | LeastData
