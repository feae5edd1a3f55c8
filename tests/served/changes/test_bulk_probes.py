"""Owners of many items are found by lists: one request a shard for many keys, and no list can mislead."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from shardgate.core.limits import BULK_TARGET_BYTES_MAX
from tests.cluster import Asked, reply
from tests.served.seats import Seats

BULK = {"path": "/dates?id={keys}", "key": "id"}
NORTH = [f"n{number}" for number in range(30)]
SOUTH = [f"s{number}" for number in range(30)]

Listing = Callable[[Sequence[str], Sequence[str]], bytes]
"""How a shard answers a list: its own dates, and the ids that it was asked for."""


def listed(own: Sequence[str], asked: Sequence[str]) -> bytes:
    """A shard that filters as it should."""
    return reply(json.dumps([{"name": "x", "id": date} for date in own if date in asked]))


class World:
    """Two shards with dates, and the gateway before them."""

    def __init__(self, start_shard: Any, start_gateway: Any) -> None:
        self._start_shard, self._start_gateway = start_shard, start_gateway
        self.seats: dict[str, Seats] = {}
        self.shards: dict[str, Any] = {}
        self.gateway: Any = None

    async def start(
        self,
        north: Listing = listed,
        south: Listing = listed,
        *,
        bulk: Any = BULK,
        dates: Mapping[str, Sequence[str]] | None = None,
        **more: Any,
    ) -> None:
        dates = dates or {"north": NORTH, "south": SOUTH}
        for name, lists in (("north", north), ("south", south)):
            self.seats[name] = Seats(dict.fromkeys(dates[name], 2))
            self.seats[name].says = lambda asked, own=dates[name], lists=lists: _list(asked, own, lists)
            self.shards[name] = await self._start_shard(self.seats[name])
        probe = {"kind": "probe", "path": "/dates/{key}", **({"bulk": bulk} if bulk else {})}
        self.gateway = await self._start_gateway(
            {
                "shards": {name: shard.url for name, shard in self.shards.items()},
                "store": "store.db",
                "locators": {"date": [{"kind": "learned"}, probe]},
                "rules": {
                    "POST /check": {"rule": "divide", "items": "items", "key": "date", "locate": "date"},
                    "POST /bulk": {"rule": "divide", "key": "date", "locate": "date", "mode": "independent"},
                },
                **more,
            }
        )

    async def check(self, *dates: Any) -> Any:
        items = [{"date": date, "quantity": 1} for date in dates]
        return await self.gateway.client.post("/check", json={"items": items})

    def asked(self, name: str = "") -> list[str]:
        """The targets of the questions that the shards were asked."""
        shards = [self.shards[name]] if name else [*self.shards.values()]
        return [asked.line.split()[1] for shard in shards for asked in shard.asked if asked.line.startswith("GET")]

    def asked_alone(self) -> list[str]:
        return [target for target in self.asked() if target.startswith("/dates/")]


def _list(asked: Asked, own: Sequence[str], lists: Listing) -> bytes | None:
    parts = urlsplit(asked.line.split()[1])
    if not asked.line.startswith("GET ") or parts.path != "/dates":
        return None
    ids = [value for name, value in parse_qsl(parts.query) if name == "id"]
    return lists(own, [each for value in ids for each in value.split(",")])


@pytest.fixture
def world(start_shard: Any, start_gateway: Any) -> World:
    return World(start_shard, start_gateway)


def mixed() -> list[str]:
    return [date for pair in zip(NORTH, SOUTH, strict=True) for date in pair]


async def test_one_list_a_shard_finds_the_owners_of_all_items(world: World) -> None:
    # Found: sixty items on two shards took 120 questions.
    await world.start(bulk={**BULK, "rows_max": 100})
    answer = await world.check(*mixed())
    assert answer.status_code == 200
    assert [item["date"] for item in answer.json()["items"]] == mixed()
    assert len(world.asked("north")) == len(world.asked("south")) == 1
    assert world.asked("north")[0] == f"/dates?id={','.join(mixed())}"


async def test_owners_that_lists_have_shown_are_remembered(world: World) -> None:
    await world.start()
    await world.check(*mixed())
    before = len(world.asked())
    assert (await world.check(*mixed())).status_code == 200
    assert len(world.asked()) == before


async def test_where_no_page_size_is_known_a_shard_is_asked_until_it_shows_no_more(world: World) -> None:
    await world.start()
    assert (await world.check(*mixed())).status_code == 200
    assert world.asked("north") == [f"/dates?id={','.join(mixed())}", f"/dates?id={','.join(SOUTH)}"]
    assert world.asked("south")[1] == f"/dates?id={','.join(NORTH)}"


@pytest.mark.parametrize("rows_max", [None, 7])
async def test_lists_that_are_cut_into_pages_are_read_to_their_end(world: World, rows_max: int | None) -> None:
    def cut(own: Sequence[str], asked: Sequence[str]) -> bytes:
        return listed([date for date in own if date in asked][:7], asked)

    await world.start(cut, cut, bulk={**BULK, "rows_max": rows_max})
    assert (await world.check(*mixed())).status_code == 200
    assert world.asked_alone() == []
    assert len(world.asked("north")) == len(world.asked("south")) <= 6


@pytest.mark.parametrize("rows_max", [None, 100])
async def test_pages_of_one_row_never_make_an_item_unknown(world: World, rows_max: int | None) -> None:
    def one(own: Sequence[str], asked: Sequence[str]) -> bytes:
        return listed([date for date in own if date in asked][:1], asked)

    await world.start(one, one, bulk={**BULK, "rows_max": rows_max})
    answer = await world.check(*mixed())
    assert [item["date"] for item in answer.json()["items"]] == mixed()


async def test_a_page_size_that_is_wrong_is_told_and_the_lists_are_not_believed(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """`b` is on both shards. North's list is cut before it, although the rule says that the list is whole."""

    def cut(own: Sequence[str], asked: Sequence[str]) -> bytes:
        return listed([date for date in own if date in asked][:1], asked)

    dates = {"north": ["a", "b", "c"], "south": ["b"]}
    await world.start(cut, bulk={**BULK, "rows_max": 100}, dates=dates)
    with caplog.at_level(logging.WARNING, "shardgate"):
        answer = await world.check("a", "b", "c")
    assert (answer.status_code, answer.json()["code"]) == (409, "SG2006")
    assert "lacks a key" in caplog.text
    assert "shard=north" in caplog.text


