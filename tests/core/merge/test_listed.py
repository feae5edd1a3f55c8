"""A merged page is the page that one instance with all the rows would give, byte for byte."""

import json
from functools import cmp_to_key
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.whole import Whole
from shardgate.core.errors import BrokenReplyError, OrderBrokenError, UnreadablePageError
from shardgate.core.http import Reply
from shardgate.core.merge.listed import Listed
from shardgate.core.order.sort_key import SortKey
from tests.core.requests import request

Row = dict[str, Any]
KEYS = {
    "id": SortKey(),
    "name": SortKey(),
    "price": SortKey(type="number", nulls="last"),
    "rank": SortKey(type="number", nulls="first"),
    "open": SortKey(type="boolean"),
    "floor": SortKey(type="number", nulls="always_last"),
    "tier": SortKey(nulls="always_first"),
}
RULE = Listed(dialect=Offset(fields="fields", count_header="X-Total"), keys=KEYS)
TABLE = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["", "a", "A", "é", "b", "ab", "😀", '"\\/\n']),
            "price": st.none() | st.sampled_from([0, -1, 1, 1.5, 10**20, -0.0]),
            "rank": st.none() | st.integers(0, 2),
            "open": st.booleans(),
        },
        # Found (L4): a row that leaves a member out was a broken reply, and not one without a value.
        optional={"floor": st.none() | st.integers(0, 2), "tier": st.none() | st.sampled_from("ab")},
    ),
    max_size=14,
)
ORDERS = st.lists(
    st.tuples(st.sampled_from(["name", "price", "rank", "open", "id", "floor", "tier"]), st.booleans()),
    max_size=4,
    unique_by=lambda k: k[0],
)
STYLES: list[dict[str, Any]] = [{"separators": (",", ":")}, {}, {"indent": 1}]


@settings(max_examples=150, deadline=None)
@given(TABLE, ORDERS, st.integers(0, 8), st.none() | st.integers(0, 8), st.sampled_from(STYLES), st.data())
def test_any_page_is_the_monoliths(
    table: list[Row], order: list[tuple[str, bool]], offset: int, limit: int | None, style: Any, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, 4))
    shards: dict[str, list[Row]] = {f"s{n}": [] for n in range(count)}
    rows = [{"id": f"{n:02d}", **row} for n, row in enumerate(table)]
    for row in rows:
        shards[f"s{data.draw(st.integers(0, count - 1))}"].append(row)
    query = "&".join(
        [f"offset={offset}"]
        + ([f"limit={limit}"] if limit is not None else [])
        + (["order=" + ",".join(("-" if down else "") + name for name, down in order)] if order else [])
    )
    merging = RULE.begin(request(f"GET /rows?{query}"), tuple(shards))
    replies = {ask.shard: answer(shards[ask.shard], ask.target.decode(), style) for ask in merging.asks()}
    shuffled = dict(data.draw(st.permutations(list(replies.items()))))
    merged = merging.take(shuffled)
    expected = answer(rows, f"/rows?{query}", style)
    assert (merged.body, merged.fields) == (expected.body, expected.fields)


@given(TABLE, st.sampled_from(STYLES), st.sampled_from(["name", "id", "name,price"]))
def test_one_shard_in_is_the_same_bytes_out(table: list[Row], style: Any, fields: str) -> None:
    rows = [{"id": f"{n:02d}", **row} for n, row in enumerate(table)]
    target = f"/rows?order=-name&fields={fields}"
    merging = RULE.begin(request(f"GET {target}"), ("only",))
    (ask,) = merging.asks()
    assert merging.take({"only": answer(rows, ask.target.decode(), style)}) == answer(rows, target, style)


def answer(rows: list[Row], target: str, style: Any) -> Reply:
    """What an application that holds these rows replies."""
    values = dict(part.split("=") for part in target.partition("?")[2].split("&") if part)
    order = [(name.removeprefix("-"), name.startswith("-")) for name in values.get("order", "id").split(",")]
    ranked = sorted(rows, key=cmp_to_key(lambda a, b: compare(a, b, [*order, ("id", False)])))
    start = int(values.get("offset", "0"))
    page = ranked[start : start + int(values["limit"])] if "limit" in values else ranked[start:]
    if "fields" in values:
        page = [{name: row[name] for name in row if name in values["fields"].split(",")} for row in page]
    fields = [(b"Content-Type", b"application/json"), (b"x-total", b"%d" % len(rows))]
    return Reply(200, fields, json.dumps(page, **style).encode())


def compare(a: Row, b: Row, order: list[tuple[str, bool]]) -> int:
    for name, down in order:
        x, y, nulls = a.get(name), b.get(name), KEYS[name].nulls or ""
        if x == y:
            continue
        above = (x is None) == nulls.endswith("last") if x is None or y is None else x > y
        if nulls.startswith("always") and (x is None or y is None):
            above = above != down
        return -1 if above == down else 1
    return 0


