"""What a rule says of missing shards (`missing`), and what a client may ask for (`Prefer: shards=…`)."""

import asyncio
import json
import logging
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster import Asked, Gateway, Shard, no_answer, reply, rows
from tests.net.screenplay import Clock
from tests.served.dialects.test_cursor import BODY, in_body
from tests.served.dialects.world import World, world
from tests.waiting import one_turn, until

KEYS = {"id": "number"}
LIST = {"kind": "list", "dialect": {"kind": "offset", "count_header": "X-Total"}, "keys": KEYS}
ENVELOPE = {"kind": "list", "dialect": {"kind": "envelope", "items": "data", "total": "meta.total"}, "keys": KEYS}
ALL = 'asked=3, answered=2, missing=("south";reason=unreachable), totals=inexact'
BATCH = {"requests": [{"method": "GET", "path": "/rows"}]}
TAGS = 'ETag: "1"\r\nLast-Modified: Tue, 01 Sep 2026 10:00:00 GMT\r\nExpires: Tue, 01 Sep 2037 10:00:00 GMT\r\n'


class Three:
    """Three shards, of which a test makes some fail, and the gateway in front of them."""

    def __init__(self) -> None:
        self.says: dict[str, Any] = {}
        self.shards: dict[str, Shard] = {}
        self.clock = Clock()
        self.gateway: Gateway

    def answer(self, name: str) -> Any:
        async def answer(asked: Asked) -> bytes:
            said = self.says[name]
            said = said(asked) if callable(said) else said
            return said if isinstance(said, bytes) else await said  # type: ignore[no-any-return]

        return answer

    async def get(self, target: str = "/rows", prefer: str = "", **headers: str) -> httpx.Response:
        return await self.gateway.get(target, headers={**({"Prefer": prefer} if prefer else {}), **headers})

    async def after(self, seconds: float, is_over: Any) -> None:
        """So much time passes, or less where it is over before."""
        for _ in range(round(seconds / 0.25)):
            self.clock.at += 0.25
            self.gateway.worker.watch.look()
            for _ in range(20):
                await one_turn()
            if is_over():
                return


NAMES = ("north", "east", "south")


@pytest.fixture
def three(start_shard: Any, start_gateway: Any) -> Any:
    """`three = await three(missing)`: shards that have a row each; the names of the shards are secret."""

    async def start(missing: Any, merge: Any = LIST, operation: str = "GET /rows", **more: Any) -> Three:
        made = Three()
        for n, name in enumerate(NAMES):
            made.says[name] = rows({"id": n}, fields=f"X-Total: 1\r\n{TAGS}")
            made.shards[name] = await start_shard(made.answer(name))
        shards = {f"secret-{name}": {"url": shard.url, "alias": name} for name, shard in made.shards.items()}
        rule = {"rule": "gather", "merge": merge, "missing": missing, **more.pop("rule", {})}
        config = {"shards": shards, "rules": {operation: rule, **more.pop("rules", {})}, "admin": "127.0.0.1:0", **more}
        made.gateway = await start_gateway(config, clock=made.clock)
        return made

    return start


def said(answer: httpx.Response) -> str:
    return answer.headers.get("shardgate-partial", "")


def is_refused(answer: httpx.Response, *missing: str) -> bool:
    return (answer.status_code, answer.json()["code"], answer.json()["missing"]) == (503, "SG2004", [*missing])


async def test_a_partial_list_is_never_stored_and_never_known(three: Any) -> None:
    it = await three("partial")
    whole = await it.get()
    assert {"etag", "last-modified"} <= {*whole.headers}
    assert "shardgate-partial" not in whole.headers
    it.shards["south"].kill()
    part = await it.get(**{"If-None-Match": whole.headers["etag"], "If-Modified-Since": whole.headers["last-modified"]})
    assert (part.status_code, part.json(), part.headers["x-total"]) == (200, [{"id": 0}, {"id": 1}], "2")
    assert (said(part), part.headers["cache-control"]) == (ALL, "no-store")
    assert not {"etag", "last-modified", "expires"} & {*part.headers}
    assert "secret" not in str(part.headers)


