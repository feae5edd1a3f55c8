"""Crashes and crowds, on real gateway processes; `make crash` kills every step of every kind of change."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from proof.converging import converge
from proof.crash import NAMES, enter_world, run

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


async def test_an_order_that_is_refused_takes_no_seat_wherever_the_gateway_dies(tmp_path: Path) -> None:
    counted, findings, recovered_s = await run(tmp_path, ["refused order"], kinds=["call"])
    assert findings == []
    assert counted["points"] >= 8
    assert recovered_s < 20


async def test_a_key_holds_through_a_crash(tmp_path: Path) -> None:
    counted, findings, _ = await run(tmp_path, ["keyed"])
    assert findings == []
    assert counted["points"] == 6


async def test_all_parts_of_an_order_are_cancelled_or_none_wherever_the_gateway_dies(tmp_path: Path) -> None:
    counted, findings, _ = await run(tmp_path, ["parts cancelled"], kinds=["call"])
    assert findings == []
    assert counted["points"] == 12


async def test_a_payment_is_shared_by_all_parts_once_wherever_the_gateway_dies(tmp_path: Path) -> None:
    counted, findings, _ = await run(tmp_path, ["parts paid"], kinds=["call"])
    assert findings == []
    assert counted["points"] == 12


async def test_fifty_buyers_of_the_last_seats_through_two_workers_get_all_of_them_and_no_more(tmp_path: Path) -> None:
    capacity, buyers = 20, 50
    async with AsyncExitStack() as stack:
        # Nobody dies here: with a lease of half a second a busy machine could make one worker think so of the other.
        world = await enter_world(tmp_path, stack, workers=2, lease_s=5)
        for shop, name in zip(world.shops, NAMES, strict=True):
            shop.seats.free = {f"{name}-seats": capacity}
        items = [{"date": f"{name}-seats", "quantity": 1} for name in NAMES]
        # Each in an order of its own: the gateway takes the shards in one order all the same.
        baskets = [[*items[number % 3 :], *items[: number % 3]] for number in range(buyers)]
        answers = await asyncio.gather(*[world.ask("/orders", {"items": basket}) for basket in baskets])
        assert await world.settle()
        statuses = [answer.status_code for answer in answers if answer is not None]
        assert sorted(statuses) == [201] * capacity + [409] * (buyers - capacity)
        for shop in world.shops:
            assert list(shop.seats.free.values()) == [0]
            assert sum(order["status"] == "sold" for order in shop.seats.orders.values()) == capacity


@pytest.mark.parametrize("down", [NAMES[0], NAMES[-1]])
async def test_a_shard_and_then_the_gateway_go_down_and_come_back_to_the_same(tmp_path: Path, down: str) -> None:
    converged = await converge(tmp_path, down)
    print(f"converged {converged.seconds:.1f} s after both were back, two starts of the gateway included")
    assert converged.findings == []
