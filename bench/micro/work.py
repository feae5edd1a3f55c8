"""The hot modules, each at the work that it does for a relayed request or a gathered list.

Every work is a factory: what it makes once is not measured, what it returns is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import yaml

from bench.micro.messages import HEADERS, KEYED, LISTED, RULES, keyed_reply, list_reply
from bench.micro.whole import GATHERS, RELAYS, WholeGateway
from shardgate.config.load import load
from shardgate.core.contracts import Known
from shardgate.core.http import Reply, Request
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.plan.plan import ToGather
from shardgate.core.plan.planner import plan_request
from shardgate.core.routes.table import RouteTable
from shardgate.core.topology import Topology
from shardgate.core.wire.chunked import ChunkedDecoder
from shardgate.core.wire.fields import FieldReader
from shardgate.core.wire.forwarding import hop_lines, relayed_head, request_head
from shardgate.core.wire.reply_head import ReplyHeadParser
from shardgate.core.wire.request_fields import interpret
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.net.clock import wall


class Work(msgspec.Struct, frozen=True):
    """Something to measure."""

    name: str
    run: Callable[[], object]
    per_run: int = 1
    """Operations in one run."""


@contextmanager
def all_work() -> Iterator[list[Work]]:
    """Everything that is measured; the whole gateway runs meanwhile, in memory."""
    with (
        TemporaryDirectory() as folder,
        WholeGateway(Path(folder)) as whole,
        WholeGateway(Path(folder), replicas=2) as replicated,
    ):
        yield [
            Work("relay, whole", whole.relay(), RELAYS),
            Work("relay, two replicas, whole", replicated.relay(), RELAYS),
            Work("gather 4 x 10, whole", whole.gather(), GATHERS),
            Work("list 4 x 10, whole", whole.whole_list(10), GATHERS),
            Work("list 4 x 50, whole", whole.whole_list(50), GATHERS),
            *_wire(),
            *_decisions(Path(folder)),
        ]


def _wire() -> list[Work]:
    head = b"GET %b HTTP/1.1\r\n%b" % (KEYED.encode(), HEADERS[:-2])
    section = HEADERS[:-4]
    parser, reply_parser, known_lines = RequestHeadParser(), ReplyHeadParser(), FieldReader()
    said = keyed_reply(880)
    reply_bytes = said[: said.index(b"\r\n\r\n") + 2]
    request, reply = parser.parse(head), reply_parser.parse(reply_bytes)
    read = known_lines.read(section)
    hop = hop_lines("127.0.0.1", "http")
    body = b"370\r\n" + b"x" * 880 + b"\r\n"
    fields = request.fields
    return [
        Work("request head, block known", lambda: parser.parse(head)),
        Work("request head, all new", lambda: RequestHeadParser().parse(head)),
        Work("field reader, lines known", lambda: known_lines.read(section)),
        Work("fields interpreted", lambda: interpret(read)),
        Work("reply head, known", lambda: reply_parser.parse(reply_bytes)),
        Work("reply head, of another length", _lengths(reply_bytes)),
        Work("reply head, all new", lambda: ReplyHeadParser().parse(reply_bytes)),
        Work(
            "head to a shard",
            lambda: request_head(
                request.sent_method, request.target, fields.host, fields.end_to_end, hop, b"id-1", b""
            ),
        ),
        Work("head to the client", lambda: relayed_head(reply, b"Content-Length: 880\r\n")),
        Work("chunked, 4 x 880 bytes", lambda: ChunkedDecoder().feed(body * 4 + b"0\r\n\r\n")),
    ]


def _lengths(head: bytes) -> Callable[[], object]:
    """Read a head whose length is new each time."""
    parser, numbers = ReplyHeadParser(), count(1_000_000)
    before, _, _ = head.partition(b"content-length")
    return lambda: parser.parse(b"%bcontent-length: %d\r\n" % (before, next(numbers)))


def _decisions(folder: Path) -> list[Work]:
    file = folder / "decisions.yaml"
    file.write_text(yaml.safe_dump(RULES))
    loaded = load(file)
    table, topology = RouteTable(loaded.routes), Topology(loaded.shards)
    known = Known(topology, LearnedKeys(1000))
    keyed, listed = _request(KEYED), _request(LISTED)
    route, variables = table.match("GET", keyed.path)
    lists, _ = table.match("GET", listed.path)
    replies = {shard: _listed(number) for number, shard in enumerate(topology.shards)}

    def merged() -> object:
        plan = plan_request(listed, lists, {}, known, wall)
        if not isinstance(plan, ToGather):
            raise TypeError("a list is asked of every shard")
        plan.merging.asks()
        outcome = plan.merging.take(replies)
        if not isinstance(outcome, Reply):
            raise TypeError("one round is enough for the first page")
        return outcome

    merged()
    return [
        Work("route match", lambda: table.match("GET", keyed.path)),
        Work("key, locate, plan", lambda: plan_request(keyed, route, variables, known, wall)),
        Work("list plan and merge, 4 x 10", merged),
    ]


def _request(target: str) -> Request:
    return RequestHeadParser().parse(b"GET %b HTTP/1.1\r\n%b" % (target.encode(), HEADERS[:-2]))


def _listed(number: int) -> Reply:
    said = list_reply(10, number)
    head, _, body = said.partition(b"\r\n\r\n")
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    return Reply(200, [(name, value) for name, _, value in lines], body)
