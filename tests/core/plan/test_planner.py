"""Request and rules in, plan out: who is asked, and who is not."""

from typing import Any

import pytest

from shardgate.core.contracts import Known, Locator
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import (
    AmbiguousKeyError,
    MissingKeyError,
    NotServedError,
    ShardDownError,
    ShardgateError,
    UnknownKeyError,
)
from shardgate.core.http import Request
from shardgate.core.locate.directory import Directory
from shardgate.core.locate.learned import Learned
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.locate.prefix import Prefix
from shardgate.core.locate.probe import Probe
from shardgate.core.merge.entity import Entity
from shardgate.core.merge.listed import Listed
from shardgate.core.parts.whole import Parts
from shardgate.core.plan.plan import FindOwner, ToAny, ToGather, ToOne
from shardgate.core.plan.planner import plan_request
from shardgate.core.routes.route import BaseRule, Plan, Route, Routes
from shardgate.core.routes.table import RouteTable
from shardgate.core.rules.any_shard import AnyShard
from shardgate.core.rules.gather import Gather
from shardgate.core.rules.one import One
from shardgate.core.topology import Shard, Topology
from tests.core.requests import request

SHARDS = {name: Shard(name, "h", 1, name) for name in ("north", "south")}
VENDOR = (Directory(), Prefix(shards={"n": "north", "s": "south"}))
EVENT = (Learned(), Probe(path="/events/{key}"))
REMEMBERED = (Learned(),)
LIST = Gather(merge=Listed(dialect=Offset(limit_default=10), keys={"id": "text", "name": "text"}))
ROUTES = [
    ("GET /events", LIST, ()),
    ("POST /events", One(key="body.vendor", locate="vendor"), VENDOR),
    ("GET /events/{id}", One(key="path.id", locate="event"), EVENT),
    ("PATCH /events/{id}", One(key="path.id", locate="event"), EVENT),
    ("GET /events/{id}/dates", One(key="path.id", locate="event"), EVENT),
    ("GET /vendors/{v}", One(key=("path.v", "query.vendor"), locate="vendor"), VENDOR),
    ("PUT /vendors/{v}", One(key="path.v", locate="vendor"), VENDOR),
    ("POST /login", One(key="form.user", locate="vendor", unknown="ask"), VENDOR),
    ("GET /strict/{v}", One(key="path.v", locate="vendor", unknown="refuse"), VENDOR),
    ("GET /tickets/{id}", One(key="path.id", locate="ticket"), REMEMBERED),
    ("DELETE /tickets/{id}", One(key="path.id", locate="ticket"), REMEMBERED),
    ("POST /notes", One(key="body.vendor", locate="vendor", unreadable="ask", unknown="ask"), VENDOR),
    ("POST /forms", One(key="form.vendor", locate="vendor", unreadable="ask", unknown="ask"), VENDOR),
    ("GET /categories", AnyShard(), ()),
    ("GET /later", None, ()),
]
TABLE = RouteTable(
    Routes(tuple(Route(line.split()[0], line.split()[1], line, rule, chain) for line, rule, chain in ROUTES))
)


def known(**learned: str) -> Known:
    memory = LearnedKeys(100)
    for key, shard in learned.items():
        memory.learn("event", key, shard)
        memory.learn("ticket", key, shard)
    return Known(Topology(SHARDS, {"vendor": {"7": "south", "8": "north", "gone": "west"}}), memory)


def plan(asked: Request, **learned: str) -> Plan:
    route, variables = TABLE.match(asked.method, asked.path)
    return plan_request(asked, route, variables, known(**learned), lambda: 0.0)


