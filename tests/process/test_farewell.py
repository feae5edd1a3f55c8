"""The end, as clients see it: a connection that the kernel has accepted is answered, a later one is refused at once."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.serving import Load, Serving
from tools.ports import reserved_port

pytestmark = pytest.mark.cluster

GET = b"GET /any HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def slow_shard() -> Iterator[socket.socket]:
    """A shard that the test answers for by hand."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        yield listening


def url_of(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def is_refused(port: int) -> bool:
    try:
        with connected(port):
            return False
    except ConnectionRefusedError:
        return True


def read_all(client: socket.socket) -> bytes:
    received = b""
    while data := client.recv(65536):
        received += data
    return received


def test_a_new_client_is_refused_at_once_while_a_request_under_way_is_answered(
    serve: Any, slow_shard: socket.socket
) -> None:
    # Found: the kernel went on accepting connections for as long as the gateway drained, and reset them at the end.
    serving = serve(shards={"one": url_of(slow_shard)})
    with connected(serving.port) as under_way:
        under_way.sendall(GET)
        shard, _ = slow_shard.accept()
        assert shard.recv(65536)
        serving.process.send_signal(signal.SIGTERM)
        serving.wait_for(lambda: is_refused(serving.port))
        started_at = time.monotonic()
        assert all(is_refused(serving.port) for _ in range(100))
        assert time.monotonic() - started_at < 1
        shard.sendall(OK)
        received = read_all(under_way)
        shard.close()
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in received
    assert serving.process.wait(8) == 0


@pytest.mark.parametrize("workers", [1, 3])
def test_clients_that_wait_in_the_queue_at_the_end_are_answered(serve: Any, shards: list[str], workers: int) -> None:
    serving = serve(shards={"one": shards[0]}, workers=workers)
    for worker in serving.started:
        os.kill(worker, signal.SIGSTOP)  # nobody accepts
    clients = [connected(serving.port) for _ in range(60)]
    for client in clients:
        client.sendall(GET)
    serving.process.send_signal(signal.SIGTERM)
    for worker in serving.started:
        os.kill(worker, signal.SIGCONT)
    for client in clients:
        with client:
            assert read_all(client).startswith(b"HTTP/1.1 200 OK")
    assert serving.process.wait(8) == 0


def test_clients_that_wait_at_an_address_that_is_left_are_answered(serve: Any, shards: list[str]) -> None:
    # Found: a reload with another `listen` reset those that waited at the old one.
    serving = serve(shards={"one": shards[0]}, workers=2)
    for worker in serving.started:
        os.kill(worker, signal.SIGSTOP)
    clients = [connected(serving.port) for _ in range(20)]
    for client in clients:
        client.sendall(GET)
    serving.write(listen=f"127.0.0.1:{reserved_port()}")
    serving.process.send_signal(signal.SIGHUP)
    serving.wait_for_line("was read anew")
    for worker in serving.started:
        os.kill(worker, signal.SIGCONT)
    for client in clients:
        with client:
            assert read_all(client).startswith(b"HTTP/1.1 200 OK")
    serving.wait_for(lambda: is_refused(serving.port))


def test_a_second_gateway_on_the_port_takes_over_and_no_request_fails(shards: list[str], tmp_path: Path) -> None:
    shared = {"listen": f"127.0.0.1:{reserved_port()}", "shards": {"one": shards[0]}}
    first = Serving(tmp_path / "first", shared)
    gateways = [first]
    load = Load(first.port)

    def take_over() -> None:
        second = Serving(tmp_path / "second", shared)
        gateways.append(second)
        assert first.end() == 0
        before = second.metrics().value("shardgate_requests_total")
        second.wait_for(lambda: second.metrics().value("shardgate_requests_total") > before + 50)

    try:
        load.during(take_over)
    finally:
        for gateway in gateways:
            gateway.close()
    assert load.failed == []
    assert load.answered > 100


def test_a_worker_that_dies_while_the_end_is_announced_is_replaced(serve: Any, shards: list[str]) -> None:
    # Found: until the delay was over, nobody accepted the clients of its queue.
    serving = serve(shards={"one": shards[0]}, workers=1, timeouts={"drain_delay_s": 600})
    serving.process.send_signal(signal.SIGTERM)
    serving.wait_for(lambda: httpx.get(f"{serving.admin}/readyz").status_code == 503)
    os.kill(serving.started[0], signal.SIGKILL)
    assert httpx.get(f"{serving.url}/any", timeout=10).status_code == 200
    assert serving.end() == 0  # asked for twice: at once


def test_clients_in_the_queue_of_a_worker_that_hangs_are_let_go_before_it_is_killed(serve: Any) -> None:
    serving = serve(workers=1)
    os.kill(serving.started[0], signal.SIGSTOP)
    with connected(serving.port) as client:
        client.sendall(GET)
        serving.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert is_refused(serving.port)
    os.kill(serving.started[0], signal.SIGKILL)
    assert serving.process.wait(8) == 1
