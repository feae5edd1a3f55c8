"""What each client takes up of a worker, and who is refused; by a clock that the test moves."""

from collections.abc import Callable

import pytest

from shardgate.clients.loads import ClientLoads
from shardgate.core.clients.load import ClientBounds, ClientLoad
from shardgate.core.clients.shedding import LATE_S, WATCHED_FROM
from shardgate.core.errors import ClientShareError, OverloadError
from shardgate.core.limits import BACKLOG_ANSWERED_S, BACKLOG_S_MAX, CLIENTS_REMEMBERED_MAX, Limits
from shardgate.net.watch import TICK_S
from tests.net.screenplay import Clock

A, B = "192.0.2.1", "192.0.2.2"


class World:
    def __init__(self, **bounds: object) -> None:
        self.clock = Clock()
        self.fullness, self.under_way = 0.0, 0
        configured = ClientBounds(**{"connections_max": 3, "requests_max": 4, "uploads_max": 2} | bounds)  # type: ignore[arg-type]
        self.loads = ClientLoads(configured, Limits(), lambda: (self.fullness, self.under_way), self.clock)

    def ticks(self, count: int, *, late_s: float = 0.0) -> None:
        for _ in range(count):
            self.clock.at += TICK_S + late_s
            self.loads.expire()


def refused(act: Callable[[], object]) -> ClientShareError:
    with pytest.raises(ClientShareError) as found:
        act()
    assert (found.value.status, found.value.code) == (429, "SG1027")
    return found.value


def over(loads: ClientLoads, load: ClientLoad) -> None:
    """As the handler ends a request."""
    load.requests -= 1
    loads.settle(load)


def test_connections_beyond_the_bound_are_refused_and_far_beyond_it_closed() -> None:
    loads = World().loads
    for number in range(1, 3 + 64 + 2):
        load = loads.connected(A)
        assert (loads.too_many(load) is not None) is (number > 3)
        assert loads.far_too_many(load) is (number > 3 + 64)
    error = loads.too_many(load)
    assert error is not None
    assert error.budget == "client_connections"
    assert loads.too_many(loads.connected(B)) is None


def test_requests_beyond_the_bound_are_refused_and_one_that_ends_makes_room() -> None:
    loads = World().loads
    mine = loads.connected(A)
    for _ in range(4):
        loads.begin(mine, A)
    error = refused(lambda: loads.begin(mine, A))
    assert (error.budget, error.retry_after_s) == ("client_requests", 1)
    loads.begin(None, B)
    over(loads, mine)
    loads.begin(mine, A)


def test_uploads_beyond_the_bound_are_refused() -> None:
    loads = World().loads
    first, _ = loads.begin_upload(None, A), loads.begin_upload(None, A)
    assert refused(lambda: loads.begin_upload(None, A)).budget == "client_uploads"
    assert first is not None
    loads.end_upload(first)
    loads.begin_upload(None, A)


def test_a_rate_is_kept_over_all_connections_and_the_refusal_says_when_to_come_back() -> None:
    world = World(rate_per_s=0.5, burst=2, requests_max=100)
    loads = world.loads
    mine = loads.connected(A)
    for load in (mine, None):
        over(loads, loads.begin(load, A))
    error = refused(lambda: loads.begin(mine, A))
    assert (error.budget, error.retry_after_s) == ("client_rate", 2)
    world.clock.at += 2
    loads.begin(mine, A)


def test_one_network_of_ipv6_is_one_client() -> None:
    loads = World().loads
    assert loads.connected("2001:db8::1") is loads.connected("2001:db8::2")


def test_a_client_of_a_proxy_is_counted_by_the_address_that_the_proxy_names() -> None:
    loads = World().loads
    assert loads.begin(None, A) is loads.begin(None, A)
    assert loads.begin(None, B).requests == 1


def test_nothing_is_kept_of_a_client_that_has_left() -> None:
    loads = World().loads
    mine = loads.connected(A)
    loads.begin(mine, A)
    over(loads, mine)
    over(loads, loads.begin(None, B))
    assert loads.known == 1
    loads.left(mine)
    assert loads.known == 0


def test_a_client_with_a_rate_is_remembered_until_its_bucket_is_full_again() -> None:
    world = World(rate_per_s=1.0, burst=2)
    loads = world.loads
    for _ in range(2):
        over(loads, loads.begin(None, A))
    refused(lambda: loads.begin(None, A))
    world.clock.at += 3
    over(loads, loads.begin(None, B))
    assert loads.known == 1


