"""A request that is over leaves no reference cycles for the garbage collector."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.micro.whole import WholeGateway


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[WholeGateway]:
    with WholeGateway(tmp_path) as gateway:
        yield gateway


def garbage_of(requests: Callable[[], object]) -> int:
    requests()
    while gc.collect():  # what tests before this one have left may take several rounds, and is not ours
        pass
    gc.disable()
    try:
        requests()
        return gc.collect()
    finally:
        gc.enable()


def test_a_relayed_request_leaves_no_garbage(gateway: WholeGateway) -> None:
    assert garbage_of(gateway.relay()) == 0


def test_a_gathered_list_leaves_no_garbage(gateway: WholeGateway) -> None:
    assert garbage_of(gateway.gather()) == 0


def test_a_whole_list_leaves_no_garbage(gateway: WholeGateway) -> None:
    assert garbage_of(gateway.whole_list(50)) == 0