async def test_a_quorum_and_required_shards(three: Any) -> None:
    it = await three({"quorum": 2, "required": ["secret-north"]})
    it.shards["south"].kill()
    assert said(await it.get()) == ALL
    it.shards["east"].kill()
    assert is_refused(await it.get(), "east", "south")


async def test_a_required_shard_is_missed(three: Any) -> None:
    it = await three({"required": ["secret-south"]})
    assert (await it.get()).status_code == 200
    it.shards["south"].kill()
    assert is_refused(await it.get(), "south")


async def test_where_no_shard_answers_there_is_nothing_to_show(three: Any) -> None:
    it = await three("partial")
    for name in NAMES:
        it.shards[name].kill()
    assert is_refused(await it.get(), *sorted(NAMES))


async def test_a_client_gets_what_it_prefers_as_far_as_the_rule_lets_it(three: Any) -> None:
    it = await three({"answer": "strict", "clients": ["partial", "quorum", "required"], "quorum": 2})
    whole = await it.get(prefer="shards=partial")
    assert (whole.headers["preference-applied"], said(whole)) == ("shards=partial", "")
    it.shards["south"].kill()
    assert is_refused(await it.get(), "south")
    assert is_refused(await it.get(prefer="shards=strict"), "south"), "it is what the rule says, too"
    for wish in ("shards=partial", "return=minimal, Shards = Partial", "shards=quorum; count=1", 'shards="partial"'):
        part = await it.get(prefer=wish)
        assert (part.status_code, said(part)) == (200, ALL), wish
        assert part.headers["preference-applied"].lower().startswith("shards"), wish
    assert said(await it.get(prefer='shards=required; names="north east"')) == ALL
    assert is_refused(await it.get(prefer='shards=required; names="south"'), "south")
    assert is_refused(await it.get(prefer="shards=quorum; count=3"), "south")
    for nonsense in ("shards", "shards=", "shards=quorum", "shards=quorum;count=9", "shards=required;names=x", '"'):
        assert is_refused(await it.get(prefer=nonsense), "south"), nonsense
    it.shards["east"].kill()
    assert is_refused(await it.get(prefer="shards=quorum; count=1"), "east", "south"), "the rule's quorum is the least"


async def test_a_client_may_ask_for_every_shard(three: Any) -> None:
    it = await three({"clients": ["strict"]})
    it.shards["south"].kill()
    assert said(await it.get()) == ALL
    assert said(await it.get(prefer="shards=quorum;count=3")) == ALL, "not allowed, so that it is ignored"
    assert is_refused(await it.get(prefer="shards=strict"), "south")


async def test_the_body_says_it_too_where_the_rule_wants_that(three: Any) -> None:
    it = await three({"member": "meta.partial"}, ENVELOPE)
    for n, name in enumerate(NAMES):
        it.says[name] = reply(json.dumps({"data": [{"id": n}], "meta": {"total": 1}}))
    assert (await it.get()).json() == {"data": [{"id": n} for n in range(3)], "meta": {"total": 3}}
    it.says["south"] = reply('{"error": "database"}', status="500 Internal Server Error")
    part = await it.get()
    lacks = {"shard": "south", "reason": "error", "status": 500}
    report = {"asked": 3, "answered": 2, "missing": [lacks], "totals": "inexact"}
    assert part.json() == {"data": [{"id": 0}, {"id": 1}], "meta": {"total": 2, "partial": report}}
    assert said(part) == 'asked=3, answered=2, missing=("south";reason=error;status=500), totals=inexact'
    for name in ("north", "east"):
        it.says[name] = reply('{"data": [], "state": 1}')
    assert is_refused(await it.get(), "south"), "the body has no `meta`, and so no place to say it"


async def test_an_error_that_every_shard_gives_is_the_applications(three: Any) -> None:
    it = await three("partial")
    for name in NAMES:
        it.says[name] = reply('{"error": "all"}', status="500 Internal Server Error")
    answer = await it.get()
    assert (answer.status_code, answer.json()) == (500, {"error": "all"})


