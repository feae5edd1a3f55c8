"""Hostile or odd shards and clients: the gateway refuses or fails such a list with a 4xx or 502, never with a 500."""

import asyncio
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.cluster import Gateway, read_chunked, reply

RULE = {"kind": "list", "keys": {"id": "text", "n": "number"}}
KINDS: dict[str, dict[str, Any]] = {
    "offset": {"kind": "offset", "count_header": "X-Total", "fields": "fields"},
    "envelope": {"kind": "envelope", "items": "rows"},
    "pages": {"kind": "pages", "items": "rows", "limit_default": 10, "limit_max": 50},
    "hal": {"kind": "hal", "items": "rows", "limit_default": 10, "limit_max": 50, "total": "total"},
    "drf": {"kind": "drf", "results": "rows", "count": "total", "limit_default": 10, "limit_max": 50},
    "json_api": {"kind": "json_api", "limit_default": 10, "limit_max": 50},
    "link_header": {"kind": "link_header", "limit_default": 10, "limit_max": 50},
    "ndjson": {"kind": "ndjson"},
    "id_cursor": {"kind": "id_cursor", "items": "rows", "limit_default": 10},
    "cursor": {"kind": "cursor", "items": "rows", "limit_default": 10},
}
BARE = {"offset", "link_header"}
COUNTED = b'{"rows":%(rows)b,"total":%(total)b}'
AROUND = {
    **dict.fromkeys(("envelope", "pages", "hal", "drf"), COUNTED),
    "json_api": b'{"data":%(rows)b}',
    "id_cursor": b'{"rows":%(rows)b,"has_more":false}',
    "cursor": b'{"rows":%(rows)b,"next_cursor":null}',
}


class Pair:
    """Two shards that say what a test says, and the gateway before them."""

    gateway: Gateway

    def __init__(self) -> None:
        self.says: list[bytes] = [b"[]", b"[]"]
        self.fields = ""
        self.asked: list[str] = []

    def answer(self, number: int, line: str) -> bytes:
        self.asked.append(line)
        kind = line.split("/")[1].partition(" ")[0].partition("?")[0]
        rows = self.says[number]
        if kind in BARE:
            return reply(rows, fields=self.fields)
        if kind == "ndjson":
            return reply(rows[1:-1].replace(b"},{", b"}\n{"))
        if kind == "drf" and re.search(r"page=(?!1[& ])", line):
            return reply('{"detail":"Invalid page."}', status="404 Not Found")
        total = b"%d" % rows.count(b'"id"') if kind in {"drf", "hal", "pages"} else b"null"
        return reply(AROUND[kind] % {b"rows": rows, b"total": total})


@pytest.fixture
async def pair(start_shard: Any, start_gateway: Any, tmp_path: Any) -> Pair:
    (tmp_path / "secret").write_text("0123456789abcdef" * 4)
    said = Pair()
    north = await start_shard(lambda asked: said.answer(0, asked.line))
    south = await start_shard(lambda asked: said.answer(1, asked.line))
    rules = {f"GET /{kind}": {"rule": "gather", "merge": {**RULE, "dialect": d}} for kind, d in KINDS.items()}
    cursors = {"secret_file": str(tmp_path / "secret")}
    shards = {"north": north.url, "south": south.url}
    said.gateway = await start_gateway({"shards": shards, "rules": rules, "cursors": cursors})
    return said


