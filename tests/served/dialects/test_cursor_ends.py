"""How applications write the cursor of a last page, and how a link to a next page: each as one instance writes it."""

import json
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from shardgate.core.cursors.seal import Seal
from shardgate.core.dialect import Cursor
from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, ranked, world

CURSOR: dict[str, Any] = {"kind": "cursor", "limit_default": 10, "limit_max": 25}
FLAGGED = {**CURSOR, "has_more": "more"}
LINKED = {**CURSOR, "items": None, "next_header": "Link", "next_is": "link", "rels": ["self", "first", "next"]}


def page(rows: list[Row], asked: Question) -> tuple[list[Row], str]:
    """A page, and the cursor behind it: the id of its last row, or nothing at the end."""
    behind = asked.values.get("cursor", "")
    rows = [row for row in ranked([] if "none" in asked.values else rows, []) if row["id"] > behind]
    size = min(asked.number("limit", 10), 25)
    return rows[:size], rows[size - 1]["id"] if rows[size:] else ""


def ended_by(last: Any) -> Callable[[list[Row], Question], bytes]:
    def speak(rows: list[Row], asked: Question) -> bytes:
        shown, token = page(rows, asked)
        return reply(json.dumps({"items": shown, "next_cursor": token or last, "kind": "rows"}))

    return speak


def always(rows: list[Row], asked: Question) -> bytes:
    """Its last page has a cursor, too, behind which later rows will stand; an empty one gives back the client's."""
    shown, token = page(rows, asked)
    behind = shown[-1]["id"] if shown else asked.values.get("cursor", "0")
    return reply(json.dumps({"next_cursor": behind, "items": shown, "more": bool(token)}))


def in_links(rows: list[Row], asked: Question) -> bytes:
    """The addresses stand in a field Link, beside one that is no page's."""
    shown, token = page(rows, asked)
    parts = [part for part in asked.query.split("&") if part and not part.startswith("cursor=")]
    begin = asked.url.partition("?")[0]
    first = f"{begin}?{'&'.join(parts)}" if parts else begin
    links = [f'<{asked.url}>; rel="self"', f'<{first}>; rel="first"']
    links += [f'<{begin}?{"&".join([*parts, f"cursor={token}"])}>; rel="next"'] if token else []
    fields = "".join(f"Link: {link}\r\n" for link in ['</docs>; rel="help"', ", ".join(links)])
    return reply(json.dumps(shown), fields=fields)


def as_query(rows: list[Row], asked: Question) -> bytes:
    shown, token = page(rows, asked)
    parts = [part for part in asked.query.split("&") if part and not part.startswith("cursor=")]
    link = "?" + "&".join([*parts, f"cursor={token}"]) if token else None
    return reply(json.dumps({"items": shown, "next_cursor": link}))


def hidden(text: str) -> str:
    """What a reply says, without the cursors."""
    return re.sub(r'((?:"next_cursor": |cursor=)"?)[\w-]{5,}', r"\1X", text)


async def walked(rows: World, query: str = "limit=13") -> list[Any]:
    """Both are asked for every page, each by its own cursors, and must say the same."""
    host, pages = {"Host": f"127.0.0.1:{rows.gateway.port}"}, []
    ours = theirs = ""
    while True:
        answer = await rows.gateway.get(f"/rows?{query}{ours}")
        expected = await rows.gateway.client.get(f"{rows.whole.url}/rows?{query}{theirs}", headers=host)
        links = [", ".join(each.headers.get_list("link")) for each in (answer, expected)]
        assert (answer.status_code, hidden(answer.text)) == (200, hidden(expected.text))
        assert hidden(links[0]) == hidden(links[1])
        pages.append(answer.json())
        found = [_token(text + link) for text, link in zip((answer.text, expected.text), links, strict=True)]
        if not found[0] or pages[-1] == [] or (isinstance(pages[-1], dict) and pages[-1].get("more") is False):
            return pages
        ours, theirs = f"&cursor={found[0]}", f"&cursor={found[1]}"


def _token(text: str) -> str:
    found = re.findall(r'(?:"next_cursor": "|[?&]cursor=)([\w-]+)[^,]*(?:rel="next"|"|$)', text)
    return str(found[-1]) if found and ("rel=" not in text or 'rel="next"' in text) else ""


@pytest.mark.parametrize(("at_end", "last"), [("null", None), ("empty", ""), ("false", False), ("zero", 0)])
async def test_a_last_page_ends_as_the_application_says(
    stack: AsyncExitStack, tmp_path: Path, at_end: str, last: Any
) -> None:
    # Found: `false` and 0 were taken for cursors, and a page that all rows fill was said to have one behind it.
    rows = await world(stack, tmp_path, ended_by(last), {**CURSOR, "at_end": at_end})
    assert len(await walked(rows)) == 10
    assert (await walked(rows, "limit=13&none=1"))[0]["next_cursor"] == last


@pytest.mark.parametrize("last", [False, True, 0, [], {}])
async def test_what_is_no_cursor_is_a_broken_reply(stack: AsyncExitStack, tmp_path: Path, last: Any) -> None:
    rows = await world(stack, tmp_path, ended_by(last), CURSOR)
    answer = await rows.gateway.get("/rows?none=1")
    assert (answer.status_code, answer.json()["detail"]) == (502, "a shard's cursor cannot be read")


async def test_a_last_page_has_a_cursor_too(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: a shard that had ended was asked again, until its page did not go on (502).
    rows = await world(stack, tmp_path, always, {**FLAGGED, "at_end": "cursor"})
    pages = await walked(rows)
    assert [row["id"] for each in pages for row in each["items"]] == sorted(row["id"] for row in rows.rows)
    last = pages[-1]["next_cursor"]
    again = (await rows.gateway.get(f"/rows?limit=13&cursor={last}")).json()
    assert (again["items"], again["more"]) == ([], False)
    further = (await rows.gateway.get(f"/rows?limit=13&cursor={again['next_cursor']}")).json()
    assert (further["items"], further["more"]) == ([], False)


async def test_a_page_that_has_more_and_no_cursor_is_a_broken_reply(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: with the wrong name of `next` in the rule, and `at_end: absent`, the first page was the whole list.
    wrong = {**FLAGGED, "next": "following", "at_end": "absent"}
    answer = await (await world(stack, tmp_path, always, wrong)).gateway.get("/rows")
    assert answer.status_code == 502
    assert "says that there is a next page" in answer.json()["detail"]


async def test_every_page_by_the_field_link(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: the whole field was taken for an address, and a bare address was written into it.
    rows = await world(stack, tmp_path, in_links, LINKED)
    assert sum(map(len, await walked(rows))) == 120
    answer = await (await world(stack, tmp_path, in_links, {**LINKED, "rels": ["next"]})).gateway.get("/rows")
    assert (answer.status_code, answer.json()["detail"]) == (502, "a shard's Link names a page that the rule does not")


async def test_a_link_that_is_the_query_alone(stack: AsyncExitStack, tmp_path: Path) -> None:
    dialect = {**CURSOR, "next_is": "link", "origin": "?"}
    assert len(await walked(await world(stack, tmp_path, as_query, dialect))) == 10


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"at_end": "cursor"}, "needs has_more"),
        ({"next_header": "link"}, "write `next_is: link`"),
        ({"next_header": "Link", "next_is": "link", "rels": ("first",)}, "with `next`"),
        ({"rels": ("prev", "next")}, "write `next_header: Link`"),
    ],
)
def test_what_cannot_be_served_is_a_mistake(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Cursor(seal=Seal((b"x" * 32,), 60), limit_default=10, **fields)
