"""Lists some rows of which are in parts, against one instance that has them whole: every page, order and count."""

import json
import random
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shardgate.core.contracts import Moment
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.merge.listed import Listed
from shardgate.core.parts.whole import ListParts
from tests.core.requests import request

SHARDS = ("north", "south", "west")
RULE = Listed(
    dialect=Offset(fields="fields", count_header="X-Count"),
    keys={"id": "text", "price": "number", "name": "text"},
    parts=ListParts(sum=("price",), locate="order", ids="accept"),
)
ROW = st.tuples(st.integers(0, 4), st.sampled_from("ab"), st.sets(st.sampled_from(SHARDS), min_size=1))
Row = dict[str, Any]


def served(rows: list[Row], query: str) -> Reply:
    """What an instance with these rows answers."""
    said = dict(parse_qsl(query))
    kept = [row for row in rows if row["name"] in said.get("name", row["name"])]
    if "accept" in said:
        kept = [row for row in kept if row["id"] in said["accept"].split(",")]
    for key in reversed([*said.get("order", "id").split(","), "id"]):
        kept.sort(key=lambda row, key=key: row[key.removeprefix("-")], reverse=key.startswith("-"))
    start = int(said.get("offset", 0))
    page = kept[start : start + int(said["limit"])] if "limit" in said else kept[start:]
    fields = said["fields"].split(",") if "fields" in said else ["id", "name", "price"]
    shown = [{name: value for name, value in row.items() if name in fields} for row in page]
    return Reply(200, [(b"X-Count", b"%d" % len(kept))], json.dumps(shown, separators=(",", ":")).encode())


def merged(query: str, shards: dict[str, list[Row]], moment: Moment) -> Reply:
    outcome: Any = (merging := RULE.begin(request(f"GET /rows?{query}"), SHARDS, moment)).asks()
    while not isinstance(outcome, Reply):
        outcome = merging.take({a.shard: served(shards[a.shard], a.target.decode().partition("?")[2]) for a in outcome})
    return outcome


@settings(max_examples=300, deadline=None)
@given(
    st.lists(ROW, max_size=25),
    st.sampled_from(["id", "-id", "price", "-price", "name,-price", "-name"]),
    st.integers(0, 30),
    st.one_of(st.none(), st.integers(1, 12)),
    st.sampled_from(["", "&name=a", "&fields=name", "&fields=id,price", "&accept=r0003,r0007,r0011,none"]),
)
def test_each_page_is_that_of_one_instance(
    drawn: list[tuple[int, str, set[str]]], order: str, offset: int, limit: int | None, more: str
) -> None:
    check(drawn, f"order={order}&offset={offset}{more}" + (f"&limit={limit}" if limit else ""))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**9),
    st.sampled_from(["id", "price", "-price", "name,-price"]),
    st.floats(0, 1.1),
    st.sampled_from([0.0, 0.01, 0.3]),
)
def test_a_page_deep_in_a_long_list_is_that_of_one_instance(seed: int, order: str, depth: float, share: float) -> None:
    chance = random.Random(seed)
    rows = chance.choice([700, 4000])
    drawn = [
        (chance.randrange(5), chance.choice("ab"), set(chance.sample(SHARDS, 1 + 2 * (chance.random() < share))))
        for _ in range(rows)
    ]
    check(drawn, f"order={order}&offset={int(rows * depth)}&limit={chance.choice([1, 7, 50])}")


def check(drawn: list[tuple[int, str, set[str]]], query: str) -> None:
    shards: dict[str, list[Row]] = {shard: [] for shard in SHARDS}
    whole: list[Row] = []
    for number, (price, name, places) in enumerate(drawn):
        id_ = f"r{number:04}"
        for part, shard in enumerate(sorted(places)):
            shards[shard].append({"id": id_, "name": name, "price": price + part})
        whole.append({"id": id_, "name": name, "price": sum(price + part for part in range(len(places)))})
    in_parts = [f"r{n:04}" for n, (_, _, places) in enumerate(drawn) if len(places) > 1]
    gone = in_parts[::5]
    moment = Moment(parted={key: () if key in gone else SHARDS for key in in_parts})
    whole = [row for row in whole if row["id"] not in gone]
    wanted, answer = served(whole, query), merged(query, shards, moment)
    assert (answer.body, answer.field(b"x-count")) == (wanted.body, wanted.field(b"x-count"))


@pytest.mark.parametrize("ids", ["accept", None])
def test_shards_that_limit_their_pages_and_say_how_many_rows_there_are_make_no_page(ids: str | None) -> None:
    """Found: the page lacked the rows behind the application's own limit."""
    rule = msgspec.structs.replace(RULE, parts=ListParts(sum=("price",), locate="order", ids=ids))
    parted = {f"r{number}": SHARDS[:2] for number in range(10)}
    rows = [{"id": id_, "name": "a", "price": 1} for id_ in parted]
    moment = Moment(parted=parted)
    merging = rule.begin(request("GET /rows?order=id&limit=8"), SHARDS[:2], moment)
    replies = {}
    for ask in merging.asks():
        whole = served(rows, ask.target.decode().partition("?")[2])
        replies[ask.shard] = Reply(200, whole.fields, msgspec.json.encode(msgspec.json.decode(whole.body)[:5]))
    with pytest.raises(BrokenReplyError, match="limit_max") as error:
        merging.take(replies)
    assert error.value.shard == "north"
