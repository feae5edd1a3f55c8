"""The rules `one`, `any` and `gather`: what each shard is asked, and what the client reads."""

import asyncio
from typing import Any

import pytest

from tests.cluster import Asked, reply, rows
from tests.waiting import until

LIST = {"kind": "offset", "limit_default": 100, "fields": "fields", "count_header": "X-Total_Count"}
GATHER = {
    "rule": "gather",
    "merge": {"kind": "list", "dialect": LIST, "keys": {"id": "text", "name": "text"}},
    "learn": {"event": "id"},
}
RULES = {
    "locators": {
        "event": [{"kind": "learned"}, {"kind": "probe", "path": "/events/{key}"}],
        "vendor": [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}],
    },
    "rules": {
        "GET /events": GATHER,
        "POST /photos": {"rule": "one", "key": "form.vendor", "locate": "vendor"},
        "POST /events": {"rule": "one", "key": "body.vendor", "locate": "vendor", "learn": {"event": "id"}},
        "GET /events/{id}": {"rule": "one", "key": "path.id", "locate": "event"},
        "PATCH /events/{id}": {"rule": "one", "key": "path.id", "locate": "event"},
        "GET /vendors/{v}": {"rule": "one", "key": ["path.v", "query.vendor"], "locate": "vendor"},
        "GET /categories": {"rule": "any"},
    },
}


@pytest.fixture
async def two(start_shard: Any, start_gateway: Any) -> Any:
    """Two shards whose answers a test may replace, and the gateway before them."""

    class Two:
        north_says: Any = staticmethod(lambda asked: reply("{}"))
        south_says: Any = staticmethod(lambda asked: reply("{}"))

    said = Two()
    said.north = await start_shard(lambda asked: said.north_says(asked))  # noqa: PLW0108 - looked up at each request
    said.south = await start_shard(lambda asked: said.south_says(asked))  # noqa: PLW0108 - looked up at each request
    shards = {"north": said.north.url, "south": said.south.url}
    said.gateway = await start_gateway({"shards": shards, **RULES})
    return said


async def test_a_keyed_request_goes_to_its_owner_and_its_reply_comes_back_untouched(two: Any) -> None:
    two.south_says = lambda asked: reply('{ "a" : 1.50 }', fields="X-Custom: yes\r\nETag: w\r\n")
    answer = await two.gateway.get("/vendors/s-7?x=%20y", headers={"X-Mine": "1"})
    assert (answer.status_code, answer.text) == (200, '{ "a" : 1.50 }')
    assert (answer.headers["x-custom"], answer.headers["etag"]) == ("yes", "w")
    assert two.south.asked[0].line == "GET /vendors/s-7?x=%20y HTTP/1.1"
    assert two.south.asked[0].field("x-mine") == ["1"]
    assert two.south.asked[0].field("x-forwarded-for") == ["127.0.0.1"]
    assert two.north.asked == []


async def test_a_list_is_merged_in_the_order_that_was_asked_for(two: Any) -> None:
    north = rows({"id": "b", "name": "Zug"}, {"id": "a", "name": "Åre"}, fields="X-Total_Count: 9\r\n")
    south = rows({"id": "c", "name": "Ulm"}, {"id": "d", "name": "Zug"}, fields="X-Total_Count: 4\r\n")
    two.north_says, two.south_says = (lambda asked: north), (lambda asked: south)
    answer = await two.gateway.get("/events?order=name&limit=2&offset=1&with_count=true")
    assert answer.text == '[{"id":"b","name":"Zug"},{"id":"d","name":"Zug"}]'
    assert answer.headers["x-total_count"] == "13"
    assert two.north.asked[0].line == "GET /events?order=name&with_count=true&limit=3 HTTP/1.1"


async def test_a_sort_key_that_fields_leaves_out_is_asked_for_and_taken_out_again(two: Any) -> None:
    two.north_says = lambda asked: rows({"id": "a", "name": "x"})
    two.south_says = lambda asked: rows({"id": "b", "name": "y"})
    answer = await two.gateway.get("/events?fields=name&order=-name")
    assert answer.text == '[{"name":"y"},{"name":"x"}]'
    assert "fields=name,id" in two.north.asked[0].line


