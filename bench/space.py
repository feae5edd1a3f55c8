"""The works that are measured in memory: 10,000 idle clients, and 1 GiB down and up."""

import resource
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.bulk_shard import BULK_BYTES, PIECE, shard_command
from bench.peers import Peer, Work
from bench.peers.roster import GO_RELAY, SUBJECT
from bench.processes import Running, memory_bytes, memory_peak_bytes, reset_peak, started, tree
from bench.results import Single
from bench.stage import SHARD_PORT, Bench

IDLE = "memory of an idle client connection"
DOWN = "1 GiB down: memory growth"
UP = "1 GiB up: memory growth"
CLIENTS = 10_000
_PER_SOURCE = 5_000  # a source address has some 28,000 ports for all its connections
_SETTLE_S = 1.0
_REQUEST = b"GET /v3/events/%032x HTTP/1.1\r\nHost: api.example.com\r\nAccept: application/json\r\n\r\n"


def idle_clients(bench: Bench, peers: Sequence[Peer]) -> None:
    """10,000 clients that each had one reply, and now only stay."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CLIENTS + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        note = f"`ulimit -n` allows {hard} files, {wanted} are needed"
        bench.report.singles.append(Single(work=IDLE, peer=SUBJECT.name, unit="bytes", value=None, note=note))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    chosen = [SUBJECT, *(peer for peer in peers if peer.name in {GO_RELAY.name, "nginx"})]
    with bench.stage(chosen, Work.RELAY, 4) as running:
        for name, process in running.items():
            value = _idle_bytes(process)
            note = f"{CLIENTS:,} connections, each after one request"
            bench.report.singles.append(Single(work=IDLE, peer=name, unit="bytes", value=value, note=note))
            bench.say(f"{IDLE}: {name} measured")


def _idle_bytes(process: Running) -> float:
    pids = tree(process.pid)
    with ExitStack() as stack:
        for number in range(100):
            _ask(stack, process.port, number)  # what the first requests build stays, and is not the connections'
        before = memory_bytes(pids)
        for number in range(CLIENTS):
            _ask(stack, process.port, number)
        time.sleep(_SETTLE_S)
        return (memory_bytes(pids) - before) / CLIENTS


def _ask(stack: ExitStack, port: int, number: int) -> None:
    source = f"127.0.0.{2 + number // _PER_SOURCE}"
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 10, (source, 0)))
    client.sendall(_REQUEST % number)
    data = b""
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < 1000:
        piece = client.recv(65536)
        if not piece:
            raise ConnectionError("the gateway closed a connection")
        data += piece


def bulk(bench: Bench, peers: Sequence[Peer]) -> None:
    """A body of 1 GiB in each direction: what of it stays in the gateway's memory."""
    chosen = [SUBJECT, *(peer for peer in peers if peer.name == GO_RELAY.name)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shardgate-bench-")))
        shard = started(
            shard_command(SHARD_PORT), port=SHARD_PORT, cores=[bench.cores.shards], log=folder / "shard.log"
        )
        stack.enter_context(shard)
        for peer in chosen:
            for work, send in ((DOWN, _down), (UP, _up)):
                # A process of its own for each: what one direction leaves behind would hide what the other takes.
                with bench.start(peer, [SHARD_PORT], folder) as process:
                    bench.report.singles.append(_growth(work, peer.name, process, send))
                bench.say(f"{work}: {peer.name} measured")


def _growth(work: str, peer: str, process: Running, send: Callable[[int, int], str]) -> Single:
    pids = tree(process.pid)
    _down(process.port, 1024)
    reset_peak(pids)
    before = memory_peak_bytes(pids)
    began = time.monotonic()
    try:
        refusal = send(process.port, BULK_BYTES)
    except (OSError, HTTPException) as error:
        refusal = f"{type(error).__name__}: {error}"
    took = time.monotonic() - began
    grown = memory_peak_bytes(pids) - before
    if refusal:
        return Single(work=work, peer=peer, unit="bytes", value=None, note=f"refused: {refusal}")
    return Single(work=work, peer=peer, unit="bytes", value=grown, note=f"{BULK_BYTES / took / 1e6:,.0f} MB/s")


def _down(port: int, size: int) -> str:
    client = HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("GET", f"/v3/files/{size}")
    reply = client.getresponse()
    count = 0
    while piece := reply.read(len(PIECE)):
        count += len(piece)
    client.close()
    if reply.status != 200:
        return f"{reply.status} {reply.reason}"
    return "" if count == size else f"{count} of {size} bytes came"


def _up(port: int, size: int) -> str:
    client = HTTPConnection("127.0.0.1", port, timeout=60)
    client.putrequest("PUT", f"/v3/files/{size}")
    client.putheader("Content-Length", str(size))
    client.putheader("Content-Type", "application/octet-stream")
    client.endheaders()
    try:
        for _ in range(size // len(PIECE)):
            client.send(PIECE)
    except OSError:
        pass  # an early refusal closes the connection; the reply says why
    reply = client.getresponse()
    said = reply.read()
    client.close()
    if reply.status != 200:
        return f"{reply.status} {reply.reason}"
    return "" if said == b"%d" % size else f"{said[:40]!r} of {size} bytes came"
