"""A list that is written while its parts come is, byte for byte, the list that is made of the whole parts."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shardgate.core.contracts import Moment
from shardgate.core.dialect import AnyDialect
from shardgate.core.dialect.content_range import ContentRange
from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.link_header import LinkHeader
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError, OrderBrokenError
from shardgate.core.http import Reply
from shardgate.core.limits import LEARNED_ROWS_MAX
from shardgate.core.lists.distinct import Dedupe
from shardgate.core.lists.flow import Flow
from shardgate.core.lists.merging import ListMerging
from shardgate.core.lists.positions import alone
from shardgate.core.merge.listed import Listed
from tests.core.merge.test_listed import KEYS, ORDERS, RULE, STYLES, TABLE, Row, answer
from tests.core.requests import request

PIECES = st.lists(st.integers(1, 60), min_size=1, max_size=30)


def flowing(merging: ListMerging, replies: Mapping[str, Reply], pieces: list[int]) -> Reply:
    """The reply, its parts coming in pieces of these sizes from one shard after the other."""
    heads = {shard: Reply(reply.status, reply.fields, b"", reply.reason) for shard, reply in replies.items()}
    begun = merging.flow(heads)
    assert begun is not None
    reply, flow = begun
    rests = {shard: said.body for shard, said in replies.items()}
    written = b""
    turn = 0
    while rests:
        shard = list(rests)[turn % len(rests)]
        size = pieces[turn % len(pieces)]
        flow.feed(shard, rests[shard][:size])
        rests[shard] = rests[shard][size:]
        if not rests[shard]:
            flow.end(shard)
            del rests[shard]
        written += drained(flow)
        turn += 1
    assert flow.done
    merging.flowed()
    reply.body = written
    return reply


def in_steps(merging: ListMerging, replies: Mapping[str, Reply]) -> Any:
    steps = merging.take_in_steps(replies)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def flowing_whole(merging: ListMerging, replies: Mapping[str, Reply]) -> Reply:
    return flowing(merging, replies, [7])


def at_once(merging: ListMerging, replies: Mapping[str, Reply]) -> Any:
    return merging.take(replies)


def drained(flow: Flow) -> bytes:
    written = b""
    while (data := flow.advance()) is not None:
        written += data
    return written


@settings(max_examples=300, deadline=None)
@given(
    TABLE,
    ORDERS,
    st.integers(0, 8),
    st.none() | st.integers(1, 12),
    st.none() | st.sampled_from(["name", "id", "name,price", "open,id,rank"]),
    st.sampled_from(STYLES),
    PIECES,
    st.data(),
)
def test_both_ways_give_the_same_bytes(
    table: list[Row],
    order: list[tuple[str, bool]],
    offset: int,
    limit: int | None,
    fields: str | None,
    style: Any,
    pieces: list[int],
    data: st.DataObject,
) -> None:
    count = data.draw(st.integers(1, 4))
    shards: dict[str, list[Row]] = {f"s{n}": [] for n in range(count)}
    for n, row in enumerate(table):
        shards[f"s{data.draw(st.integers(0, count - 1))}"].append({"id": f"{n:02d}", **row})
    parts = [f"offset={offset}"] if offset else []
    parts += [f"limit={limit}"] if limit else []
    parts += [f"fields={fields}"] if fields else []
    parts += ["order=" + ",".join(("-" if down else "") + name for name, down in order)] if order else []
    asked = request(f"GET /rows?{'&'.join(parts)}")
    whole, flow = RULE.begin(asked, tuple(shards)), RULE.begin(asked, tuple(shards))
    replies = {ask.shard: answer(shards[ask.shard], ask.target.decode(), style) for ask in whole.asks()}
    stepped = RULE.begin(asked, tuple(shards))
    if offset >= len(table):  # nothing shows yet how an empty list is written: it is asked
        assert whole.take(replies) == in_steps(stepped, replies)
        return
    flown = flowing(flow, replies, pieces)
    assert flown == whole.take(replies) == in_steps(stepped, replies)
    assert list(flow.learned()) == list(whole.learned()) == list(stepped.learned())


@given(st.lists(st.lists(st.sampled_from("aab"), max_size=5), min_size=1, max_size=4), st.booleans(), PIECES)
def test_rows_that_are_equal_stand_in_the_order_of_the_shards(
    lists: list[list[str]], down: bool, pieces: list[int]
) -> None:
    rule = Listed(dialect=Offset(), keys={"id": "text"}, default_order=("-id" if down else "id",))
    rows = {f"s{n}": [{"id": key} for key in sorted(keys, reverse=down)] for n, keys in enumerate(lists)}
    replies = {
        shard: Reply(200, [], json.dumps([{**row, "of": f"{shard}.{n}"} for n, row in enumerate(given)]).encode())
        for shard, given in rows.items()
    }
    whole, flow = rule.begin(request(), tuple(rows)), rule.begin(request(), tuple(rows))
    taken = whole.take(replies)
    if not isinstance(taken, Reply):  # as many rows of two shards: they are asked whether they have more
        taken = whole.take({ask.shard: replies[ask.shard] for ask in taken})
    assert flowing(flow, replies, pieces) == taken


@pytest.mark.parametrize(
    ("dialect", "fields"),
    [
        (Offset(count_header="X-Total"), {"X-Total": b"3"}),
        (LinkHeader(page=None, limit="limit", count_header="X-Total"), {"X-Total": b"3"}),
        (ContentRange(unit="items"), {"Content-Range": b"items 0-2/3"}),
    ],
)
@pytest.mark.parametrize("query", ["", "?limit=5", "?limit=2", "?offset=4&limit=7", "?offset=4", "?offset=9&limit=20"])
def test_the_head_is_told_before_the_rows(dialect: AnyDialect, fields: dict[str, bytes], query: str) -> None:
    rule = Listed(dialect=dialect, keys={"id": "number"})
    said = [(name.encode(), value) for name, value in fields.items()]
    replies = {
        name: Reply(
            200, said, json.dumps([{"id": 2 * n + first} for n in range(2 if query == "?limit=2" else 3)]).encode()
        )
        for first, name in enumerate(("a", "b"))
    }
    whole, flow = rule.begin(request(f"GET /{query}"), ("a", "b")), rule.begin(request(f"GET /{query}"), ("a", "b"))
    assert in_steps(rule.begin(request(f"GET /{query}"), ("a", "b")), replies) == rule.begin(
        request(f"GET /{query}"), ("a", "b")
    ).take(replies)
    if query == "?offset=9&limit=20":  # no row shows how an empty list is written, or that the page is refused
        assert flow.flow(replies) is None
        return
    assert flowing(flow, replies, [7]) == whole.take(replies)


@pytest.mark.parametrize(
    "rule",
    [
        Listed(dialect=Envelope(), keys={"id": "number"}),
        Listed(dialect=Offset(), keys={"id": "number"}, dedupe=Dedupe(by="id")),
        Listed(dialect=Offset(limit_max=100), keys={"id": "number"}),
        Listed(dialect=Offset(past_end=404, limit_max=9), keys={"id": "number"}),
    ],
)
def test_what_cannot_be_told_before_the_last_row_does_not_flow(rule: Listed) -> None:
    assert not rule.begin(request(), ("a", "b")).may_flow


def test_short_pages_do_not_flow() -> None:
    assert RULE.begin(request("GET /rows"), ("a",)).may_flow
    assert RULE.begin(request("GET /rows?offset=100&limit=100"), ("a",)).may_flow
    assert not RULE.begin(request("GET /rows?offset=100&limit=99"), ("a",)).may_flow


@pytest.mark.parametrize("query", ["limit=0", "order=colour", "limit=five", "offset=5000&limit=10"])
def test_pages_that_are_looked_for_or_refused_do_not_flow(query: str) -> None:
    assert not RULE.begin(request(f"GET /rows?{query}"), ("a", "b")).may_flow


WAYS: list[Callable[[Any, Any], Reply]] = [
    lambda merging, replies: merging.take(replies),
    in_steps,
    lambda merging, replies: flowing(merging, replies, [5000]),
]


@pytest.mark.parametrize("way", WAYS)
def test_where_a_long_page_ends_is_remembered(way: Callable[[Any, Any], Reply]) -> None:
    shards = {"a": [{"id": f"{n:04d}"} for n in range(0, 1300, 3)]}
    shards["b"] = [{"id": f"{n:04d}"} for n in range(1300) if n % 3]
    asked, pages = request("GET /rows?offset=600&limit=600"), alone(10).at(0, ("a", "b"))
    merging = RULE.begin(asked, ("a", "b"), Moment(pages=pages))
    way(merging, {ask.shard: answer(shards[ask.shard], ask.target.decode(), {}) for ask in merging.asks()})
    assert pages.recall(RULE.dialect.unpaged(asked), 1200) == {"a": 400, "b": 800}


@pytest.mark.parametrize("total", [',"total":2', ""])
@pytest.mark.parametrize("query", ["", "?limit=4", "?limit=6", "?offset=1&limit=4", "?offset=9"])
def test_rows_in_an_object_are_merged_in_steps_as_at_once(total: str, query: str) -> None:
    rule = Listed(dialect=Envelope(has_more="more"), keys={"id": "number"})
    replies = {
        name: Reply(200, [], f'{{"items":[{{"id":{first}}},{{"id":{first + 2}}}],"more":false{total}}}'.encode())
        for first, name in enumerate(("a", "b"))
    }
    at_once, stepped = (rule.begin(request(f"GET /{query}"), ("a", "b")) for _ in range(2))
    assert in_steps(stepped, replies) == at_once.take(replies)


def test_without_a_stated_size_a_range_is_told_at_the_end() -> None:
    rule = Listed(dialect=ContentRange(), keys={"id": "number"})
    head = Reply(200, [(b"Content-Range", b"0-2/*")])
    assert rule.begin(request(), ("a",)).flow({"a": head}) is None


def test_a_refusal_does_not_flow() -> None:
    heads = {"a": Reply(200, []), "b": Reply(403, [])}
    assert RULE.begin(request(), ("a", "b")).flow(heads) is None


def started(*shards: str, rule: Listed = RULE, fields: tuple[tuple[bytes, bytes], ...] = ()) -> Flow:
    begun = rule.begin(request(), shards).flow({shard: Reply(200, list(fields)) for shard in shards})
    assert begun is not None
    return begun[1]


@pytest.mark.parametrize("second", [',{"id":"b"},{"id":"a"}]', ',{"id":"a"}]'])
def test_a_row_out_of_order_is_found_also_where_the_body_was_cut(second: str) -> None:
    flow = started("only")
    flow.feed("only", b'[{"id":"a"},{"id":"b"},{"id":"c"}')
    assert drained(flow) == b'[{"id":"a"},{"id":"b"},{"id":"c"}'
    flow.feed("only", second.encode())
    flow.end("only")
    with pytest.raises(OrderBrokenError, match="not in the order id"):
        drained(flow)


def test_nothing_is_written_while_a_shard_may_have_the_first_row() -> None:
    flow = started("a", "b")
    flow.feed("a", b'[{"id":"b"},{"id":"d"},')
    assert (drained(flow), flow.slowest) == (b"", "b")
    flow.feed("b", b'[{"id":"a"},{"id":"c"},')
    assert (drained(flow), flow.slowest) == (b'[{"id":"a"},{"id":"b"},{"id":"c"}', "b")
    flow.feed("b", b'{"id":"z"}]')
    flow.end("b")
    assert drained(flow) == b',{"id":"d"}'


def test_a_body_that_breaks_off_is_no_list() -> None:
    flow = started("a")
    flow.feed("a", b'[{"id":"a"},{"id":"b"}')
    flow.end("a")
    with pytest.raises(BrokenReplyError):
        drained(flow)


def test_a_head_that_promised_another_number_of_rows_is_found_out() -> None:
    rule = Listed(dialect=ContentRange(), keys={"id": "text"})
    flow = started("a", rule=rule, fields=((b"Content-Range", b"0-2/3"),))
    flow.feed("a", b'[{"id":"a"},{"id":"b"}]')
    flow.end("a")
    with pytest.raises(BrokenReplyError, match="another number of rows"):
        drained(flow)


@pytest.mark.parametrize("way", [flowing_whole, in_steps, at_once])
def test_more_rows_than_were_asked_for_are_a_broken_reply(way: Callable[[Any, Any], Any]) -> None:
    """Whoever sends a list without end to a request of five rows is found out at the sixth."""
    replies = {"a": Reply(200, [], b'[{"id":1},{"id":2},{"id":3}]'), "b": Reply(200, [], b"[]")}
    with pytest.raises(BrokenReplyError, match="more rows than it was asked for") as caught:
        way(Listed(dialect=Offset(), keys={"id": "number"}).begin(request("GET /?limit=2"), ("a", "b")), replies)
    assert caught.value.shard == "a"


@pytest.mark.parametrize(("count", "learned"), [(LEARNED_ROWS_MAX, LEARNED_ROWS_MAX), (LEARNED_ROWS_MAX + 1, 0)])
def test_a_long_list_teaches_nothing(count: int, learned: int) -> None:
    flow = started("a")
    flow.feed("a", json.dumps([{"id": f"{n:05d}"} for n in range(count)]).encode())
    flow.end("a")
    drained(flow)
    assert len(flow.learned) == learned


def test_each_step_is_short_however_much_has_come() -> None:
    rule = Listed(dialect=Offset(fields="fields"), keys=KEYS)
    begun = rule.begin(request("GET /rows?fields=name"), ("a", "b")).flow({"a": Reply(200, []), "b": Reply(200, [])})
    assert begun is not None
    flow = begun[1]
    rows = [[{"id": f"{n:05d}", "name": "x" * 40} for n in range(first, 20_000, 2)] for first in (0, 1)]
    for shard, body in zip(("a", "b"), rows, strict=True):
        flow.feed(shard, json.dumps(body).encode())
        flow.end(shard)
    counts = []
    before = 0
    while flow.advance() is not None:
        counts.append(flow.written - before)
        before = flow.written
    assert before == 20_000
    assert max(counts) <= 300
