"""What `make scale` found, as it is kept in `bench/results/scale.json`."""

import msgspec

from bench.results import Machine


class ShardsRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a request costs with so many shards."""

    shards: int
    relay_us: float
    """CPU time of the gateway for a relay of 1 KB."""
    gather_us: float
    """CPU time of the gateway for a page of ten rows out of ten of each shard."""
    relay_first_us: float
    """Time to first byte of a relay, one client at a time: the median."""
    gather_first_us: float
    gather_first_p99_us: float
    connections: int
    """To all shards, after 128 clients asked for pages at once."""
    share: float
    """Of its core, that the gateway had at saturation: less than 1 where others used the machine."""


class LateRun(msgspec.Struct, frozen=True, kw_only=True):
    """First bytes of gathers where one call in a hundred is 200 ms late."""

    shards: int
    replicas: int
    hedged: bool
    first_p50_ms: float
    first_p99_ms: float


class GatewaysRun(msgspec.Struct, frozen=True, kw_only=True):
    """So many gateways' use of one store, without their clients and shards."""

    gateways: int
    sessions: int
    server_mb: float
    """Memory of PostgreSQL, what its processes share counted once."""
    idle_ms_a_s: float
    """CPU time of PostgreSQL a second, while nobody changes anything."""
    seen_ms: float
    """From the commit of a new tenant until the last gateway has it: the median, and the most."""
    seen_max_ms: float
    changes_per_s: float
    """Changes over four shards, of all gateways together: eleven steps each, written down."""
    refused: int
    """Changes of which a step waited longer than 5 s for its turn."""
    change_p50_ms: float
    change_p99_ms: float
    commits_a_change: float


class ScaleReport(msgspec.Struct, kw_only=True):
    """All of it; each part says when and where it was measured."""

    shards: list[ShardsRun] = []
    late: list[LateRun] = []
    gateways: list[GatewaysRun] = []
    where: dict[str, Machine] = {}
    dates: dict[str, str] = {}
    how: dict[str, str] = {}
    """Part → which program was measured."""
