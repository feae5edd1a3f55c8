"""Which tenants move, so that the shards are level."""

import random

from shardgate.move.balance import TOLERANCE, TenantLoad, plan_moves

SHARDS = ("north", "south", "west")


def totals(loads: list[TenantLoad], plan: list[object]) -> dict[str, int]:
    homes = {load.tenant: load.shard for load in loads}
    for each in plan:
        homes[each.tenant] = each.target
    found = dict.fromkeys(SHARDS, 0)
    for load in loads:
        found[homes[load.tenant]] = found.get(homes[load.tenant], 0) + load.rows
    return found


def test_a_new_shard_is_filled_until_all_are_level() -> None:
    loads = [TenantLoad(f"t{n}", SHARDS[n % 2], 100 + n) for n in range(60)]
    plan = plan_moves(loads, SHARDS)
    after = totals(loads, plan)
    assert max(after.values()) <= sum(after.values()) / 3 * (1 + TOLERANCE)
    assert {each.target for each in plan} == {"west"}
    assert len(plan) <= 22


def test_a_shard_that_leaves_keeps_nobody_and_the_others_move_nobody() -> None:
    loads = [TenantLoad(f"t{n}", SHARDS[n % 3], 10 + n) for n in range(30)]
    plan = plan_moves(loads, SHARDS, {"west"}, even=False)
    assert {each.tenant for each in plan} == {load.tenant for load in loads if load.shard == "west"}
    assert totals(loads, plan)["west"] == 0


def test_level_shards_and_a_tenant_that_is_too_great_stay() -> None:
    assert (
        plan_moves([TenantLoad("a", "north", 5), TenantLoad("b", "south", 5), TenantLoad("c", "west", 5)], SHARDS) == []
    )
    assert plan_moves([TenantLoad("a", "north", 100)], SHARDS) == []
    assert plan_moves([TenantLoad("a", "north", 100)], ("north",), {"north"}) == []


def test_a_plan_makes_the_fullest_never_fuller() -> None:
    chance = random.Random(3)
    for _ in range(200):
        loads = [
            TenantLoad(f"t{n}", chance.choice(SHARDS), chance.randrange(1000)) for n in range(chance.randrange(40))
        ]
        before, after = totals(loads, []), totals(loads, plan_moves(loads, SHARDS))
        assert max(after.values()) <= max(before.values())
        assert plan_moves(loads, SHARDS) == plan_moves(loads, SHARDS)
