"""An application that limits pages by itself, without a word of the rule, is found out, or its list ends there."""

import json
import tracemalloc
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import pytest

from shardgate.core.contracts import Ask, Listing
from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.whole import Whole
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.json.array import cut
from shardgate.core.lists.cut_short import Suspects
from shardgate.core.lists.merging import ListMerging
from shardgate.core.lists.selection import Block
from shardgate.core.merge.listed import Listed
from tests.core.lists.test_flow import flowing, in_steps
from tests.core.requests import request

OFFSET = Offset(limit="limit", offset="offset")
COUNTED = Offset(limit="limit", offset="offset", count_header="X-Total")
MORE = Envelope(limit="limit", offset="offset", total=None, has_more="more")


def answer(ids: list[int], ask: Ask, dialect: Any, most: int | None, default: int | None) -> Reply:
    """An application that gives `most` rows, and `default` where no limit is asked for."""
    query = {name: values[-1] for name, values in parse_qs(ask.target.decode().partition("?")[2]).items()}
    limit = int(query["limit"]) if "limit" in query else default
    limit = most if limit is None or (most is not None and limit > most) else limit
    start = int(query.get("offset", 0))
    if "page" in query:
        start = (int(query["page"]) - 1) * (limit or 0)
    rows = [{"id": n} for n in (ids[start:] if limit is None else ids[start : start + limit])]
    if dialect is MORE:
        return Reply(200, [], json.dumps({"items": rows, "more": start + len(rows) < len(ids)}).encode())
    return Reply(200, [(b"X-Total", b"%d" % len(ids))] if dialect is COUNTED else [], json.dumps(rows).encode())


def page_of(
    dialect: Any, query: str, shards: Mapping[str, list[int]], most: int | None = None, default: int | None = None
) -> tuple[list[int], int]:
    """The ids of a page, and how many rounds it took."""
    merging = Listed(dialect=dialect, keys={"id": "number"}).begin(request(f"GET /rows?{query}"), tuple(shards))
    taken: Any = merging.asks()
    for rounds in range(1, 20):
        replies = {ask.shard: answer(shards[ask.shard], ask, dialect, most, default) for ask in taken}
        taken = merging.take(replies)
        if isinstance(taken, Reply):
            body = json.loads(taken.body)
            return [row["id"] for row in (body["items"] if dialect is MORE else body)], rounds
    raise AssertionError("no page")


def world(*sizes: int) -> dict[str, list[int]]:
    return {f"s{n}": list(range(n, size * len(sizes), len(sizes))) for n, size in enumerate(sizes)}


@pytest.mark.parametrize("dialect", [OFFSET, COUNTED, MORE])
@pytest.mark.parametrize("query", ["limit=50", "limit=10&offset=35", "limit=3&offset=600"])
def test_l2_a_limit_max_that_the_rule_lacks_is_a_502(dialect: Any, query: str) -> None:
    # Found: each shard gave 20 of the 50 rows that it was asked for, and the page lacked rows, with 200.
    shards = world(900, 900, 900)
    with pytest.raises(BrokenReplyError) as caught:
        page_of(dialect, query, shards, most=20)
    assert "`limit_max`" in caught.value.detail
    assert "write `limit_max` in the dialect" in caught.value.log
    assert caught.value.shard in shards
    every = sorted(n for ids in shards.values() for n in ids)
    limit, offset = int(query[6:8].rstrip("&")), int(query.partition("offset=")[2] or 0)
    assert page_of(dialect, query, shards)[0] == every[offset : offset + limit]


@pytest.mark.parametrize("dialect", [OFFSET, COUNTED, MORE])
def test_l2_a_limit_default_that_the_rule_lacks_is_a_502(dialect: Any) -> None:
    with pytest.raises(BrokenReplyError) as caught:
        page_of(dialect, "", world(90, 90), default=20)
    assert "`limit_default`" in caught.value.detail


@pytest.mark.parametrize("most", [20, 25])
def test_l2_a_limit_max_below_that_of_the_rule_is_a_502(most: int) -> None:
    for dialect, query in (
        (Offset(limit_max=50), "limit=30"),
        (Offset(limit_max=50, past_end=404), "limit=30"),
        (Offset(page="page", limit_default=10, limit_max=50), "limit=30"),
    ):
        with pytest.raises(BrokenReplyError, match="limit_max"):
            page_of(dialect, query, world(90, 90), most=most)


@pytest.mark.parametrize("dialect", [COUNTED, MORE])
def test_one_shard_that_says_that_it_has_more_is_enough(dialect: Any) -> None:
    with pytest.raises(BrokenReplyError, match="limit_max"):
        page_of(dialect, "limit=50", world(90, 7, 3), most=20)


@pytest.mark.parametrize("query", ["limit=50", "limit=10&offset=35"])
def test_one_shard_alone_that_states_nothing_is_found_out_where_its_rows_are_a_likely_limit(query: str) -> None:
    # Found: the other shards have few rows, and nothing showed that this one was cut; the page lacked rows, with 200.
    with pytest.raises(BrokenReplyError, match="limit_max"):
        page_of(OFFSET, query, world(900, 7, 3), most=20)


