"""Which requests of open connections last so long that they are no load."""

from typing import Any, cast

import pytest

from shardgate.core.clients.shedding import LASTING_S
from shardgate.core.exchange import Exchange
from shardgate.engine.connections import Connections
from shardgate.net.clock import now
from tests.engine.fakes import IS_COMPILED, request

pytestmark = pytest.mark.skipif(IS_COMPILED, reason="compiled classes take no fakes")


class Opened:
    """A connection, as far as it is looked at here."""

    def __init__(self, exchange: Exchange | None) -> None:
        self.exchange = exchange


def client(began_at: float, rank: int = -1, *, is_list: bool = False) -> Any:
    exchange = Exchange(request(), b"id", "192.0.2.1", began_at, 0)
    exchange.rank, exchange.is_list = rank, is_list
    return Opened(exchange)


def test_a_list_that_lasts_is_counted_among_the_lists_alone() -> None:
    # Found: it was taken from the others too, so that as many more of these were taken on.
    before = now() - LASTING_S - 1
    connections = Connections(cast(Any, None), cast(Any, None))
    clients = [client(before, 1), client(before, 0, is_list=True), client(now(), 2), Opened(None)]
    connections.open = {each: number for number, each in enumerate(clients)}
    assert connections.lasting() == [1]
