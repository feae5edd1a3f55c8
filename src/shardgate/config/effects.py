"""Settings of shards and rules that would never have an effect: a mistake, since whoever wrote them counts on them.

Holds: what is found is written in the file. Where a variable of the environment gives the addresses of a shard, the
file is for other addresses, too: nothing is said of that shard's number of instances. Nor is a replica's zone a mistake
where the gateway has none: SHARDGATE_ZONE is set where it runs, not where its configuration is checked.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shardgate.config.places import Document
from shardgate.config.schema import Config
from shardgate.core.routes.calls import NEVER
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import Route, Routes
from shardgate.core.topology import Shard

_OF_OTHERS: Final = (
    "retry_percent",
    "retries_per_s",
    "tries_max",
    "retry_on",
    "hedge_percent",
    "hedge_after_s",
    "own_changes_s",
    "slow_start_s",
)
"""Guards that say what becomes of a call at another replica, or of a replica's share."""
_OF_BREAKER: Final = ("failures_max", "left_out_s", "left_out_s_max")
_PANIC: Final = (
    "write `panic_percent: 0`, so that the shard refuses at once while its instance is left out; or remove it"
)


def check_effects(config: Config, shards: Mapping[str, Shard], routes: Routes, document: Document) -> Iterator[Mistake]:
    """What is written, and would change nothing."""
    of_variables = {name for name in shards if document.variable(f"shards.{name}.url") is not None}
    for name, shard in shards.items():
        given = config.shards[name]
        if isinstance(given, dict) and name not in of_variables:
            yield from _of_shard(f"shards.{name}", given, shard)
    if config.resolver.servers and not any(shard.discovery for shard in shards.values()):
        yield Mistake("resolver", "no shard's replicas are found by DNS: nobody is asked", "remove it")
    if shards and not of_variables:
        for route in routes.routes:
            yield from _of_rule(route, [*shards.values()])


def _of_shard(place: str, given: Mapping[str, Any], shard: Shard) -> Iterator[Mistake]:
    written = given.get("guards") or {}
    is_one = _is_one(shard)
    if is_one:
        yield from _of_one(place, written, shard)
    else:
        yield from _of_several(place, written, shard)
    replicas = given.get("replicas")
    for at, replica in enumerate(replicas if isinstance(replicas, list) else ()):
        for field in ("weight", "zone"):
            if is_one and isinstance(replica, dict) and replica.get(field) is not None:
                cure = "remove it, or name further replicas"
                yield Mistake(
                    f"{place}.replicas[{at}].{field}", "the shard has one replica, which gets all calls", cure
                )
    if given.get("key") is not None and given.get("certificate") is None:
        cure = "name the `certificate` that it is for, or remove it"
        yield Mistake(f"{place}.key", "there is no certificate that this is the key of", cure)
    left_out_s, most_s = shard.guards.left_out_s, shard.guards.left_out_s_max
    if "left_out_s" in written and left_out_s > most_s:
        cure = f"write at most {most_s:g}, or a longer `left_out_s_max`"
        yield Mistake(f"{place}.guards.left_out_s", f"{left_out_s:g} s is longer than `left_out_s_max`", cure)


def _of_one(place: str, written: Mapping[str, Any], shard: Shard) -> Iterator[Mistake]:
    """Of a shard with one instance, which is asked whatever its calls and checks say, unless `panic_percent` is 0."""
    for field in _OF_OTHERS:
        if field in written:
            cure = "remove it, or name several `replicas`"
            yield Mistake(f"{place}.guards.{field}", "the shard has one instance: there is no other one to ask", cure)
    if shard.guards.panic_percent:
        for field in ("panic_percent", *_OF_BREAKER):
            if field in written:
                yield Mistake(f"{place}.guards.{field}", "the only instance of a shard is asked in any case", _PANIC)


def _of_several(place: str, written: Mapping[str, Any], shard: Shard) -> Iterator[Mistake]:
    guards = shard.guards
    others: tuple[str, ...]
    if "own_changes_s" in written and not any(not each.member.takes_changes for each in shard.replicas):
        cure = "remove it, or mark those that only follow `write: false`"
        yield Mistake(f"{place}.guards.own_changes_s", "all of its replicas take changes", cure)
    if "hedge_after_s" in written and not guards.hedge_percent:
        yield Mistake(f"{place}.guards.hedge_after_s", "`hedge_percent: 0` says that nothing is hedged", _REMOVE_ONE)
    if guards.tries_max == 1:
        off, others = "`tries_max: 1`", ("retry_percent", "retries_per_s", "retry_on")
    elif not guards.retry_percent and not guards.retries_per_s:
        off, others = "`retry_percent: 0` and `retries_per_s: 0`", ("tries_max", "retry_on")
    else:
        return
    for field in others:
        if written.get(field):  # 0, or no status: it says the same
            problem = f"with {off} nothing is retried"
            yield Mistake(f"{place}.guards.{field}", problem, _REMOVE_ONE)


_REMOVE_ONE: Final = "remove one of the two"


def _of_rule(route: Route, shards: list[Shard]) -> Iterator[Mistake]:
    """What a rule says of hedges and breakers, where no shard has any."""
    words = None if route.rule is None else route.rule.calls
    if words is None:
        return
    cure = "remove it, or give a shard `replicas`"
    hedges = any(not _is_one(shard) and shard.guards.hedge_percent for shard in shards)
    if words.hedge_after_s and words.hedges and not hedges:
        yield Mistake(f"rules.{route.name}.hedge", "no shard has a second replica that a read could go to", cure)
    breaks = any(not _is_one(shard) or not shard.guards.panic_percent for shard in shards)
    if words.failures_max not in {None, NEVER} and not breaks:
        yield Mistake(f"rules.{route.name}.breaker", "no shard has a replica that could be left out", cure)


def _is_one(shard: Shard) -> bool:
    return shard.discovery is None and len(shard.instances) == 1