def listed(query: str, *bodies: str | Reply, rule: Listed = RULE) -> Reply:
    """Merge these replies of shards."""
    shards = [f"s{n}" for n in range(len(bodies))]
    merging = rule.begin(request(f"GET /rows{query}"), shards)
    replies = {
        shard: body if isinstance(body, Reply) else Reply(200, [], body.encode())
        for shard, body in zip(shards, bodies, strict=True)
    }
    return merging.take(replies)


def target(query: str, rule: Listed = RULE) -> str:
    ask, _ = rule.begin(request(f"GET /rows{query}"), ["s0", "s1"]).asks()
    return ask.target.decode()


def test_rows_keep_their_bytes() -> None:
    one = r'[{"id":"a","x":1e400,"é":"\u00e9","n":1.0,"m":-0}]'
    two = '[{"id":"b","big":123456789012345678901234567890}]'
    assert listed("", one, two).body.decode() == one[:-1] + "," + two[1:]


def test_a_query_that_ends_with_a_question_mark_keeps_it() -> None:
    # Found: `?q=what?` was asked as `?q=what`.
    assert target("?q=what?") == "/rows?q=what?"
    assert target("?") == "/rows"
    assert target("") == "/rows"


def test_a_page_that_cannot_be_read_is_asked_as_it_came() -> None:
    for query in ("?limit=x", "?order=unknown", "?order=", "?order=name,name", "?fields=,"):
        assert target(query) == f"/rows{query}"
        with pytest.raises(UnreadablePageError):
            listed(query, "[]")
    refusal = Reply(400, [], b"no")
    assert listed("?limit=x", refusal, refusal) is refusal


def test_the_refusal_does_not_depend_on_which_shard_was_quicker() -> None:
    # Found: of two different refusals with the same status, the one that came first was given.
    merging = RULE.begin(request("GET /rows"), ["s0", "s1"])
    one, two = Reply(400, [], b"one"), Reply(400, [], b"two")
    assert merging.take({"s1": two, "s0": one}) is one
    assert merging.take({"s0": one, "s1": two}) is one


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "{}",
        "[1]",
        '[{"id":1}]',
        '[{"name":"a"}]',
        '[{"id":"a"',
        '[{"id":"a","x":"\x00"}]',
        '[{"id":"a","x":' + "[" * 100_000 + "]" * 100_000 + "}]",
        '{"items":[]}',
        "nil",
    ],
)
def test_one_broken_list_breaks_the_merge(broken: str) -> None:
    with pytest.raises(BrokenReplyError):
        listed("", '[{"id":"a"}]', broken)


def test_a_row_with_a_member_twice_is_broken_where_something_is_taken_out() -> None:
    with pytest.raises(BrokenReplyError):
        listed("?fields=name", '[{"name":"a","id":"a","name":"b"}]')


def test_rows_out_of_order_are_never_merged() -> None:
    with pytest.raises(OrderBrokenError):
        listed("", '[{"id":"b"},{"id":"a"}]', "[]")


@pytest.mark.parametrize("second", [None, b"", b"many"])
def test_a_total_that_one_shard_does_not_state_is_never_given_as_exact(second: bytes | None) -> None:
    # Found: the sum of those that were stated was given as the whole.
    fields = [] if second is None else [(b"X-Total", second)]
    with pytest.raises(BrokenReplyError):
        listed("", Reply(200, [(b"X-Total", b"3")], b"[]"), Reply(200, fields, b'[{"id":"a"}]'))


def test_a_page_teaches_where_its_rows_live() -> None:
    merging = RULE.begin(request("GET /rows?limit=2&offset=1"), ["s0", "s1"])
    bodies = {"s0": b'[{"id":"a"},{"id":"c"}]', "s1": b'[{"id":"b"},{"id":"d"}]'}
    merging.take({shard: Reply(200, [], body) for shard, body in bodies.items()})
    assert merging.learned() == [("b", "s1"), ("c", "s0")]


def test_a_sort_key_that_was_not_asked_for_is_asked_and_taken_out() -> None:
    assert target("?fields=name&order=-price") == "/rows?order=-price&fields=name,price,id"
    merged = listed(
        "?fields=name&order=-price", '[{"id":"a","name":"x","price":1}]', '[{"price":2,"name":"y","id":"b"}]'
    )
    assert merged.body == b'[{"name":"y"},{"name":"x"}]'
    assert target("?fields=id,name") == "/rows?fields=id,name"