@pytest.mark.parametrize("only", [lambda asked: asked[:1], lambda asked: asked[-1:]])
async def test_an_application_that_reads_one_of_many_keys_misleads_nobody(world: World, only: Any) -> None:
    def reads(own: Sequence[str], asked: Sequence[str]) -> bytes:
        return listed(own, only(asked))

    await world.start(reads, reads)
    answer = await world.check(*mixed())
    assert [item["date"] for item in answer.json()["items"]] == mixed()


async def test_an_application_that_ignores_the_filter_misleads_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def everything(own: Sequence[str], asked: Sequence[str]) -> bytes:
        return listed(own, own)

    await world.start(everything, everything)
    with caplog.at_level(logging.WARNING, "shardgate"):
        answer = await world.check("n1", "s1", "n2")
    assert [item["date"] for item in answer.json()["items"]] == ["n1", "s1", "n2"]
    assert sorted(set(world.asked_alone())) == ["/dates/n1", "/dates/n2", "/dates/s1"]
    assert "rows for keys that were not asked for" in caplog.text


async def test_a_first_page_whatever_is_asked_for_hides_no_second_owner(world: World) -> None:
    """Each shard's list has a row that was asked for and one that was not; `both` stands behind north's page."""

    def page(own: Sequence[str], asked: Sequence[str]) -> bytes:
        return listed(own[:2], own)

    dates = {"north": ["a", "zz", "both"], "south": ["both", "b"]}
    await world.start(page, page, dates=dates)
    answer = await world.check("a", "both")
    assert (answer.status_code, answer.json()["code"]) == (409, "SG2006")


@pytest.mark.parametrize("rows_max", [None, 100])
async def test_a_key_that_two_lists_show_is_the_conflict_that_it_is(world: World, rows_max: int | None) -> None:
    dates = {"north": ["a", "both"], "south": ["b", "both"]}
    await world.start(bulk={**BULK, "rows_max": rows_max}, dates=dates)
    answer = await world.check("a", "b", "both")
    assert (answer.status_code, answer.json()["code"]) == (409, "SG2006")


