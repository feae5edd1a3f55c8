"""Moves as many tenants as it takes to level the shards, to empty one, or to divide one.

Holds: a tenant that cannot be moved is named, and stays; the others are moved.
"""

import time
from collections.abc import Callable, Collection, Sequence

from shardgate.core.topology import ShardId
from shardgate.move.balance import PlannedMove, plan_moves
from shardgate.move.errors import MoveRefusedError
from shardgate.move.mover import Mover
from shardgate.move.pace import rest_between_s
from shardgate.move.request import MoveSettings
from shardgate.move.shares import Departure
from shardgate.move.weights import tenant_loads
from shardgate.net.clock import now
from shardgate.store.movements import Movement, Movements
from shardgate.store.opening import open_store


def planned(settings: MoveSettings, leaving: Collection[ShardId] = (), *, even: bool = True) -> list[PlannedMove]:
    """The movements that would level the shards, or empty those that leave. Raises MoveRefusedError."""
    with open_store(settings.store) as store:
        homes = store.read(settings.space)
        gone = {*leaving, *Movements(store).draining()}
    if not set(settings.shards).difference(gone):
        raise MoveRefusedError(["every shard is to be emptied: there must be one that stays"])
    return plan_moves(tenant_loads(settings, homes), settings.shards, gone, even=even)


def carry_out(
    mover: Mover,
    plan: Sequence[PlannedMove | Departure],
    done: Callable[[Movement], None],
    refused: Callable[[str], None],
) -> int:
    """Make all movements, and rest between them; returns how many tenants were refused."""
    failures = 0
    began_at = now()
    for number, each in enumerate(plan):
        if number:
            time.sleep(rest_between_s(now() - began_at))
        began_at = now()
        try:
            for movement in mover.move(each.tenants, each.target):
                done(movement)
        except MoveRefusedError as error:
            failures += len(each.tenants)
            for reason in error.reasons:
                refused(f"{', '.join(each.tenants)}: {reason}")
    return failures


def set_draining(settings: MoveSettings, shard: ShardId, *, drains: bool) -> None:
    """Let a shard take no new tenants, or let it again. Raises MoveRefusedError."""
    if shard not in settings.shards:
        names = ", ".join(settings.shards)
        raise MoveRefusedError([f"{shard}: there is no such shard. There are {names}"])
    with open_store(settings.store) as store:
        Movements(store).drain(shard, drains=drains)


def what_is_left(settings: MoveSettings, shard: ShardId) -> list[str]:
    """Why a shard cannot be removed yet."""
    with open_store(settings.store) as store:
        found = []
        for space in store.spaces():
            tenants = [tenant for tenant, home in store.read(space).items() if home == shard]
            if tenants:
                found.append(f"{shard}: has {len(tenants)} of {space}, such as {tenants[0]}: run shard drain {shard}")
        parts = Movements(store).parts_on(shard)
        if parts:
            found.append(f"{shard}: has parts of {len(parts)} entities, such as {parts[0]}")
    return found