SORTED_BY = {"hal": "sort=n", "json_api": "sort=n", "drf": "ordering=n"}
BROKEN = {
    "not a number": b'[{"id":"a","n":NaN}]',
    "not a number, not compared": b'[{"id":"a","n":1,"x":NaN}]',
    "an exponent beyond all bounds": b'[{"id":"a","n":1e9999999999999999999}]',
    "more digits than anybody reads": b'[{"id":"a","n":%b}]' % (b"9" * 100_000),
    "a number in quotes": b'[{"id":"a","n":"1"}]',
    "yes for a number": b'[{"id":"a","n":true}]',
    "no row": b"[null]",
    "rows in rows": b'[[{"id":"a","n":1}]]',
    "out of order": b'[{"id":"a","n":2},{"id":"b","n":1}]',
    "too deep": b'[{"id":"a","n":1,"x":%b%b}]' % (b"[" * 50_000, b"]" * 50_000),
    "another charset": '[{"id":"a","n":1,"x":"é"}]'.encode("latin-1"),
    "a control character": b'[{"id":"a\x01","n":1}]',
    "a comma too many": b'[{"id":"a","n":1},]',
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_broken_list_is_a_502_in_every_dialect(pair: Pair, kind: str) -> None:
    for name, body in BROKEN.items():
        pair.says = [body, b'[{"id":"s","n":3}]']
        answer = await pair.gateway.get(f"/{kind}?{SORTED_BY.get(kind, 'order=n')}")
        assert answer.status_code == 502, (name, answer.text)
        assert answer.json()["code"] == ("SG2007" if name == "out of order" else "SG2002"), (name, answer.text)
    pair.says = [b'[{"id":"a","n":1e400}]', b'[{"id":"s","n":-1E-400}]']
    answer = await pair.gateway.get(f"/{kind}?{SORTED_BY.get(kind, 'order=n')}")
    assert (answer.status_code, b"1e400" in answer.content) == (200, True)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_get_with_a_body_is_refused(pair: Pair, kind: str) -> None:
    # Found: Parse Server reads `{"where": …}` in the body of a GET; shards were asked without it, and gave all rows.
    client, pair.says = pair.gateway.client, [b'[{"id":"a","n":1}]', b'[{"id":"s","n":3}]']
    for body in (b'{"where":{"n":1}}', b'{"limit":1}', b"limit=1", b"1"):
        answer = await client.request("GET", f"/{kind}", content=body)
        assert (answer.status_code, answer.json()["code"], pair.asked) == (400, "SG1009", []), body
        assert "body" in answer.json()["detail"]
    for body in (b"", b"{}", b" null\n"):
        assert (await client.request("GET", f"/{kind}", content=body)).status_code == 200, body


ODD = (
    *("", "0", "-1", "1.5", "+5", "5_0", " 5", "0x5", "٣", "9" * 15, "9" * 16, "9" * 400, "9" * 5000, "1e9"),
    *(
        "id,id",
        "-",
        "--id",
        ",",
        "id,",
        "ID",
        "n desc",
        "%00",
        "%FF",
        "[]",
        "{}",
        "a%0d%0aX: y",
        "\U0001f600",
        "x" * 4000,
    ),
)
PARAMETERS = ("limit", "offset", "order", "fields", "page", "size", "page_size", "page[size]", "page[number]", "sort")
CURSORS = ("cursor", "starting_after", "ending_before")


@pytest.mark.parametrize("kind", KINDS)
async def test_no_parameter_is_a_500(pair: Pair, kind: str) -> None:
    """Found: a page number of fifteen digits was a 500 in the dialects that count pages."""
    queries = [
        f"{name}={value}".replace(" ", "%20") if "%" in value else urlencode({name: value})
        for name in (*PARAMETERS, *CURSORS)
        for value in ODD
    ]
    targets = [f"/{kind}?{query}{more}" for query in queries for more in ("", f"&{query.partition('=')[0]}=3")]
    for target, status in zip(targets, await statuses(pair.gateway, targets), strict=True):
        assert status in {200, 400, 404}, target[:80]


async def statuses(gateway: Gateway, targets: list[str]) -> list[int]:
    """The status of the reply to each request, over one connection; httpx would take twice as long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    found = []
    for target in targets:
        writer.write(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        found.append(int(head.split(b" ", 2)[1]))
        if length := re.search(rb"\r\nContent-Length: (\d+)", head):
            await reader.readexactly(int(length[1]))
        else:
            await read_chunked(reader)
    writer.close()
    return found


async def test_a_parameter_that_is_not_utf8_reaches_the_application_unchanged(pair: Pair) -> None:
    """Found: a byte that is no UTF-8 in `fields` reached the shards as another character."""
    await pair.gateway.get("/offset?fields=id,n%FFm&limit=3")
    assert pair.asked[-1] == "GET /offset?fields=id,n%FFm&limit=3 HTTP/1.1"


@pytest.mark.parametrize("total", ["-1", "1.0", "many", "9" * 16, "", "0x1"])
async def test_a_total_that_is_not_a_count_is_a_502(pair: Pair, total: str) -> None:
    pair.fields = f"X-Total: {total}\r\n"
    answer = await pair.gateway.get("/offset?limit=3")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")


async def test_one_row_of_many_megabytes_passes_and_others_are_served_meanwhile(pair: Pair) -> None:
    long = b'[{"id":"a","n":1,"x":"%b"}]' % (b"y" * 8_000_000)
    pair.says = [long, b"[]"]
    running = asyncio.get_running_loop().create_task(pair.gateway.get("/offset", timeout=60))
    served = 0
    while not running.done():
        assert (await pair.gateway.get("/nothing", timeout=60)).status_code == 404
        served += 1
    assert (await running).content == long
    assert served > 1


@pytest.mark.parametrize("kind", ["pages", "drf", "hal"])
async def test_a_total_above_the_number_of_rows_is_a_502(pair: Pair, kind: str) -> None:
    """A shard that says that it has more than it gives is broken: its list would seem to end early."""
    pair.says = [b'[{"id":"a","n":1}]', b"[]"]
    assert (await pair.gateway.get(f"/{kind}")).status_code == 200
    pair.says = [b'[{"id":"a","n":1,"also":{"id":0}}]', b"[]"]  # counts as two
    answer = await pair.gateway.get(f"/{kind}")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")


async def test_a_row_that_two_shards_have_is_shown_as_often_on_every_way_to_its_page(pair: Pair) -> None:
    rows = [{"id": f"{n:05d}", "n": 1} for n in range(40)]
    pair.says = [json.dumps(rows).encode(), json.dumps(rows[10:20]).encode()]
    ids = [row["id"] for row in (await pair.gateway.get("/offset")).json()]
    assert ids == sorted([row["id"] for row in rows] + [row["id"] for row in rows[10:20]])