def test_lists_that_end_are_pages() -> None:
    for sizes, rounds in [((7, 7), 2), ((7, 6), 1), ((4, 4), 1), ((60, 7, 7), 1), ((0, 0), 1), ((9, 9, 2), 2)]:
        shards = world(*sizes)
        every = sorted(n for ids in shards.values() for n in ids)
        assert page_of(OFFSET, "limit=60", shards) == (every[:60], rounds)
        assert page_of(COUNTED, "limit=60", shards) == (every[:60], 1)
        assert page_of(MORE, "limit=60", shards) == (every[:60], 1)
    assert page_of(Whole(), "", world(7, 7))[1] == 1


@pytest.mark.parametrize(("query", "rounds"), [("limit=20&offset=1176", 6), ("limit=120&offset=1156", 4)])
def test_a_reply_of_an_earlier_round_shows_that_pages_are_not_so_short(query: str, rounds: int) -> None:
    # Both shards end with equally many rows, and were asked once more, though a longer block had come before.
    shards: dict[str, list[int]] = {"a": [], "b": []}
    for n in range(1200):
        shards["b" if (n % 2 if n > 1140 else n % 7 == 0) else "a"].append(n)
    limit, offset = (int(part.partition("=")[2]) for part in query.split("&"))
    assert page_of(OFFSET, query, shards) == (list(range(offset, min(1200, offset + limit))), rounds)
    with pytest.raises(BrokenReplyError, match="limit_max"):
        page_of(OFFSET, query, shards, most=15)


def test_an_application_that_reads_no_limit_gives_its_whole_list() -> None:
    shards = {"a": [1, 3, 5, 7, 9], "b": [2, 4, 6, 8, 10]}
    merging = Listed(dialect=OFFSET, keys={"id": "number"}).begin(request("GET /rows"), tuple(shards))
    replies = {shard: Reply(200, [], json.dumps([{"id": n} for n in ids]).encode()) for shard, ids in shards.items()}
    asks: Any = merging.take(replies)
    assert [ask.target for ask in asks] == [b"/rows?limit=2&offset=4"] * 2
    reply: Any = merging.take(replies)
    assert [row["id"] for row in json.loads(reply.body)] == list(range(1, 11))


def test_rows_that_move_while_shards_are_asked_on_are_read_anew() -> None:
    merging = Listed(dialect=OFFSET, keys={"id": "number"}).begin(request("GET /rows?limit=9"), ("a", "b"))
    first = {shard: Reply(200, [], json.dumps([{"id": n} for n in range(5)]).encode()) for shard in ("a", "b")}
    moved = {shard: Reply(200, [], b'[{"id": 7}]') for shard in ("a", "b")}
    for _ in range(2):
        merging.take(first)
        asks: Any = merging.take(moved)
        assert [ask.target for ask in asks] == [b"/rows?limit=9"] * 2
    merging.take(first)
    with pytest.raises(BrokenReplyError, match="changes faster"):
        merging.take(moved)


@pytest.mark.parametrize(
    ("dialect", "query", "asked_first"),
    [
        (OFFSET, "limit=50", b"limit=50"),
        (OFFSET, "", b""),
        (Offset(limit_max=60), "limit=50", b"limit=50"),
        (Offset(page="page", limit_default=10, limit_max=50), "limit=30", b"limit=30&page=1"),
    ],
)
def test_a_row_that_comes_while_shards_are_asked_on_fails_no_page(dialect: Any, query: str, asked_first: bytes) -> None:
    # Found: 502, which said that the rule lacks a limit, whenever a row was appended between two requests.
    shards = {"a": list(range(0, 40, 2)), "b": list(range(1, 40, 2))}
    merging = Listed(dialect=dialect, keys={"id": "number"}).begin(request(f"GET /rows?{query}"), tuple(shards))

    def said(asks: Sequence[Ask]) -> dict[str, Reply]:
        return {ask.shard: answer(shards[ask.shard], ask, dialect, None, None) for ask in asks}

    asks: Any = merging.take(said(merging.asks()))
    assert len(asks) == 2
    shards["a"].append(40)
    asks = merging.take(said(asks))
    assert [(ask.shard, ask.target.partition(b"?")[2]) for ask in asks] == [("a", asked_first)]
    reply: Any = merging.take(said(asks))
    assert [row["id"] for row in json.loads(reply.body)] == list(range(40))[: merging.page.limit]


def test_a_long_list_that_is_cut_short_breaks_off_or_is_a_502() -> None:
    shards = world(3000, 3000)
    for query in ("limit=1500", ""):
        rule, asked = Listed(dialect=COUNTED, keys={"id": "number"}), request(f"GET /rows?{query}")
        stepped, flown = (rule.begin(asked, tuple(shards)) for _ in range(2))
        assert isinstance(stepped, ListMerging)
        assert isinstance(flown, ListMerging)
        replies = {ask.shard: answer(shards[ask.shard], ask, COUNTED, 1000, 1000) for ask in stepped.asks()}
        asks = in_steps(stepped, replies)
        assert [ask.target.partition(b"?")[2] for ask in asks] == [b"limit=2&offset=999"] * 2
        with pytest.raises(BrokenReplyError):
            flowing(flown, replies, [5000])


def test_the_same_rows_once_more_are_compared_one_after_another() -> None:
    """Found: a million rows of two bytes, given twice, were all copied twice: 110 MB."""
    body = b"[" + b"{},".join([b""] * 50_000) + b"{}]"
    given = cut(body).raw
    tracemalloc.start()
    Suspects(OFFSET, {"s0": (Block("s0", 0, None), given)}, [Block("s0", len(given) - 1, 2)]).take("s0", Listing(body))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 90 * len(given)  # 56 of each row are what it is cut into
