"""Which tenants leave a shard for new ones."""

import random

from shardgate.move.balance import TOLERANCE
from shardgate.move.shares import groups_of, plan_departures


def test_tenants_that_are_tied_by_way_of_others_are_one_group() -> None:
    ties = [("a", "b"), ("c", "b"), ("e", "f"), ("a", "elsewhere")]
    assert groups_of(["f", "e", "d", "c", "b", "a"], ties) == [("a", "b", "c"), ("d",), ("e", "f")]


def test_three_shards_get_a_third_each_with_few_movements() -> None:
    weights = {f"t{n}": 10 for n in range(30)} | {"great": 100}
    plan = plan_departures([(each,) for each in weights], weights, "north", {"west": 0, "coast": 0})
    totals = {shard: sum(each.weight for each in plan if each.target == shard) for shard in ("west", "coast")}
    assert sorted(totals.values()) == [130, 130]
    assert plan[0].tenants == ("great",)
    assert len(plan) == 17


def test_nobody_leaves_where_it_would_not_help() -> None:
    assert plan_departures([("a",)], {"a": 100}, "north", {"west": 0}) == []
    assert plan_departures([("a", "b")], {"a": 100, "b": 100}, "north", {"west": 0}) == []
    assert plan_departures([("a",), ("b",)], {"a": 50, "b": 50}, "north", {"west": 100}) == []
    assert plan_departures([("a",), ("b",)], {}, "north", {"west": 0}) == []


def test_tenants_that_are_kept_stay_with_those_that_are_tied_to_them() -> None:
    groups, weights = [("a", "b"), ("c",), ("d",)], {"a": 5, "b": 5, "c": 10, "d": 10}
    plan = plan_departures(groups, weights, "north", {"west": 0}, ["a"])
    assert {tenant for each in plan for tenant in each.tenants} <= {"c", "d"}
    assert plan != []


def test_any_plan_leaves_no_shard_fuller_than_the_first_one_was() -> None:
    chance = random.Random(5)
    for _ in range(300):
        weights = {f"t{n}": chance.choice([0, 1, chance.randrange(1000)]) for n in range(chance.randrange(60))}
        totals = {f"new{n}": chance.randrange(300) for n in range(chance.randrange(1, 4))}
        groups = groups_of(list(weights), [(f"t{chance.randrange(60)}", f"t{chance.randrange(60)}") for _ in range(9)])
        plan = plan_departures(groups, weights, "north", totals)
        full = {"north": sum(weights.values()), **totals}
        greatest, average = max(full.values()), sum(full.values()) / len(full)
        for each in plan:
            full["north"] -= each.weight
            full[each.target] += each.weight
            assert full[each.target] < full["north"] + each.weight
        assert max(full.values()) <= greatest
        assert plan == plan_departures(groups, weights, "north", totals)
        left = {sum(weights[one] for one in group) for group in groups} - {0}
        if left and max(left) <= average * TOLERANCE:
            assert full["north"] <= average * (1 + TOLERANCE)


def test_a_hundred_thousand_tenants_are_planned_at_once() -> None:
    weights = {f"t{n}": n % 997 + 1 for n in range(100_000)}
    plan = plan_departures([(each,) for each in weights], weights, "north", dict.fromkeys(("w", "c", "i"), 0))
    share = sum(weights.values()) / 4
    for shard in ("w", "c", "i"):
        assert abs(sum(each.weight for each in plan if each.target == shard) - share) < share * 2 * TOLERANCE
