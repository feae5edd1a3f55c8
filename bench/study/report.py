"""What the study found, as it is kept in `bench/results/study.json`."""

import msgspec


class Cycle(msgspec.Struct, kw_only=True):
    """One pass of the synchroniser, as it said itself, and what it cost."""

    cycle: str
    seconds: float
    requests: int
    bytes: int
    rows: int
    lacking: int = 0
    left_over: int = 0
    error: str | None = None
    copy_cpu_s: float = 0


class Lag(msgspec.Struct, kw_only=True):
    """How long writes of one kind were not seen."""

    writes: int
    first_read_stale: int
    reads: int
    stale_reads: int
    lag_p50_s: float
    lag_p95_s: float
    lag_max_s: float


class Staleness(msgspec.Struct, kw_only=True):
    """One setting of the synchroniser, and the gateway in the same run."""

    poll_every_s: float
    scan_every_s: float
    copy: dict[str, Lag]
    gateway: dict[str, Lag]
    wrong_after_s: float
    """How long after the last write was seen all rows were compared,"""
    wrong_rows: int
    """and how many the copy had otherwise than the platform."""


class Idle(msgspec.Struct, kw_only=True):
    """What polling costs while nothing changes."""

    seconds: float
    polls: int
    requests: int
    copy_cpu_ms_per_poll: float
    platform_cpu_ms_per_poll: float


class Served(msgspec.Struct, kw_only=True):
    """One work of one subject, on the real platform."""

    subject: str
    work: str
    first_byte_p50_ms: float
    first_byte_p99_ms: float
    per_s: float


class Report(msgspec.Struct, kw_only=True):
    """All of it."""

    measured_at: str
    machine: str
    load_before: float
    """Of the machine, before anything was started; above zero somebody else was there."""
    quick: bool
    events: int
    shards: int
    full: Cycle
    scan: Cycle
    platform_cpu_s: float
    """Of all instances, for the full synchronisation and the scan together."""
    full_while_deleting: Cycle
    deleted_meanwhile: int
    copy_mib: float
    idle: Idle
    staleness: list[Staleness]
    served: list[Served]
    memory_mib: dict[str, float]
    lines: dict[str, int]
