"""A configuration takes all of its addresses or none, and takes over those that the one before has."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import Loaded, load
from shardgate.observe.layout import Layout
from shardgate.process.generation import Generation, prepare
from tests.process.serving import CONFIG

LAYOUT = Layout({}, 0)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Any]:
    """Prepare a generation: `made(before, workers=3)`. Its sockets are closed after the test."""
    generations: list[Generation] = []

    def prepared(before: Generation | None = None, **changed: Any) -> Generation:
        generations.append(prepare(loaded(tmp_path, **changed), LAYOUT, before))
        return generations[-1]

    yield prepared
    for generation in generations:
        for each in generation.listening():
            each.close()


def loaded(folder: Path, **changed: Any) -> Loaded:
    file = folder / "shardgate.yaml"
    file.write_text(yaml.safe_dump(CONFIG | changed))
    return load(file)


def test_each_worker_has_a_socket_of_its_own_and_all_one_for_operators(made: Any) -> None:
    generation = made(workers=3)
    entrances = [generation.entrance(index) for index in range(3)]
    assert len({each for entrance in entrances for each in entrance.clients}) == 3
    assert len({entrance.admin for entrance in entrances}) == 1


def test_the_addresses_of_the_one_before_are_taken_over_with_their_sockets(made: Any) -> None:
    before = made(workers=2)
    after = made(before, workers=3)
    assert after.clients is before.clients
    assert after.admin is before.admin
    assert (before.sockets, after.sockets) == (2, 3)


def test_with_fewer_workers_no_socket_is_left_alone(made: Any) -> None:
    before = made(workers=3)
    after = made(before, workers=2)
    given = [each for index in range(2) for each in after.entrance(index).clients]
    assert {*given} == {*before.clients.sockets}


def test_another_address_has_sockets_of_its_own(made: Any) -> None:
    before = made(admin=None)
    after = made(before, listen="127.0.0.2:0", admin="127.0.0.1:0")
    assert after.clients is not before.clients
    assert before.admin is None
    assert after.admin is not None


def test_where_one_address_is_taken_the_other_is_let_go(made: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        with pytest.raises(OSError, match="in use"):
            made(listen=address, admin=f"127.0.0.1:{taken.getsockname()[1]}")
        assert made(listen=address).clients.port == int(address.rpartition(":")[2])