async def test_a_row_of_a_deleted_date_is_no_second_owner(world: World) -> None:
    """A list may show more than can be read: what a shard says of the key alone decides."""

    def with_deleted(own: Sequence[str], asked: Sequence[str]) -> bytes:
        return listed([*own, "a"], asked)

    await world.start(south=with_deleted, dates={"north": ["a", "b"], "south": ["c"]})
    answer = await world.check("a", "b", "c")
    assert [item["date"] for item in answer.json()["items"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "other",
    [
        reply('{"error":"no list"}', status="404 Not Found"),
        reply("bad", status="414 URI Too Long"),
        reply('{"error":"defect"}', status="500 Internal Server Error"),
        reply("<html>"),
        reply('{"items":[]}'),
        reply("[7]"),
        reply('[{"id":'),
        reply(json.dumps([{"id": "n1", "text": "x" * 1_100_000}])),
    ],
)
async def test_a_shard_that_answers_by_no_list_is_asked_key_by_key(
    world: World, other: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await world.start(lambda own, asked: other)
    with caplog.at_level(logging.WARNING, "shardgate"):
        answer = await world.check("n1", "s1", "n2")
    assert [item["date"] for item in answer.json()["items"]] == ["n1", "s1", "n2"]
    assert "shard=north" in caplog.text


async def test_an_item_that_nobody_has_is_asked_for_alone_and_refused_by_the_application(world: World) -> None:
    await world.start()
    answer = await world.check("n1", "none", "s1")
    assert (answer.status_code, answer.json()) == (404, {"error": "no date none"})
    assert world.asked_alone() == ["/dates/none"] * 2


async def test_a_change_of_an_item_that_nobody_has_is_sent_to_nobody(world: World) -> None:
    await world.start()
    answer = await world.gateway.client.post("/bulk", json=[{"date": date} for date in ("n1", "none", "s1")])
    assert (answer.status_code, answer.json()["code"]) == (404, "SG1011")
    assert world.seats["north"].log == world.seats["south"].log == []


async def test_a_shard_that_is_down_is_said_of_the_keys_that_it_may_hold(world: World) -> None:
    await world.start()
    world.seats["south"].says = lambda asked: b""
    assert (await world.check("n1", "n2")).status_code == 200, "as with probes of one key"
    assert (await world.check("n3", "s1", "s2")).json()["code"] in {"SG2001", "SG2002"}


ODD = ["a,b", "a b", "é", "1'or'1", "*", "x" * 600, "a/b", "a&id=n1", "[n1]"]


async def test_keys_that_a_list_could_read_as_something_else_are_asked_for_alone(world: World) -> None:
    await world.start(dates={"north": [*NORTH, "a b", "é", "*"], "south": SOUTH})
    answer = await world.check("n1", "s1", "a b", "n2", "é", "*")
    assert [item["date"] for item in answer.json()["items"]] == ["n1", "s1", "a b", "n2", "é", "*"]
    assert {target for target in world.asked() if target.startswith("/dates?")} == {
        "/dates?id=n1,s1,n2",
        "/dates?id=s1",
        "/dates?id=n1,n2",
    }
    for odd in ODD:
        await world.check("n3", "n4", odd)
        lists = [target for target in world.asked() if target.startswith("/dates?")]
        assert all(set(target.removeprefix("/dates?id=")) <= set("ns0123456789,") for target in lists), odd


async def test_a_number_is_a_key_as_its_digits_are(world: World) -> None:
    def numbers(own: Sequence[str], asked: Sequence[str]) -> bytes:
        return reply(json.dumps([{"id": int(date)} for date in own if date in asked]))

    await world.start(numbers, numbers, dates={"north": ["1", "3"], "south": ["2", "4"]})
    answer = await world.check("2", "1")
    assert [item["date"] for item in answer.json()["items"]] == ["2", "1"]
    assert world.asked_alone() == []


async def test_a_repeated_parameter_and_rows_inside_of_an_object(world: World) -> None:
    def enveloped(own: Sequence[str], asked: Sequence[str]) -> bytes:
        found = [{"date": {"id": date}} for date in own if date in asked]
        return reply(json.dumps({"data": {"items": found}, "total": len(found)}))

    bulk = {"path": "/dates?id={keys}&limit=9", "separator": None, "rows": "data.items", "key": "date.id"}
    await world.start(enveloped, enveloped, bulk={**bulk, "rows_max": 9})
    assert (await world.check("n1", "s1", "n2")).status_code == 200
    assert world.asked() == ["/dates?id=n1&id=s1&id=n2&limit=9"] * 2


async def test_long_keys_are_asked_for_in_requests_that_servers_read(world: World) -> None:
    keys = [f"{number:03}" + "x" * 97 for number in range(200)]
    await world.start(dates={"north": keys[:100], "south": keys[100:]}, bulk={**BULK, "rows_max": 100})
    assert (await world.check(*keys)).status_code == 200
    assert world.asked_alone() == []
    assert len(world.asked("north")) == 6
    assert max(map(len, world.asked())) <= BULK_TARGET_BYTES_MAX


async def test_what_probes_by_key_could_not_ask_within_the_calls_lists_can(world: World) -> None:
    items = [f"n{number}" for number in range(1000)]
    await world.start(
        dates={"north": items, "south": ["s"]}, bulk={**BULK, "rows_max": 100}, limits={"calls_per_request_max": 40}
    )
    assert (await world.check(*items)).status_code == 200
    assert len(world.asked()) == 20
    answer = await world.check(*[f"q{number}" for number in range(100)])
    assert (answer.status_code, answer.json()["code"]) == (413, "SG1026"), "unknown keys are asked for one by one"