async def test_equal_refusals_become_one_with_the_applications_own_body(two: Any) -> None:
    refusal = reply('{"error_code":40001}', status="400 Bad Request")
    two.north_says = two.south_says = lambda asked: refusal
    answer = await two.gateway.get("/events?limit=abc")
    assert (answer.status_code, answer.text) == (400, '{"error_code":40001}')
    assert two.north.asked[0].line == "GET /events?limit=abc HTTP/1.1"


async def test_a_page_that_only_the_gateway_cannot_read_is_a_400_of_its_own(two: Any) -> None:
    two.north_says = two.south_says = lambda asked: rows()
    answer = await two.gateway.get("/events?limit=abc")
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1009")


async def test_an_unseen_id_is_probed_and_then_remembered(two: Any) -> None:
    two.north_says = lambda asked: reply("no", status="404 Not Found")
    two.south_says = lambda asked: reply('{"id":"e1"}')
    for _ in range(2):
        assert (await two.gateway.get("/events/e1")).text == '{"id":"e1"}'
    assert (len(two.north.asked), len(two.south.asked)) == (1, 2)


async def test_an_id_seen_in_a_list_needs_no_probe(two: Any) -> None:
    two.north_says = lambda asked: rows({"id": "a", "name": "x"})
    two.south_says = lambda asked: rows({"id": "b", "name": "y"})
    await two.gateway.get("/events")
    await two.gateway.get("/events/b")
    assert (len(two.north.asked), len(two.south.asked)) == (1, 2)


async def test_an_id_found_nowhere_is_the_applications_own_404(two: Any) -> None:
    two.north_says = two.south_says = lambda asked: reply('{"error":"no"}', status="404 Not Found")
    answer = await two.gateway.get("/events/none")
    assert (answer.status_code, answer.text) == (404, '{"error":"no"}')


async def test_an_id_found_twice_is_a_409_and_never_a_guess(two: Any) -> None:
    answer = await two.gateway.get("/events/e1")
    assert (answer.status_code, answer.json()["code"]) == (409, "SG2006")


async def test_a_change_of_an_unseen_id_first_finds_the_owner_by_a_read(two: Any) -> None:
    two.north_says = lambda asked: reply("no", status="404 Not Found")
    answer = await two.gateway.client.patch("/events/e1", json={"name": "x"})
    assert answer.status_code == 200
    assert [asked.line.split()[0] for asked in two.north.asked] == ["GET"]
    assert [asked.line.split()[0] for asked in two.south.asked] == ["GET", "PATCH"]
    assert two.south.asked[1].body == b'{"name":"x"}'


async def test_an_id_that_moved_is_found_again(two: Any) -> None:
    here, gone = reply('{"id":"e1"}'), reply("no", status="404 Not Found")
    two.north_says, two.south_says = (lambda asked: here), (lambda asked: gone)
    await two.gateway.get("/events/e1")
    two.north_says, two.south_says = (lambda asked: gone), (lambda asked: here)
    assert (await two.gateway.get("/events/e1")).text == '{"id":"e1"}'


async def test_a_create_goes_to_its_tenants_shard_and_its_id_is_learned(two: Any) -> None:
    two.south_says = lambda asked: reply('{"id":"new"}', status="201 Created")
    answer = await two.gateway.client.post("/events", json={"vendor": "s-1"})
    assert (answer.status_code, answer.text) == (201, '{"id":"new"}')
    await two.gateway.get("/events/new")
    assert (len(two.north.asked), len(two.south.asked)) == (0, 2)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"vendor":"s-1","vendor":"n-1"}', "SG1002"),
        (b"not json", "SG1002"),
        ('{"vendor":"s-1"}'.encode("utf-16"), "SG1002"),
        (b'{"name":"x"}', "SG1010"),
        (b'{"vendor":"q-1"}', "SG1011"),
    ],
)
async def test_a_create_whose_owner_cannot_be_read_is_refused_before_anyone_is_asked(
    two: Any, body: bytes, code: str
) -> None:
    answer = await two.gateway.client.post("/events", content=body)
    assert answer.json()["code"] == code
    assert two.north.asked == two.south.asked == []


@pytest.mark.parametrize("query", ["?vendor=n-1", "?vendor=s-1&vendor=s-1", "?vendor=s-1&vend%6Fr=n-1"])
async def test_two_different_keys_or_one_key_twice_are_refused(two: Any, query: str) -> None:
    answer = await two.gateway.get(f"/vendors/s-1{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1002")
    assert two.north.asked == two.south.asked == []


