"""Whatever `check` calls right can be served: made-up configurations are checked, built, asked and explained.

`GENERATED=8000:100000 pytest tests/core/rulebook/test_generated.py` makes other cases: first number, how many.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from shardgate.core.contracts import Known, Merging
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.whole import Whole
from shardgate.core.errors import ClientError, NotServedError, UpstreamError
from shardgate.core.http import Reply, Request
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.merge.listed import Listed
from shardgate.core.order.sort_key import EVERY, sort_key
from shardgate.core.plan.explain import explain
from shardgate.core.plan.plan import ToGather
from shardgate.core.plan.planner import plan_request
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import Route, Routes
from shardgate.core.routes.table import RouteTable
from shardgate.core.routes.template import variables_of
from shardgate.core.rulebook.build import build_routes
from shardgate.core.rulebook.document import Rulebook
from shardgate.core.topology import Shard, Topology
from shardgate.core.wire.request_head import RequestHeadParser
from tests.core.requests import request
from tests.core.rulebook.generated import Case, make, smaller

FIRST, CASES = (int(number) for number in os.environ.get("GENERATED", "0:8000").split(":"))
SHARDS = {name: Shard(name, "h", 1, name) for name in ("north", "south")}
KNOWN = Known(
    Topology(SHARDS, {name: {"7": "north", "é": "south"} for name in ("first", "second", "third", "id", "v")}),
    LearnedKeys(100),
)
QUERIES = [
    "",
    "v=7",
    "v=7,8&vendor=%C3%A9",
    "limit=3&offset=2",
    "page=2&limit=1",
    "starting_after=7&limit=1",
    "ending_before=7",
    "order=-name&sort=id",
    "a%5Bb%5D=7&id=7",
]
BODIES = [
    b"",
    b"{}",
    b'{"v":7,"a":{"b":"7"},"items":[{"id":"7"},{"id":8}],"id":"x"}',
    b'[{"id":"7","v":7,"name":"7"}]',
    b"v=7&x",
    b"\xff",
]
REPLIES = [b"[]", b"{}", b"5", b'{"id":7,"items":[],"total":0,"data":[]}', b'[{"id":"7","name":"n"}]', b"\xff", b""]


def built(case: Case, rule: Any = None) -> tuple[Routes, list[Mistake]]:
    operation = case.operation
    book = Rulebook(
        {operation: operation}, {operation: rule or case.rule}, {operation: f"rules.{operation}"}, case.locators, {}, {}
    )
    return build_routes(book, SHARDS, method_override=None, trailing_slash=True)


def asked(route: Route) -> Iterator[Request]:
    """Requests of an operation."""
    for value in ("7", "é"):
        path = re.sub(r"\{[^{}]+\}", quote(value), route.template)
        path = quote(path, safe="/%!$&'()*+,=:@-._~{}")
        for query in QUERIES:
            body = BODIES[len(query) % len(BODIES)]
            line = f"{route.method} {path}{'?' if query else ''}{query}"
            yield request(line, "X-V: 7", "Content-Type: application/json", body=body)
    for body in BODIES:
        yield request(f"{route.method} {path}", "Authorization: Basic Nzp4", body=body)


def serve(routes: Routes) -> None:
    """Match, plan, explain, merge: no exception but those that a client or a shard is told of."""
    table = RouteTable(routes)
    (route,) = routes.routes
    for each in asked(route):
        found, variables = table.match(each.method, each.path)
        assert found is route
        assert list(variables) == variables_of(route.template)
        try:
            plan = plan_request(each, route, variables, KNOWN, lambda: 0.0)
            assert explain(each, plan)
        except (ClientError, UpstreamError) as error:
            if isinstance(error, NotServedError):
                raise AssertionError("a rule is not served") from error
            continue
        if isinstance(plan, ToGather):
            for body in REPLIES:
                plan = plan_request(each, route, variables, KNOWN, lambda: 0.0)
                assert isinstance(plan, ToGather)
                merge(plan.merging, body)
            if not each.query:
                check_list(route, each, variables)
    for target in targets(route.rule):
        RequestHeadParser().parse(f"GET {target} HTTP/1.1\r\nHost: a\r\n".encode())


def merge(merging: Merging, body: bytes, others: bytes | None = None) -> Reply | None:
    """The reply where `north` gives this body, and others the same or another; None where it is none for the rule."""
    try:
        asks = merging.asks()
        for _ in range(5):
            for ask in asks:
                RequestHeadParser().parse(b"GET %b HTTP/1.1\r\nHost: a\r\n" % ask.target)
            bodies = {ask.shard: body if others is None or ask.shard == "north" else others for ask in asks}
            taken = merging.take({shard: Reply(200, [], said) for shard, said in bodies.items()})
            if isinstance(taken, Reply):
                return taken
            asks, body = taken, body if others is None else others  # a shard has no second page
    except (ClientError, UpstreamError):
        pass
    return None


VALUES = {"text": "7", "number": 7, "decimal": "7", "boolean": True, "time": "2026-01-01T00:00:00Z"}


def check_list(route: Route, each: Request, variables: dict[str, str]) -> None:
    """A list whose rows have all sort keys is merged: otherwise every request would be answered 502."""
    listed = getattr(route.rule, "merge", None)
    if not isinstance(listed, Listed) or not isinstance(listed.dialect, Offset | Whole) or listed.parts:
        return
    row: dict[str, Any] = {}
    named = [name for name in (*listed.default_order, listed.tie) if name is not None]
    keys = {name.removeprefix("-"): listed.sort_keys.get(EVERY, "text") for name in named} | {**listed.sort_keys}
    for name, config in keys.items():
        *outer, last = sort_key(config).place(name)
        inner = row
        for member in outer:
            inner = inner.setdefault(member, {})
        kind = sort_key(config).type
        inner[last] = VALUES[sort_key(config).types[0] if kind == "any" else kind]
    plan = plan_request(each, route, variables, KNOWN, lambda: 0.0)
    assert isinstance(plan, ToGather)
    assert merge(plan.merging, msgspec.json.encode([row]), b"[]") is not None, row


def targets(value: Any) -> Iterator[str]:
    """The paths that the gateway itself asks for, filled in."""
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            inner = getattr(value, field.name)
            is_path = field.name in {"check", "read", "row"} or (field.name == "path" and str(inner).startswith("/"))
            if isinstance(inner, str) and is_path:
                yield re.sub(r"\{[^{}]*\}", "7", inner)
            yield from targets(inner)


def failure_of(case: Case) -> Exception | None:
    """What goes wrong, though `check` finds nothing; None: nothing does."""
    try:
        routes, mistakes = built(case)
        if not mistakes:
            serve(routes)
    except Exception as error:
        return error
    return None


def shrunk(case: Case, kind: type[Exception]) -> Case:
    """A small case that fails in the same way."""
    for less in smaller(case):
        if type(failure_of(less)) is kind:
            return shrunk(less, kind)
    return case


@pytest.mark.timeout(400)  # it takes 35 s of a processor alone, and three minutes on one that many share
def test_what_check_calls_right_is_served() -> None:
    right: Counter[str] = Counter()
    for number in range(FIRST, FIRST + CASES):
        case = make(number)
        if (error := failure_of(case)) is not None:
            small = shrunk(case, type(error))
            raise AssertionError(f"case {number}: {small!r}") from failure_of(small)
        _, mistakes = built(case)
        assert all(mistake.problem and mistake.cure for mistake in mistakes)
        right[case.rule["rule"]] += not mistakes
    # Configurations that are all wrong would show nothing.
    assert len(right) == 7
    assert min(right.values()) >= CASES // 100, right