async def test_a_refusal_may_be_wrong_where_a_shard_is_missing(three: Any) -> None:
    it = await three("partial", {"kind": "first"}, "GET /rows/{id}")
    absent = reply('{"error": "none"}', status="404 Not Found")
    it.says = {"north": absent, "east": reply('{"id": 7}'), "south": absent}
    assert (await it.get("/rows/7")).json() == {"id": 7}
    it.shards["south"].kill()
    part = await it.get("/rows/7")
    assert (part.json(), said(part)) == ({"id": 7}, ALL)
    it.says["east"] = absent
    assert is_refused(await it.get("/rows/7"), "south")


async def test_a_page_behind_the_end_of_the_others_is_no_confident_refusal(three: Any) -> None:
    drf = {"kind": "list", "dialect": {"kind": "drf", "limit_default": 1, "limit_max": 9}, "keys": KEYS}

    def numbered(n: int) -> Any:
        def answer(asked: Asked) -> bytes:
            if "page=" in asked.line and "page=1" not in asked.line:
                return reply('{"detail": "Invalid page."}', status="404 Not Found")
            return reply(json.dumps({"count": 1, "next": None, "previous": None, "results": [{"id": n}]}))

        return answer

    it = await three("partial", drf)
    it.says = {name: numbered(n) for n, name in enumerate(NAMES)}
    assert (await it.get("/rows?page=3")).json()["results"] == [{"id": 2}]
    assert (await it.get("/rows?page=4")).status_code == 404
    it.shards["south"].kill()
    assert (await it.get("/rows?page=2")).json()["results"] == [{"id": 1}]
    assert is_refused(await it.get("/rows?page=3"), "south")


async def test_a_hung_shard_holds_the_list_no_longer_than_its_deadline(three: Any) -> None:
    it = await three("partial", timeouts={"request_timeout_s": 5, "first_byte_timeout_s": 5})
    it.says["south"] = no_answer
    asking = asyncio.ensure_future(it.get())
    await until(lambda: it.shards["south"].asked)
    await it.after(4.5, asking.done)
    assert not asking.done(), "it may still answer"
    await it.after(1, asking.done)
    part = await asking
    assert (part.status_code, part.json()) == (200, [{"id": 0}, {"id": 1}])
    assert said(part) == 'asked=3, answered=2, missing=("south";reason=timeout), totals=inexact'


def long(n: int, size: int = 2000) -> bytes:
    return json.dumps([{"id": 3 * k + n, "text": "x" * 300} for k in range(size)], separators=(",", ":")).encode()


@pytest.mark.parametrize("how", ["killed", "hung", "broken", "error", "torn"])
async def test_a_long_list_waits_for_all_heads_before_its_own(three: Any, how: str) -> None:
    it = await three("partial", timeouts={"request_timeout_s": 5, "first_byte_timeout_s": 5})
    for n, name in enumerate(NAMES):
        it.says[name] = reply(long(n), fields="X-Total: 2000\r\n")
    whole = await it.get()
    assert [row["id"] for row in whole.json()] == list(range(6000))
    assert ("content-length" in whole.headers, said(whole), whole.headers["x-total"]) == (False, "", "6000")
    if how == "killed":
        it.shards["south"].kill()
    elif how == "torn":
        it.says["south"] = _torn(long(2))
    else:
        it.says["south"] = {"hung": no_answer, "broken": b"HTTP/1.1 nonsense\r\n\r\n", "error": _ERROR}[how]
    before = len(it.shards["south"].asked)
    asking = asyncio.ensure_future(it.get())
    if how == "hung":
        await until(lambda: len(it.shards["south"].asked) > before)
        await it.after(6, asking.done)
    part = await asking
    assert part.status_code == 200
    assert [row["id"] for row in part.json()] == [n for n in range(6000) if n % 3 != 2]
    reason = {"killed": "unreachable", "hung": "timeout", "error": "error;status=503"}.get(how, "broken")
    assert said(part) == f'asked=3, answered=2, missing=("south";reason={reason}), totals=inexact'
    assert (part.headers["x-total"], part.headers["cache-control"]) == ("4000", "no-store")