@pytest.mark.parametrize(
    ("line", "learned", "expected"),
    [
        ("GET /categories", {}, "any of north, south"),
        ("GET /vendors/7", {}, "south"),
        ("GET /vendors/n-1", {}, "north"),
        ("GET /vendors/7?vendor=7", {}, "south"),
        ("GET /vendors/unheard", {}, "any of north, south"),
        ("HEAD /vendors/7", {}, "south"),
        ("PUT /vendors/s-1", {}, "south"),
        ("GET /events/e", {}, "probe /events/e, which is the request"),
        ("GET /events/e?fields=id", {}, "probe /events/e?fields=id, which is the request"),
        ("HEAD /events/e", {}, "probe /events/e, which is the request"),
        ("GET /events/e/", {}, "probe /events/e/, which is the request"),
        ("PATCH /events/e", {}, "probe /events/e"),
        ("GET /events/e/dates", {}, "probe /events/e"),
        ("GET /events/a%20b/dates", {}, "probe /events/a%20b"),
        ("GET /events/e", {"e": "north"}, "north, or else probe /events/e, which is the request"),
        ("PATCH /events/e", {"e": "south"}, "south, or else probe /events/e"),
        ("GET /events/e", {"e": "west"}, "probe /events/e, which is the request"),
        ("GET /tickets/t", {"t": "north"}, "north"),
        ("GET /tickets/t", {}, "any of north, south"),
        ("GET /events?order=-name&limit=2&offset=1", {}, "gather /events?order=-name&limit=3"),
        ("GET /events", {}, "gather /events?limit=10"),
    ],
)
def test_a_request_becomes_a_plan(line: str, learned: dict[str, str], expected: str) -> None:
    assert told(plan(request(line), **learned)) == expected


def test_a_create_goes_where_its_body_says() -> None:
    assert told(plan(request("POST /events", body='{"vendor":7}'))) == "south"
    assert told(plan(request("POST /login", body="user=8"))) == "north"
    assert told(plan(request("POST /login", body="other=8"))) == "any of north, south"


@pytest.mark.parametrize(
    ("line", "body", "error"),
    [
        ("POST /events", "{}", MissingKeyError),
        ("POST /events", '{"vendor":"unheard"}', UnknownKeyError),
        ("POST /events", '{"vendor":7,"vendor":8}', AmbiguousKeyError),
        ("GET /vendors/7?vendor=8", "", AmbiguousKeyError),
        ("PUT /vendors/unheard", "", UnknownKeyError),
        ("GET /strict/unheard", "", UnknownKeyError),
        ("DELETE /tickets/t", "", UnknownKeyError),
        ("GET /later", "", NotServedError),
        ("GET /vendors/gone", "", ShardDownError),
    ],
)
def test_a_request_is_refused_before_anyone_is_asked(line: str, body: str, error: type[ShardgateError]) -> None:
    with pytest.raises(error):
        plan(request(line, body=body))


@pytest.mark.parametrize("body", ["{", '{"vendor":"7"', "no JSON", '{"vendor": }', "[1", '{"vendor":"7" "a":1}'])
def test_a_body_that_no_parser_reads_is_refused_in_the_words_of_any_shard(body: str) -> None:
    # Found: six applications of others refuse a broken body in words of their own.
    assert told(plan(request("POST /notes", body=body))) == "any of north, south"
    with pytest.raises(AmbiguousKeyError):
        plan(request("POST /events", body=body))


@pytest.mark.parametrize(
    "body",
    [
        '{"vendor":"7","vendor":"8"}',
        '{"vendor":"7","Vendor":"8"}',
        '{"vendor":"7",}',
        "{'vendor':'7'}",
        '{vendor:"7"}',
        '{"vendor":"7","price":NaN}',
        '{"vendor":"7","price":-Infinity}',
        '{"vendor":"7","price":.5}',
        '{"vendor":"7","price":+5}',
        '{"vendor":"7","price":0x1F}',
        '{"vendor":"7"} // mine',
        b'{"vendor":"7","name":"\xff"}',
        '{"vendor":"7"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"vendor":"7"}',
    ],
)
def test_a_body_that_a_lenient_parser_may_read_is_refused(body: str | bytes) -> None:
    with pytest.raises(AmbiguousKeyError):
        plan(request("POST /notes", body=body))


def test_a_body_of_another_type_is_refused_in_the_words_of_any_shard() -> None:
    form = "Content-Type: application/x-www-form-urlencoded"
    assert told(plan(request("POST /notes", form, body="vendor=7"))) == "any of north, south"
    assert told(plan(request("POST /forms", "Content-Type: text/csv", body="vendor=7"))) == "any of north, south"
    for line in ("POST /events", "POST /login"):
        with pytest.raises(AmbiguousKeyError):
            plan(request(line, "Content-Type: text/csv", body="vendor=7"))


