"""Plans which tenants of one shard leave for new shards, and checks every movement of the plan.

Holds: the whole plan is checked before the first tenant moves. What is left of a division that was interrupted is
divided by the next plan, in the same way.
Never: moves anything; rebalancing does.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from shardgate.core.topology import ShardId
from shardgate.move.errors import MoveRefusedError
from shardgate.move.judging import judged
from shardgate.move.loads import loads_of_tenants, read_loads
from shardgate.move.moving_rows import MovingRows
from shardgate.move.request import MoveSettings
from shardgate.move.shards import open_shard, read_division
from shardgate.move.shares import Departure, groups_of, plan_departures
from shardgate.move.spellings import TenantNames
from shardgate.move.ties import tied_tenants
from shardgate.move.weights import tenant_loads
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.store.movements import Movements
from shardgate.store.opening import open_store

_CHECKED_MAX = 500  # tenants of one check: their names stand in its statements


class DivisionPlan(Struct, frozen=True):
    """Who leaves a shard, and how much each shard has before and after."""

    shard: ShardId
    departures: tuple[Departure, ...]
    before: dict[ShardId, int]
    after: dict[ShardId, int]
    tenants: dict[ShardId, int]
    """How many tenants each shard has before."""


def plan_split(
    settings: MoveSettings, shard: ShardId, into: Sequence[ShardId], kept: Sequence[str], loads: Sequence[Path]
) -> DivisionPlan:
    """The plan, checked. `kept`: tenants that stay; `loads`: access logs to weigh by. Raises MoveRefusedError."""
    new = tuple(dict.fromkeys(into))
    homes = _homes(settings, shard, new, kept)
    try:
        division = read_division(settings, shard)
        weights = _weights(settings, homes, (shard, *new), loads)
        with closing(open_shard(settings, shard)) as database:
            ties = tied_tenants(division, database, TenantNames(homes))
        groups = groups_of([tenant for tenant, home in homes.items() if home == shard], ties)
        before = {
            each: sum(weights[tenant] for tenant, home in homes.items() if home == each) for each in (shard, *new)
        }
        plan = plan_departures(groups, weights, shard, {each: before[each] for each in new}, kept)
        problems = _objections(settings, shard, plan)
    except DRIVER_ERRORS as error:
        raise MoveRefusedError([f"cannot read {shard}: {type(error).__name__}: {error}"]) from error
    if not plan and not problems and (why := _why_nothing(groups, before, shard, kept)):
        problems = [why]
    if problems:
        raise MoveRefusedError(problems)
    after = dict(before)
    for each in plan:
        after[shard] -= each.weight
        after[each.target] += each.weight
    counts = {each: sum(home == each for home in homes.values()) for each in before}
    return DivisionPlan(shard, tuple(plan), before, after, counts)


def _homes(settings: MoveSettings, shard: ShardId, new: Sequence[ShardId], kept: Sequence[str]) -> dict[str, ShardId]:
    """The tenants of these shards. Raises MoveRefusedError where one of the words is wrong."""
    names = ", ".join(settings.shards)
    cure = (
        "Make its database with `shardgate shard add`, start an instance on it, name it in `shards` and in"
        " `movements.databases` of shardgate.yaml, and reload the gateway"
    )
    problems = [] if shard in settings.shards else [f"{shard}: there is no such shard. There are {names}"]
    problems += [f"--into {each}: there is no such shard. {cure}" for each in new if each not in settings.shards]
    problems += [f"--into {each}: is the shard that is to be divided" for each in new if each == shard]
    with open_store(settings.store) as store:
        known, movements = store.read(settings.space), Movements(store)
        draining, current = movements.draining(), movements.current()
    if current is not None:
        problems.append(
            f"movement {current.id} of {', '.join(current.tenants)} is not over (phase {current.phase}): wait, or run"
            " shardgate move --resume or --abandon"
        )
    problems += [
        f"--into {each}: is being drained. Let it take tenants first: shard drain {each} --stop"
        for each in new
        if each in draining
    ]
    problems += [f"--keep {each}: is no tenant of {shard}" for each in kept if known.get(each) != shard]
    if not problems and shard not in known.values():
        problems.append(f"{shard}: has no tenants in the directory: there is nothing to divide")
    if problems or not new:
        raise MoveRefusedError(problems or ["name the new shards with --into"])
    return {tenant: home for tenant, home in known.items() if home in (shard, *new)}


def _weights(
    settings: MoveSettings, homes: dict[str, ShardId], shards: Sequence[ShardId], loads: Sequence[Path]
) -> dict[str, int]:
    if not loads:
        return {each.tenant: each.rows for each in tenant_loads(settings, homes)}
    found = dict.fromkeys(homes, 0)
    by_key = read_loads(loads, shards)
    for shard in dict.fromkeys(homes.values()):
        own = {tenant for tenant, home in homes.items() if home == shard}
        with closing(open_shard(settings, shard)) as database:
            found |= loads_of_tenants(by_key, own, read_division(settings, shard), database)
    if not any(found.values()):
        raise MoveRefusedError(
            ["no request of the logs names a tenant of these shards. Give later logs, or weigh by rows"]
        )
    return found


def _objections(settings: MoveSettings, shard: ShardId, plan: Sequence[Departure]) -> list[str]:
    """Everything that speaks against one of the movements."""
    found: list[str] = []
    with open_store(settings.store) as store:
        for target in dict.fromkeys(each.target for each in plan):
            for tenants in _portions([each.tenants for each in plan if each.target == target]):
                with closing(MovingRows(settings, shard, target, tenants)) as work:
                    found += judged(settings, Movements(store), (shard, target), tenants, work)
    return list(dict.fromkeys(found))


def _portions(groups: Sequence[tuple[str, ...]]) -> Iterator[list[str]]:
    """Tenants of whole groups, some hundreds at a time."""
    portion: list[str] = []
    for group in groups:
        if portion and len(portion) + len(group) > _CHECKED_MAX:
            yield portion
            portion = []
        portion += group
    if portion:
        yield portion


def _why_nothing(
    groups: Sequence[tuple[str, ...]], before: dict[ShardId, int], shard: ShardId, kept: Sequence[str]
) -> str:
    """Why nobody can leave, where somebody should; empty: it was divided before, or there is nothing to weigh."""
    if before[shard] < sum(before.values()) or not before[shard]:
        return ""
    greatest = max(groups, key=len)
    if len(greatest) > 1:
        return (
            f"{shard}: {len(greatest)} of its tenants, such as {greatest[0]} and {greatest[1]}, have rows in common"
            " and move together only: no division makes it smaller"
        )
    but = " but those of --keep" if kept else ""
    return f"{shard}: none of its tenants{but} can leave without making a new shard the fuller one"