def test_many_addresses_grow_the_memory_to_its_bound_and_no_further() -> None:
    loads = World(rate_per_s=0.000001, burst=1).loads
    here = loads.begin(None, A)
    for number in range(CLIENTS_REMEMBERED_MAX + 1000):
        over(loads, loads.begin(None, f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}"))
    assert loads.known == CLIENTS_REMEMBERED_MAX + 1
    over(loads, here)
    refused(lambda: loads.begin(None, A))


def test_a_claim_counts_in_place_of_the_address_once_it_is_verified() -> None:
    loads = World(claim="vendor", rate_per_s=1.0, burst=5).loads
    connected = loads.connected(A)
    for _ in range(4):
        mine = loads.identify(loads.begin(connected, A), {"vendor": "v-1"})
    assert (connected.requests, mine.requests) == (0, 4)
    last = loads.begin(connected, A)
    assert refused(lambda: loads.identify(last, {"vendor": "v-1"})).budget == "client_requests"
    assert loads.identify(last, None) is connected
    other = loads.identify(last, {"vendor": "v-2"})
    assert (connected.requests, other.requests) == (0, 1)
    assert loads.identify(other, {"vendor": "v-2"}) is other
    assert other.requests == 1


def test_while_a_queue_is_full_who_has_more_than_its_fair_share_is_refused_first() -> None:
    world = World(requests_max=1000)
    loads = world.loads
    heavy, light = loads.connected(A), loads.connected(B)
    for _ in range(400):
        loads.begin(heavy, A)
    loads.begin(light, B)
    world.under_way, world.fullness = 401, 0.9
    world.ticks(1)
    loads.begin(heavy, A)
    world.ticks(3)
    error = refused(lambda: loads.begin(heavy, A))
    assert error.budget == "fair_share"
    assert not loads.may_rest(heavy, error), "a refusal for the sake of all must not come late"
    loads.begin(light, B)
    world.fullness = 0.0
    world.ticks(60)
    loads.begin(heavy, A)


def test_a_connection_rests_where_its_client_itself_asks_too_much() -> None:
    loads = World().loads
    mine = loads.connected(A)
    for _ in range(4):
        loads.begin(mine, A)
    error = refused(lambda: loads.begin(mine, A))
    assert loads.may_rest(mine, error)
    assert not loads.may_rest(None, error), "a proxy's connection carries others, too"


def test_a_client_that_is_alone_is_not_cut_however_full_a_queue_is() -> None:
    world = World(requests_max=1000)
    alone = world.loads.connected(A)
    for _ in range(400):
        world.loads.begin(alone, A)
    world.under_way, world.fullness = 400, 0.9
    world.ticks(9)
    world.loads.begin(alone, A)


def test_a_full_queue_of_a_shard_is_a_crowd() -> None:
    world = World(requests_max=1000)
    heavy = world.loads.connected(A)
    for _ in range(400):
        world.loads.begin(heavy, A)
    world.loads.begin(None, B)
    world.fullness, world.under_way = 0.9, 401
    world.ticks(2)
    assert refused(lambda: world.loads.begin(heavy, A)).budget == "fair_share"


def lags(world: World, lasting_s: float) -> None:
    """The loop is late for each sample."""
    loads, ends_at = world.loads, world.clock.at + lasting_s
    looks_at = world.clock.at + TICK_S
    while world.clock.at < ends_at:
        world.clock.at = loads.shedding.expect(world.clock.at) + 2 * LATE_S
        loads.sampled(world.under_way)
        if world.clock.at >= looks_at:
            looks_at = world.clock.at + TICK_S
            loads.expire()


def shed(world: World, load: ClientLoad | None, *, is_list: bool) -> str:
    """The budget for which one more request is refused; empty: it is taken on."""
    try:
        world.loads.take_on(load, world.under_way, is_list=is_list)
    except OverloadError as error:
        return error.budget
    return ""


def test_while_the_loop_is_late_lists_are_refused_and_keyed_requests_beside_those_that_last() -> None:
    # Found: at one and a half times what a worker can do, nothing was refused and everything was late.
    world = World()
    world.under_way, world.loads.shedding.lists = 5600, 500
    world.loads.lasting = lambda: [0] * 5000
    told: list[int] = []
    world.loads.looked = lambda lag_s, most: told.append(most)
    world.ticks(3)
    assert world.loads.unwatched_max == WATCHED_FROM
    assert not shed(world, None, is_list=True)
    lags(world, 0.6)
    assert world.loads.unwatched_max == 0
    assert told[-1] < 500
    assert shed(world, None, is_list=True) == "requests_in_flight"
    assert not shed(world, None, is_list=False)
    world.under_way, world.loads.shedding.lists = 5001, 0
    world.ticks(10)
    assert not shed(world, None, is_list=True)
    assert told[-1] == 10_000


@pytest.mark.parametrize("lasting_s", [0.35, 0.6])
def test_while_the_worker_sheds_who_has_more_than_its_share_is_refused_first(lasting_s: float) -> None:
    # Found: until the next look, a quarter of a second later, nobody knew who had more.
    world = World(requests_max=1000)
    heavy, light = world.loads.connected(A), world.loads.connected(B)
    for _ in range(400):
        world.loads.begin(heavy, A)
    world.loads.begin(light, B)
    world.under_way = world.loads.shedding.lists = 401
    lags(world, lasting_s)
    world.loads.shedding.lists = world.loads.shedding.lists_max * 4 // 5
    assert shed(world, heavy, is_list=True) == "fair_share"
    assert not shed(world, light, is_list=True)


def test_the_bound_of_the_configuration_refuses_everything() -> None:
    world = World()
    world.under_way = 10_001
    assert shed(world, None, is_list=False) == "requests_in_flight"


def test_what_waited_for_a_worker_to_begin_is_taken_on() -> None:
    # Found: after a restart with its socket, clients that had waited came at once, and were refused for their share.
    world = World(requests_max=1000)
    loads = world.loads
    loads.begin_with(3)
    loads.accepted()
    world.under_way, loads.shedding.lists, world.fullness = 600, 600, 0.9
    first, second = loads.connected(A), loads.connected(B)
    for _ in range(300):
        loads.begin(first, A)
        loads.begin(second, B)
    for _ in range(2):
        loads.accepted()
        lags(world, BACKLOG_ANSWERED_S / 2 - 0.1)
    assert not shed(world, first, is_list=True)
    loads.begin(first, A)
    lags(world, 1.6)
    assert shed(world, first, is_list=True)
    assert refused(lambda: loads.begin(first, A)).budget == "fair_share"


def test_a_backlog_that_does_not_end_spares_nobody_for_long() -> None:
    world = World()
    world.loads.begin_with(1000)
    world.under_way = world.loads.shedding.lists = 600
    lags(world, BACKLOG_S_MAX)
    assert not shed(world, None, is_list=True)
    lags(world, 0.6)
    assert shed(world, None, is_list=True)