def test_numbers_of_any_length_are_the_applications_to_judge() -> None:
    # Found: a limit or an offset of 16 digits or more was a 400 of the gateway, where the application gives a list.
    most = "9" * 20
    assert target(f"?limit={most}") == f"/rows?limit={most}"
    assert target(f"?limit={most}&offset=7") == f"/rows?limit={most}"
    assert target(f"?limit=5&offset={most}") == f"/rows?limit=5&offset={most}"
    one, two = '[{"id":"a"},{"id":"c"}]', '[{"id":"b"}]'
    assert listed(f"?limit={most}&offset=1", one, two).body == b'[{"id":"b"},{"id":"c"}]'
    assert listed(f"?limit=5&offset={'9' * 5000}", "[]", "[]").body == b"[]"


def test_a_shard_that_does_not_count_the_offset_is_found_out() -> None:
    with pytest.raises(BrokenReplyError):
        listed(f"?offset={'9' * 20}", '[{"id":"a"}]', "[]")
    with pytest.raises(BrokenReplyError):
        listed("?limit=0", '[{"id":"a"}]', "[]")


def test_the_first_round_of_a_deep_page_asks_for_the_clients_own_properties() -> None:
    # Found: the search for a deep page left out the client's `fields`, so that another mistake was refused before it.
    assert "fields=name,bogus,id" in target("?offset=5000&limit=10&fields=name,bogus")
    assert "fields=name,id" in target("?offset=5000&limit=10&order=name")


def test_a_key_deeper_in_the_row_is_asked_for_by_its_property_and_taken_out() -> None:
    rule = Listed(
        dialect=Offset(fields="fields"), keys={"id": SortKey(), "vendor.name": SortKey(), "vendor.city": "text"}
    )
    query = "?fields=id&order=vendor.name,-vendor.city"
    assert target(query, rule) == "/rows?order=vendor.name,-vendor.city&fields=id,vendor"
    one, two = '[{"id":"a","vendor":{"name":"B","city":"x"}}]', '[{"vendor":{"city":"y","name":"A"},"id":"b"}]'
    assert listed(query, one, two, rule=rule).body == b'[{"id":"b"},{"id":"a"}]'
    assert target("?fields=vendor&order=vendor.name", rule) == "/rows?order=vendor.name&fields=vendor,id"
    assert target("?offset=9999&limit=5&order=vendor.name,vendor.city", rule).endswith("&fields=vendor,id")


def test_what_a_page_teaches_is_what_the_row_says_however_it_compares() -> None:
    rule = Listed(dialect=Offset(), keys={"id": SortKey(collation="case_insensitive")})
    merging = rule.begin(request("GET /rows"), ["s0", "s1"])
    merging.take({"s0": Reply(200, [], b'[{"id":"B"}]'), "s1": Reply(200, [], b'[{"id":"a"},{"id":"C"}]')})
    assert merging.learned() == [("a", "s1"), ("B", "s0"), ("C", "s1")]


@pytest.mark.parametrize(
    "line",
    [
        *("X-Page: 2", "X-Per-Page: 5", "X-Limit: 10", "X-Offset: 40", "Page-Size: 5", "X-Pagination-Limit: 5"),
        *("X-PageSize: 5", "x-page-number: 3", "X-Cursor: abc", "X_Page: 2", "Page: 2", "X-Paging-Skip: +3"),
    ],
)
@pytest.mark.parametrize("dialect", [Offset(), Whole(), Envelope()])
def test_l10_a_field_of_the_head_that_pages_is_refused(line: str, dialect: Any) -> None:
    # Found: `X-Page: 2` reached every shard, and the second pages of all were merged into one, with 200.
    name = line.partition(":")[0]
    with pytest.raises(UnreadablePageError) as caught:
        Listed(dialect=dialect, keys=KEYS).begin(request("GET /rows", line), ("a", "b"))
    assert f"`{name.title()}: " in caught.value.detail
    assert caught.value.about == {"field": name.title()}
    for changes in ({"passes": (name,)}, {"names": "exact"}):
        rule = Listed(dialect=msgspec.structs.replace(dialect, **changes), keys=KEYS)
        assert rule.begin(request("GET /rows", line), ("a", "b")).asks()


def test_fields_that_do_not_page_reach_the_shards() -> None:
    lines = [
        "X-Page: home",
        "X-Start: t=1690000000.1",
        "X-Request-Id: 5",
        "X-Size: XL",
        "X-Limits: 5",
        "Range: bytes=0-4",
    ]
    assert RULE.begin(request("GET /rows", *lines), ("a", "b")).asks()
    fixed = Listed(dialect=Offset(limit=None, limit_default=20), keys=KEYS)
    assert fixed.begin(request("GET /rows", "X-Per-Page: 5"), ("a", "b")).asks()
