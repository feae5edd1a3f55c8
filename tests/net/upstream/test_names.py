"""A name is resolved now and then, and a resolver that fails or hangs does no harm for a while."""

import asyncio
from collections.abc import Sequence

import pytest

from shardgate.core.limits import NAME_KEPT_S, NAME_LOOK_S
from shardgate.net.upstream.names import Names
from tests.net.screenplay import Clock
from tests.net.upstream.play import named


async def test_a_name_that_cannot_be_resolved_any_more_is_connected_to_its_last_addresses() -> None:
    clock = Clock()
    names = Names("shard.test", 80, named(["127.0.0.1"], []), clock)
    assert await names.addresses() == ["127.0.0.1"]
    clock.at += NAME_LOOK_S
    assert await names.addresses() == ["127.0.0.1"]
    clock.at += NAME_KEPT_S
    with pytest.raises(OSError, match="unknown"):
        await names.addresses()


async def test_a_resolver_that_hangs_is_asked_once_and_waited_for_only_where_nothing_is_known() -> None:
    asked: list[str] = []

    async def hangs(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        if len(asked) > 1:
            await asyncio.get_running_loop().create_future()
        return ["127.0.0.1"]

    clock = Clock()
    names = Names("shard.test", 80, hangs, clock)
    assert await names.addresses() == ["127.0.0.1"]
    for _ in range(3):
        clock.at += NAME_LOOK_S
        assert await names.addresses() == ["127.0.0.1"]
    assert len(asked) == 2


async def test_a_name_without_an_address_is_asked_for_again_by_the_next_connection() -> None:
    names = Names("shard.test", 80, named([], ["127.0.0.1"]), Clock())
    with pytest.raises(OSError, match="unknown"):
        await names.addresses()
    assert await names.addresses() == ["127.0.0.1"]
