"""ETag and Last-Modified of a merged list: 304 if no shard has a change, and only then."""

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cluster import Answer, Asked, rows

LIST = {"kind": "offset", "limit_default": 1000, "fields": "fields"}
RULE = {"rule": "gather", "merge": {"kind": "list", "dialect": LIST, "keys": {"id": "text", "n": "number"}}}
OLD, NEW = "Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"


class Instance:
    """An application's instance: rows, and when they changed last."""

    def __init__(self, name: str, count: int) -> None:
        self.rows = [{"id": f"{name}{n:04d}", "n": n} for n in range(count)]
        self.changed_at: str | None = OLD
        self.tag = 'W/"%s"'

    def answer(self) -> Answer:
        def answer(asked: Asked) -> bytes:
            assert not asked.field("if-none-match") + asked.field("if-modified-since")
            values = parse_qs(urlsplit(asked.line.split(" ")[1]).query)
            start = int(values.get("offset", ["0"])[0])
            shown = self.rows[start : start + int(values.get("limit", ["1000"])[0])]
            fields = "Cache-Control: no-cache\r\nX-Kept: 1\r\n"
            if self.tag:
                fields += f"ETag: {self.tag % hashlib.md5(repr(shown).encode()).hexdigest()}\r\n"
            if self.changed_at:
                fields += f"Last-Modified: {self.changed_at}\r\n"
            return rows(*shown, fields=fields)

        return answer


@pytest.fixture
async def two(start_shard: Any, start_gateway: Any) -> Any:
    class Two:
        north, south = Instance("a", 2000), Instance("b", 2000)

    shards = {name: (await start_shard(getattr(Two, name).answer())).url for name in ("north", "south")}
    Two.gateway = await start_gateway({"shards": shards, "rules": {"GET /rows": RULE}})  # type: ignore[attr-defined]
    return Two


async def tag_of(two: Any, target: str = "/rows?limit=5", **headers: str) -> str:
    answer = await two.gateway.get(target, headers=headers)
    assert answer.status_code == 200
    return str(answer.headers["etag"])


async def test_a_list_that_the_client_has_is_a_304_without_a_body(two: Any) -> None:
    answer = await two.gateway.get("/rows?limit=5")
    tag = answer.headers["etag"]
    assert tag.startswith('W/"')
    for given in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = await two.gateway.get("/rows?limit=5", headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (again.headers["cache-control"], again.headers["x-kept"]) == ("no-cache", "1")
        assert "content-type" not in again.headers
        assert "content-length" not in again.headers
    assert (await two.gateway.get("/rows?limit=5", headers={"If-None-Match": '"other"'})).content == answer.content


async def test_one_changed_row_of_one_shard_is_another_etag(two: Any) -> None:
    tag = await tag_of(two)
    two.south.rows[0]["n"] = 7
    answer = await two.gateway.get("/rows?limit=5", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


async def test_an_etag_is_of_one_page_order_and_representation(two: Any) -> None:
    # Two of these targets ask the shards for the same rows.
    targets = ["", "?limit=5", "?limit=3&offset=2", "?limit=2&offset=3", "?limit=5&order=id", "?limit=5&fields=id"]
    tags = [await tag_of(two, f"/rows{target}") for target in targets]
    tags.append(await tag_of(two, "/rows?limit=5", accept="application/xml"))
    assert len(set(tags)) == len(tags)
    assert [await tag_of(two, f"/rows{target}") for target in targets] == tags[:-1]


async def test_a_deep_page_has_an_etag_of_its_rows_however_it_was_found(two: Any) -> None:
    # Found: the second request asks for other rows on its way, and got another tag.
    target = "/rows?limit=5&offset=3000"
    tag = await tag_of(two, target)
    for _ in range(3):
        assert (await two.gateway.get(target, headers={"If-None-Match": tag})).status_code == 304
    two.north.rows[1990]["n"] = -1
    del two.south.rows[1500]  # neither is on the page
    assert (await two.gateway.get(target, headers={"If-None-Match": tag})).status_code == 304
    two.south.rows[1002]["n"] = -1
    changed = await tag_of(two, target, **{"If-None-Match": tag})
    assert changed != tag
    del two.north.rows[0]
    assert await tag_of(two, target, **{"If-None-Match": changed}) not in {tag, changed}


async def test_the_latest_change_is_the_lists(two: Any) -> None:
    two.south.changed_at = NEW
    assert (await two.gateway.get("/rows?limit=5")).headers["last-modified"] == NEW
    for since, status in ((OLD, 200), (NEW, 304), ("Monday, 07-Nov-94 08:49:37 GMT", 304), ("yesterday", 200)):
        answer = await two.gateway.get("/rows?limit=5", headers={"If-Modified-Since": since})
        assert answer.status_code == status, since
    # If-None-Match decides where it stands (RFC 9110 section 13.1.3).
    both = {"If-Modified-Since": NEW, "If-None-Match": '"other"'}
    assert (await two.gateway.get("/rows?limit=5", headers=both)).status_code == 200


async def test_a_validator_that_one_shard_lacks_is_left_out(two: Any) -> None:
    two.south.tag, two.north.changed_at = "", None
    answer = await two.gateway.get("/rows?limit=5", headers={"If-None-Match": "*", "If-Modified-Since": NEW})
    assert answer.status_code == 200
    assert "etag" not in answer.headers
    assert "last-modified" not in answer.headers
    two.south.tag = "no-quotes-%s"
    assert "etag" not in (await two.gateway.get("/rows?limit=5")).headers


async def test_a_head_has_the_fields_of_its_get(two: Any) -> None:
    got = await two.gateway.get("/rows?limit=5")
    headed = await two.gateway.client.head("/rows?limit=5")
    assert (headed.status_code, headed.content) == (200, b"")
    assert [(k, v) for k, v in headed.headers.items() if k != "x-request-id"] == list(got.headers.items())
    assert headed.headers["content-length"] == str(len(got.content))
    again = await two.gateway.client.head("/rows?limit=5", headers={"If-None-Match": got.headers["etag"]})
    assert again.status_code == 304


async def test_a_refusal_has_no_merged_etag(two: Any) -> None:
    two.gateway.client.headers["If-None-Match"] = "*"
    assert (await two.gateway.get("/rows?limit=x")).status_code != 304