def test_an_owner_that_the_configuration_does_not_have_is_an_unavailable_shard() -> None:
    # Found: a directory with the name of a shard that is not configured ended the connection without a reply.
    with pytest.raises(ShardDownError) as caught:
        plan(request("GET /vendors/gone"))
    assert "west" not in caught.value.detail
    assert "west" in caught.value.log


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "../x", "a%2Fb", "a\\\\b", "a;b"])
def test_a_key_that_is_no_path_segment_is_never_probed(key: str) -> None:
    # Found: a key in a body could make a probe of any other path: `..` asked every shard for `/`, "" for the list.
    by_body = Route("GET", "/e", "e", One(key="body.id", locate="event"), EVENT)
    planned = plan_request(request("GET /e", body=f'{{"id":"{key}"}}'), by_body, {}, known(), lambda: 0.0)
    assert isinstance(planned, ToAny)


def test_two_gateways_make_the_same_plan() -> None:
    for line in ("GET /vendors/7", "GET /events?limit=2", "GET /events/e"):
        assert told(plan(request(line))) == told(plan(request(line)))


def told(made: Plan) -> str:
    """A plan in one line."""
    result: Any
    if isinstance(made, ToAny):
        return f"any of {', '.join(made.shards)}"
    if isinstance(made, FindOwner):
        assert tuple(made.shards) == ("north", "south")
        return f"probe {made.target.decode()}" + (", which is the request" if made.is_the_request else "")
    if isinstance(made, ToGather):
        asks = made.merging.asks()
        assert [ask.shard for ask in asks] == ["north", "south"]
        (result,) = {ask.target for ask in asks}
        return f"gather {result.decode()}"
    assert isinstance(made, ToOne)
    return made.shard if made.doubted is None else f"{made.shard}, or else {told(made.doubted)}"


def test_only_a_gather_reads_the_clock() -> None:
    """It is the hot path of relays that must not pay for the cursors of lists."""
    read = []

    def clock() -> float:
        read.append(1)
        return 12.0

    for line in ("GET /categories", "GET /vendors/7", "GET /events/e", "POST /login"):
        asked = request(line, body="user=7")
        route, variables = TABLE.match(asked.method, asked.path)
        plan_request(asked, route, variables, known(), clock)
    assert read == []
    route, variables = TABLE.match("GET", "/events")
    plan_request(request("GET /events"), route, variables, known(), clock)
    assert read == [1]


@pytest.mark.parametrize(
    ("rule", "chain", "expected"),
    [
        (One(key="path.v", locate="vendor"), VENDOR, "v"),
        (One(key="path.v", locate="vendor"), (Prefix(shards={"n": "north"}), Learned()), "v"),
        (One(key=("path.v", "query.vendor"), locate="vendor"), VENDOR, ""),
        (One(key="query.v", locate="vendor"), VENDOR, ""),
        (One(key="path.v", locate="vendor", parts=Entity(parts=Parts())), VENDOR, ""),
        (One(key="path.v", locate="vendor"), (Learned(), *VENDOR), ""),
        (One(key="path.v", locate="vendor"), (), ""),
        (LIST, (), ""),
    ],
)
def test_only_a_key_of_the_path_that_one_look_decides_is_planned_without_its_rule(
    rule: BaseRule, chain: tuple[Locator, ...], expected: str
) -> None:
    assert rule.direct(chain) == expected


@pytest.mark.parametrize("key", ["7", "8", "n-1", "x", "gone"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_request_that_is_planned_without_its_rule_gets_the_same_plan(method: str, key: str) -> None:
    rule = One(key="path.v", locate="vendor")
    asked = request(f"{method} /vendors/{key}")
    routes = [
        Route(method, "/vendors/{v}", "v", rule, VENDOR, chain="vendor", direct=direct, finder=finder)
        for direct, finder in (("", None), ("v", VENDOR[0]))
    ]

    def planned(route: Route) -> tuple[object, ...]:
        try:
            found = plan_request(asked, route, {"v": key}, known(), lambda: 0.0)
        except ShardgateError as error:
            return type(error), str(error)
        return type(found), *[getattr(found, name, None) for name in ("shard", "key", "shards", "doubted")]

    assert planned(routes[0]) == planned(routes[1])


def test_a_key_that_is_too_long_is_refused_and_its_body_is_not_read_again() -> None:
    """Found: where the rule leaves a body that nobody reads to the application, 16 MB were decoded twice."""
    body = b'{"vendor":' + b"9" * 2000  # read once more, it would be no JSON, and asked of any shard
    with pytest.raises(AmbiguousKeyError, match="has more than 1024 characters"):
        plan(request("POST /notes", body=body))