async def test_reference_data_is_asked_of_any_shard_that_lives(two: Any, start_shard: Any) -> None:
    for _ in range(4):
        assert (await two.gateway.get("/categories")).status_code == 200
    assert len(two.north.asked) == len(two.south.asked) == 2


async def test_an_unknown_operation_is_a_404_of_the_gateway(two: Any) -> None:
    answer = await two.gateway.get("/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "SG1004"
    answer = await two.gateway.client.delete("/categories")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert two.north.asked == two.south.asked == []


async def test_a_slow_shard_does_not_hold_up_others(two: Any) -> None:
    go_on = asyncio.Event()

    async def slow(asked: Asked) -> bytes:
        await go_on.wait()
        return reply("{}")

    two.north_says = slow
    waiting = asyncio.ensure_future(two.gateway.get("/vendors/n-1"))
    await until(lambda: bool(two.north.asked))
    assert (await two.gateway.get("/vendors/s-1")).status_code == 200
    go_on.set()
    assert (await waiting).status_code == 200


async def test_a_limit_of_nothing_behind_an_offset_is_left_for_the_application_to_refuse(two: Any) -> None:
    two.north_says = two.south_says = lambda asked: reply('{"error":"limit"}', status="400 Bad Request")
    assert (await two.gateway.get("/events?limit=0&offset=5")).status_code == 400
    assert two.north.asked[0].line == "GET /events?limit=0&offset=5 HTTP/1.1"
    two.north_says = two.south_says = lambda asked: rows()
    assert (await two.gateway.get("/events?limit=0&offset=5")).text == "[]"


async def test_a_body_that_is_not_readable_is_the_applications_to_refuse_if_the_rule_says_so(
    start_shard: Any, start_gateway: Any
) -> None:
    refusal = reply('{"detail":"JSON parse error"}', status="400 Bad Request")
    shard, other = [await start_shard(lambda asked: refusal) for _ in range(2)]
    rule = {"rule": "one", "key": ["body.vendor", "form.vendor"], "locate": "vendor"}
    rules = {"POST /asks": {**rule, "unknown": "ask", "unreadable": "ask"}, "POST /refuses": rule}
    config = {"shards": {"north": shard.url, "south": other.url}, "locators": RULES["locators"], "rules": rules}
    gateway = await start_gateway(config)
    for kind, body in (("application/json", "{"), ("text/xml", "<vendor>n-1</vendor>")):
        fields = {"Content-Type": kind}
        asked = await gateway.client.post("/asks", content=body, headers=fields)
        assert (asked.status_code, asked.json()) == (400, {"detail": "JSON parse error"})
        refused = await gateway.client.post("/refuses", content=body, headers=fields)
        assert (refused.status_code, refused.json()["code"]) == (400, "SG1002")
    assert len(shard.asked + other.asked) == 2
    twice = await gateway.client.post("/asks", content='{"vendor":"n-1","vendor":"s-1"}')
    assert (twice.status_code, twice.json()["code"]) == (400, "SG1002")
    form = await gateway.client.post("/refuses", data={"vendor": "n-1"})
    assert (form.json(), len(shard.asked + other.asked)) == ({"detail": "JSON parse error"}, 3)


async def test_r_keys_a_form_with_files_goes_to_the_owner_of_its_field(two: Any) -> None:
    # Found: the key of a file's upload could not be said; browsers send it beside the file.
    photo = {"photo": ("a.png", b"\x00" * 70_000, "image/png")}
    for vendor in ("s-7", "n-1"):
        assert (await two.gateway.client.post("/photos", data={"vendor": vendor}, files=photo)).status_code == 200
        assert (await two.gateway.client.post("/photos", data={"vendor": vendor})).status_code == 200
    assert (len(two.north.asked), len(two.south.asked)) == (2, 2)
    assert len(two.south.asked[0].body) > 70_000
    hidden = await two.gateway.client.post("/photos", files={"vendor": ("s-7", b"s-7", "text/plain")})
    assert (hidden.status_code, hidden.json()["code"]) == (400, "SG1002")
    missing = await two.gateway.client.post("/photos", files=photo)
    assert (missing.status_code, missing.json()["code"]) == (400, "SG1010")