_ERROR = reply("{}", status="503 Service Unavailable")


def _torn(body: bytes) -> bytes:
    """A reply that breaks off with its head."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Total: 2000\r\nConnection: close\r\n" + (
        b"Content-Length: %d\r\n\r\n" % len(body)
    )


async def test_the_pages_behind_a_cursor_of_a_partial_page_lack_the_same_shard_and_say_so(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    it = await world(stack, tmp_path, in_body, BODY, missing={"clients": ["strict"]})
    it.parts[2].kill()
    seen: list[str] = []
    cursor, reasons = "", []
    while cursor is not None:
        answer = await it.gateway.get(f"/rows?limit=10&cursor={cursor}" if cursor else "/rows?limit=10")
        assert answer.status_code == 200, answer.text
        seen += [row["id"] for row in answer.json()["items"]]
        reasons.append(answer.headers["shardgate-partial"])
        cursor = answer.json()["next_cursor"]
        if len(reasons) == 1:
            await _back(stack, it, 2)
    assert seen == sorted(row["id"] for row in it.rows if row["vendor"] != "c-1")
    assert reasons[0] == 'asked=3, answered=2, missing=("s2";reason=unreachable), totals=inexact'
    assert {*reasons[1:]} == {'asked=3, answered=2, missing=("s2";reason=earlier), totals=inexact'}
    anew = await it.gateway.get("/rows?limit=10")
    assert "shardgate-partial" not in anew.headers


async def test_a_cursor_of_a_partial_page_is_refused_where_every_shard_must_answer(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    it = await world(stack, tmp_path, in_body, BODY, missing={"clients": ["strict"]})
    it.parts[2].kill()
    cursor = (await it.gateway.get("/rows?limit=10")).json()["next_cursor"]
    await _back(stack, it, 2)
    target = f"/rows?limit=10&cursor={cursor}"
    refused = await it.gateway.get(target, headers={"Prefer": "shards=strict"})
    assert (refused.status_code, refused.json()["code"]) == (400, "SG1015")
    assert (await it.gateway.get(target)).status_code == 200


async def _back(stack: AsyncExitStack, it: World, n: int) -> None:
    """The shard is back, at its old port."""
    from tests.cluster import running_shard
    from tests.served.dialects.world import Question

    part = [row for row in it.rows if row["vendor"] == f"{'abc'[n]}-1"]
    shard = running_shard(lambda asked: in_body(part, Question(asked)), port=it.parts[n].port)
    await stack.enter_async_context(shard)


async def test_a_page_deep_in_a_partial_list_is_read_anew_and_teaches_nothing(three: Any) -> None:
    it = await three("partial")

    def paged(n: int) -> Any:
        def answer(asked: Asked) -> bytes:
            values = dict(part.split("=") for part in asked.line.split()[1].partition("?")[2].split("&"))
            start, count = int(values.get("offset", 0)), int(values.get("limit", 10_000))
            ids = [3 * k + n for k in range(1000)][start : start + count]
            return rows(*[{"id": each} for each in ids], fields="X-Total: 1000\r\n")

        return answer

    it.says = {name: paged(n) for n, name in enumerate(NAMES)}
    target = "/rows?offset=1500&limit=5"
    assert [row["id"] for row in (await it.get(target)).json()] == list(range(1500, 1505))
    calls = len(it.shards["south"].asked)

    def dies(asked: Asked) -> bytes:
        """It answers the first round of the search, and dies in the second."""
        return paged(2)(asked) if len(it.shards["south"].asked) <= calls + 1 else b""

    it.says["south"] = dies
    part = await it.get("/rows?offset=1000&limit=5")
    others = [n for n in range(3000) if n % 3 != 2]
    assert [row["id"] for row in part.json()] == others[1000:1005]
    assert (part.headers["x-total"], "reason=broken" in said(part)) == ("2000", True)
    it.says["south"] = paged(2)
    assert [row["id"] for row in (await it.get("/rows?offset=1005&limit=5")).json()] == list(range(1005, 1010))


async def test_in_a_batch_every_shard_must_answer(three: Any) -> None:
    batch = {"rule": "batch", "reply": {"status": "status", "body": "body"}}
    it = await three("partial", rules={"POST /batch": batch})
    whole = await it.gateway.client.post("/batch", json=BATCH)
    assert whole.status_code == 200, whole.text
    assert '"id":2' in whole.text.replace(" ", "")
    it.shards["south"].kill()
    part = await it.gateway.client.post("/batch", json=BATCH)
    assert "SG2004" in part.text


async def test_filters_that_name_the_missing_shard_alone_have_no_partial_answer(three: Any) -> None:
    locators = {"vendor": [{"kind": "prefix", "shards": {"n": "secret-north", "s": "secret-south"}}]}
    it = await three("partial", rule={"prune": {"vendor": "vendor"}}, locators=locators)
    it.shards["south"].kill()
    assert is_refused(await it.get("/rows?vendor=s-1"), "south")
    assert said(await it.get("/rows?vendor=n-1")) == ""
    part = await it.get("/rows?vendor=n-1,s-1")
    assert said(part) == 'asked=2, answered=1, missing=("south";reason=unreachable), totals=inexact'


async def test_ids_whose_shard_is_only_remembered(three: Any) -> None:
    locators = {"row": [{"kind": "learned"}, {"kind": "probe", "path": "/rows/{key}"}]}
    it = await three("partial", rule={"prune": {"id": "row"}, "learn": {"row": "id"}}, locators=locators)
    assert len((await it.get()).json()) == 3
    it.says["north"] = rows({"id": 0}, fields="X-Total: 1\r\n")
    assert said(await it.get("/rows?id=0")) == ""
    it.shards["south"].kill()
    assert (await it.get("/rows?id=0")).json() == [{"id": 0}]
    assert is_refused(await it.get("/rows?id=2"), "south")
    it.says["north"] = rows(fields="X-Total: 0\r\n")  # the row has moved
    part = await it.get("/rows?id=0")
    assert (part.json(), said(part)) == ([{"id": 1}], ALL)


async def test_a_head_says_it_too(three: Any) -> None:
    for head in ("as_get", "asked"):
        it = await three("partial", rule={"head": head})
        it.shards["south"].kill()
        answer = await it.gateway.client.head("/rows")
        assert (answer.status_code, said(answer), answer.headers["x-total"]) == (200, ALL, "2")


async def test_operators_see_it(three: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO, "shardgate")
    it = await three("partial")
    it.shards["south"].kill()
    assert (await it.get()).status_code == 200
    lines = [record.getMessage() for record in caplog.records if "answered without" in record.getMessage()]
    assert len(lines) == 1
    assert "shard=secret-south status=200" in lines[0]
    assert "secret-south: unreachable (SG2001 " in lines[0]
    it.gateway.tick()
    metrics = (await it.gateway.admin("/metrics")).text
    assert 'shardgate_partial_replies_total{shard="secret-south"} 1' in metrics
    assert 'shardgate_partial_replies_total{shard="secret-north"} 0' in metrics


async def test_the_pages_that_a_partial_page_links_to_lack_the_same_shard_and_say_so(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    from tests.served.dialects.test_drf import NUMBERS, by_number

    it = await world(stack, tmp_path, by_number, NUMBERS, missing={"clients": ["strict"]})
    part = [row for row in it.rows if row["vendor"] == "c-1"]
    it.parts[2].kill()
    seen: list[str] = []
    link, reasons = "/rows", []
    while link:
        answer = await it.gateway.get(link)
        assert answer.status_code == 200, answer.text
        seen += [row["id"] for row in answer.json()["results"]]
        reasons.append(answer.headers["shardgate-partial"])
        if len(reasons) == 1:
            from tests.cluster import running_shard
            from tests.served.dialects.world import Question

            back = running_shard(lambda asked: by_number(part, Question(asked)), port=it.parts[2].port)
            await stack.enter_async_context(back)
        link = it.local(answer.json()["next"]) if answer.json()["next"] else ""
    assert seen == sorted(row["id"] for row in it.rows if row["vendor"] != "c-1")
    assert {*reasons[1:]} == {'asked=3, answered=2, missing=("s2";reason=earlier), totals=inexact'}
    second = it.local((await it.gateway.get("/rows?page=2")).json()["next"])
    assert "shardgate" not in second
    marked = "/rows?page=2&shardgate-lacks="
    assert (await it.gateway.get(f"{marked}nobody")).json()["code"] == "SG1015"
    strict = await it.gateway.get(it.local(answer.json()["previous"]), headers={"Prefer": "shards=strict"})
    assert (strict.status_code, strict.json()["code"]) == (400, "SG1015")


SIGNS = {"error": "any", "meta.state": ["failed", 7]}
SIGNED = {**ENVELOPE, "around": {"first_of": [*SIGNS]}}


@pytest.mark.parametrize(
    ("body", "fails"),
    [
        ('{"error": "database", "data": [], "meta": {"total": 0}}', True),
        ('{"error": null, "data": [{"id": 2}], "meta": {"total": 1}}', False),
        ('{"error": false, "data": [{"id": 2}], "meta": {"total": 1}}', False),
        ('{"data": [], "meta": {"total": 0, "state": "failed"}}', True),
        ('{"data": [], "meta": {"total": 0, "state": 7}}', True),
        ('{"data": [{"id": 2}], "meta": {"total": 1, "state": "7"}}', False),
        ('{"data": [{"id": 2}], "meta": {"total": 1, "state": true}}', False),
    ],
)
async def test_a_200_that_is_a_failure_by_convention(three: Any, body: str, fails: bool) -> None:
    for missing in ("partial", "strict"):
        it = await three(missing, SIGNED, rule={"failure_is": SIGNS})
        for n, name in enumerate(NAMES):
            it.says[name] = reply(json.dumps({"data": [{"id": n}], "meta": {"total": 1}}))
        it.says["south"] = reply(body)
        answer = await it.get()
        if not fails:
            assert [row["id"] for row in answer.json()["data"]] == [0, 1, 2]
            assert said(answer) == ""
        elif missing == "strict":
            assert is_refused(answer, "south")
        else:
            assert [row["id"] for row in answer.json()["data"]] == [0, 1]
            assert said(answer) == 'asked=3, answered=2, missing=("south";reason=failure), totals=inexact'
        it.gateway.tick()
        count = 'shardgate_upstream_errors_total{shard="secret-south",code="SG2013"} '
        assert f"{count}{int(fails)}" in (await it.gateway.admin("/metrics")).text


async def test_a_short_failure_among_long_lists(three: Any) -> None:
    it = await three("partial", rule={"failure_is": {"error": "any"}})
    for n, name in enumerate(NAMES):
        it.says[name] = reply(long(n), fields="X-Total: 2000\r\n")
    it.says["south"] = reply('{"error": "database"}', fields="X-Total: 2000\r\n")
    part = await it.get()
    assert [row["id"] for row in part.json()] == [n for n in range(6000) if n % 3 != 2]
    assert "reason=failure" in said(part)


async def test_a_scatter_is_refused_before_any_shard_is_asked(three: Any) -> None:
    locators = {"vendor": [{"kind": "prefix", "shards": {"n": "secret-north", "s": "secret-south"}}]}
    rule = {"prune": {"vendor": "vendor"}, "scatter": {"shards_max": 1}}
    it = await three("strict", rule=rule, locators=locators)
    refused = await it.get()
    assert (refused.status_code, refused.json()["code"]) == (403, "SG1040")
    assert "narrow it by vendor" in refused.json()["detail"]
    assert (await it.get("/rows?vendor=n-1,s-1")).status_code == 403
    assert not any(shard.asked for shard in it.shards.values())
    assert (await it.get("/rows?vendor=n-1")).json() == [{"id": 0}]
