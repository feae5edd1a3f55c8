"""Rules about work and memory: bounds that are taken away, and statuses that are misread."""

from collections.abc import Iterator
from typing import Final

from shardgate.audit.rule import Danger
from shardgate.config.load import Loaded
from shardgate.core.locate.probe import Probe
from shardgate.core.merge.entity import Entity
from shardgate.core.routes.route import Route

_MIB: Final = 1024 * 1024
_REFUSING: Final = {401, 403, 407, 429}
"""Statuses that say nothing about whether the shard has the key."""

_LIMITS_MAX: Final = {
    "held_bytes_max": 2048 * _MIB,
    "held_body_bytes_max": 128 * _MIB,
    "connections_per_shard_max": 10_000,
    "client_connections_max": 100_000,
    "requests_in_flight_max": 100_000,
}
"""Beyond these a single worker takes gigabytes, or more descriptors than a system gives by default."""

_TIMEOUTS_S_MAX: Final = {"client_header_timeout_s": 120.0, "request_timeout_s": 600.0, "client_idle_timeout_s": 900.0}
"""Beyond these a client that sends nothing holds its place for minutes."""

_CURSOR_LIFETIME_S_MAX: Final = 30 * 86_400
_ITEMS_MAX: Final = 1000
_CLIENTS_WAIT_S: Final = 10.0


def probes_of_many_items(loaded: Loaded) -> Iterator[Danger]:
    """SGA40."""
    for route in loaded.routes.routes:
        items_max = getattr(route.rule, "items_max", None) or 0
        if items_max > _ITEMS_MAX and any(
            isinstance(locator, Probe) and locator.bulk is None for locator in route.locators
        ):
            what = f"up to {items_max:,} items of one body are asked for at {len(loaded.shards)} shards"
            yield Danger(f"rules.{route.name}.items_max", what)


def limits_that_bound_nothing(loaded: Loaded) -> Iterator[Danger]:
    """SGA41."""
    for name, most in _LIMITS_MAX.items():
        if (value := getattr(loaded.config.limits, name)) > most:
            yield Danger(f"limits.{name}", f"{value:,} is more than {most:,}, in each worker")


def patience_without_end(loaded: Loaded) -> Iterator[Danger]:
    """SGA42."""
    for name, most in _TIMEOUTS_S_MAX.items():
        if (value := getattr(loaded.config.timeouts, name)) > most:
            yield Danger(f"timeouts.{name}", f"{value:g} s is more than {most:g} s")


def refusals_that_mean_not_here(loaded: Loaded) -> Iterator[Danger]:
    """SGA43."""
    for route in loaded.routes.routes:
        for field, statuses in _read_as_words(route):
            if wrong := sorted(_REFUSING & set(statuses)):
                said = "it was done before" if field == "already" else "the shard does not have it"
                what = f"{', '.join(map(str, wrong))} is read as: {said}"
                yield Danger(f"rules.{route.name}.{field}", what)


def cursors_for_ever(loaded: Loaded) -> Iterator[Danger]:
    """SGA44."""
    cursors = loaded.config.cursors
    if cursors is not None and cursors.lifetime_s > _CURSOR_LIFETIME_S_MAX:
        yield Danger("cursors.lifetime_s", f"a cursor can be used for {cursors.lifetime_s // 86_400:,} days")


def lists_that_lack_rows(loaded: Loaded) -> Iterator[Danger]:
    """SGA45."""
    for route in loaded.routes.routes:
        if route.rule is not None and route.rule.is_partial_unsaid:
            yield Danger(
                f"rules.{route.name}.missing", "a client gets a list without a shard though it did not ask for it"
            )


def waits_longer_than_clients(loaded: Loaded) -> Iterator[Danger]:
    """SGA46."""
    for name, shard in loaded.shards.items():
        if shard.failover is not None and shard.failover.wait_s > _CLIENTS_WAIT_S:
            yield Danger(f"shards.{name}.failover.wait_s", f"requests wait up to {shard.failover.wait_s:g} s")


def _read_as_words(route: Route) -> Iterator[tuple[str, tuple[int, ...]]]:
    if route.rule is None:
        return
    yield "not_here", route.rule.not_here
    yield "already", getattr(route.rule, "already", None) or ()
    if isinstance(merge := getattr(route.rule, "parts", None), Entity):
        yield "parts.not_here", merge.not_here
