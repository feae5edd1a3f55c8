"""Crashes and crowds, on real gateway processes; `make crash` kills every step of every kind of change."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

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


async def test_a_shard_and_then_the_gateway_go_down_and_come_back_to_the_same(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        world = await enter_world(tmp_path, stack, workers=2)
        down = world.shops[2]
        await down.__aexit__(None, None, None)
        for number in range(100):
            answer = await world.ask("/notes", {"id": f"n{number:03}"})
            assert answer is not None
            assert answer.status_code == 202
        world.gateway.kill()
        begun = time.monotonic()
        await asyncio.to_thread(world.gateway.start)
        await down.__aenter__()
        assert await world.settle()
        print(f"converged {time.monotonic() - begun:.1f} s after the gateway was started again")
        held = [[name for name in shop.things.held if name.startswith("n")] for shop in world.shops]
        assert held[0] == held[1] == held[2] == [f"n{number:03}" for number in range(100)]
        assert set(down.things.effects.values()) == {1}
