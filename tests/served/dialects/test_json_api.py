"""JSON:API lists: paging families, links, and what is included with the rows of a page."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world

NUMBERS: dict[str, Any] = {"kind": "json_api", "limit_default": 10, "limit_max": 25, "page_count": "meta.pages"}
OFFSETS: dict[str, Any] = {"kind": "json_api", "page": None, "limit": "page[limit]", "limit_default": 10}
ABSENT = {**OFFSETS, "rels": ["first", "next", "prev"], "links_absent": True}
RELS = ("self", "first", "prev", "next", "last")


def by_number(rows: list[Row], asked: Question) -> bytes:
    size, page = min(asked.number("page[size]", 10), 25), asked.number("page[number]", 1)
    pages = -(-len(rows) // size)
    numbers = {"self": page, "first": 1, "last": max(1, pages)}
    numbers |= {"prev": page - 1} if page > 1 else {}
    numbers |= {"next": page + 1} if page < pages else {}
    links = {rel: address(asked, {"page[number]": numbers[rel]}) if rel in numbers else None for rel in RELS}
    return told(rows, asked, (page - 1) * size, size, links, pages)


def by_offset(rows: list[Row], asked: Question) -> bytes:
    size, start = asked.number("page[limit]", 10), asked.number("page[offset]", 0)
    places = {"self": start, "first": 0, "last": max(0, len(rows) - 1) // size * size}
    places |= {"prev": max(0, start - size)} if start else {}
    places |= {"next": start + size} if start + size < len(rows) else {}
    paging = {rel: {"page[limit]": size, "page[offset]": place} for rel, place in places.items()}
    return told(rows, asked, start, size, {rel: address(asked, paging[rel]) if rel in paging else None for rel in RELS})


def absent(rows: list[Row], asked: Question) -> bytes:
    """One that leaves out links to no page, and `included` where nothing is asked for."""
    body = by_offset(rows, asked).partition(b"\r\n\r\n")[2]
    said = json.loads(body)
    said["links"] = {rel: said["links"][rel] for rel in ABSENT["rels"] if said["links"][rel] is not None}
    return reply(json.dumps(said, indent=1))


def address(asked: Question, paging: dict[str, int]) -> str:
    parts = [part for part in asked.query.split("&") if part]
    for name, value in paging.items():
        places = [n for n, part in enumerate(parts) if part.partition("=")[0] in {name, quote_plus(name)}]
        if places:
            parts[places[0]] = f"{parts[places[0]].partition('=')[0]}={value}"
        else:
            parts.append(f"{quote_plus(name)}={value}")
    return f"{asked.url.partition('?')[0]}?{'&'.join(parts)}"


def told(
    rows: list[Row], asked: Question, start: int, size: int, links: dict[str, Any], pages: int | None = None
) -> bytes:
    data = [resource(row) for row in ranked(rows, minus(asked.values.get("sort")))[start : start + size]]
    body: dict[str, Any] = {"data": data, "links": links}
    if "include" in asked.values:
        body["included"] = included(data)
    body["meta"] = {"total": len(rows), **({} if pages is None else {"pages": pages})}
    return reply(json.dumps(body, ensure_ascii=False))


def resource(row: Row) -> Row:
    tags = [{"type": "tags", "id": str(n)} for n in sorted({int(row["price"]) % 5, int(row["id"]) % 3})]
    owner = {"type": "people", "id": str(int(row["id"]) % 7)} if int(row["id"]) % 4 else None
    attributes = {"name": row["name"], "price": row["price"]}
    relationships = {"tags": {"data": tags, "meta": {"count": len(tags)}}, "owner": {"data": owner}, "notes": {}}
    return {"type": "rows", "id": row["id"], "attributes": attributes, "relationships": relationships}


def included(data: list[Row]) -> list[Row]:
    """What the rows refer to, and the city of each owner, whose mayor is an owner too."""
    found: dict[tuple[str, str], Row] = {}
    queue = list(data)
    for one in queue:
        for relation in one.get("relationships", {}).values():
            linked = relation.get("data") or []
            for ref in linked if isinstance(linked, list) else [linked]:
                if (ref["type"], ref["id"]) not in found:
                    found[ref["type"], ref["id"]] = related(ref["type"], ref["id"])
                    queue.append(found[ref["type"], ref["id"]])
    return list(found.values())


def related(kind: str, name: str) -> Row:
    refers = {
        "people": {"city": {"data": {"type": "cities", "id": str(int(name) % 2)}}},
        "cities": {"mayor": {"data": {"type": "people", "id": name}}},
    }
    return {"type": kind, "id": name, "attributes": {"label": f"{kind} {name}"}, "relationships": refers.get(kind, {})}


async def walk(rows: World, target: str) -> None:
    seen: list[str] = []
    link = following = target
    while following:
        body = (await rows.both(following)).json()
        seen += [row["id"] for row in body["data"]]
        link, following = following, rows.local(url) if (url := body["links"].get("next")) else ""
    assert len(seen) == len(set(seen)) == 120
    back: list[str] = []
    while link:
        body = (await rows.both(link)).json()
        back = [row["id"] for row in body["data"]] + back
        link = rows.local(url) if (url := body["links"].get("prev")) else ""
    assert back[-120:] == seen


@pytest.mark.parametrize("query", ["", "?page[size]=7&sort=-id", "?page%5Bsize%5D=25&include=tags,owner.city&q=a%20b"])
async def test_page_numbers_by_their_links(stack: AsyncExitStack, tmp_path: Path, query: str) -> None:
    await walk(await world(stack, tmp_path, by_number, NUMBERS), f"/rows{query}")


@pytest.mark.parametrize("query", ["", "?page[limit]=7&sort=-id", "?include=tags,owner.city&page%5Blimit%5D=25"])
@pytest.mark.parametrize(("speak", "dialect"), [(by_offset, OFFSETS), (absent, ABSENT)])
async def test_offsets_by_their_links(
    stack: AsyncExitStack, tmp_path: Path, speak: Any, dialect: dict[str, Any], query: str
) -> None:
    await walk(await world(stack, tmp_path, speak, dialect), f"/rows{query}")


@pytest.mark.parametrize("size", [0, 1, 3000])
async def test_small_lists_and_a_deep_page(stack: AsyncExitStack, tmp_path: Path, size: int) -> None:
    rows = await world(stack, tmp_path, by_number, NUMBERS, size=size)
    for query in ("", "?include=tags", "?include=tags&page[number]=100", "?page[number]=2&sort=-id"):
        await rows.both(f"/rows{query}")


async def test_each_included_resource_is_there_once_and_only_if_the_page_needs_it(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    rows = await world(stack, tmp_path, by_number, NUMBERS)
    body = (await rows.gateway.get("/rows?page[size]=2&include=tags")).json()
    names = [(one["type"], one["id"]) for one in body["included"]]
    assert len(names) == len(set(names))
    assert body["included"] == included(body["data"])


def of_a_tree(rows: list[Row], asked: Question) -> bytes:
    """Each row has a parent of its own vendor, which is a row, too: it is included where the page does not have it."""
    size, page = min(asked.number("page[size]", 10), 25), asked.number("page[number]", 1)
    children = ranked(rows, [])
    behind: dict[str, Row] = {}
    parents: dict[str, Row] = {}
    for row in reversed(children):
        parents |= {row["id"]: behind[row["vendor"]]} if row["vendor"] in behind else {}
        behind[row["vendor"]] = row

    def resource(row: Row) -> Row:
        parent = parents.get(row["id"])
        data = None if parent is None else {"type": "rows", "id": parent["id"]}
        return {"type": "rows", "id": row["id"], "relationships": {"parent": {"data": data}}}

    shown = children[(page - 1) * size : page * size]
    body: dict[str, Any] = {"data": [resource(row) for row in shown], "meta": {"total": len(rows)}}
    if "include" in asked.values:
        names = dict.fromkeys(parents[row["id"]]["id"] for row in shown if row["id"] in parents)
        on_page = {row["id"] for row in shown}
        body["included"] = [resource(row) for name in names for row in rows if row["id"] == name not in on_page]
    return reply(json.dumps(body))


async def test_a_row_that_another_shard_row_refers_to_is_included_where_the_page_lacks_it(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    # Found: a shard showed the parent among its rows, and the merged page had it in neither. Its own parent was there.
    dialect = {"kind": "json_api", "limit_default": 10, "limit_max": 25, "rels": []}
    rows = await world(stack, tmp_path, of_a_tree, dialect, keys={"id": "text"})
    for query in ("", "&page[size]=3", "&page[size]=7&page[number]=4", "&page[size]=1&page[number]=30"):
        await rows.both(f"/rows?include=parent{query}")
    await rows.both("/rows")


def with_people(kind: str) -> Any:
    """An application that writes what it includes in its own way."""

    def speak(rows: list[Row], asked: Question) -> bytes:
        size, page = min(asked.number("page[size]", 10), 25), asked.number("page[number]", 1)
        shown = ranked([] if "none" in asked.values else rows, [])[(page - 1) * size : page * size]
        owners = [None if int(row["id"]) % 3 == 0 else str(int(row["id"]) % 7) for row in shown]
        refs = [None if each is None else {"type": "people", "id": each} for each in owners]
        data = [
            {"type": "rows", "id": row["id"], "relationships": {"owner": {"data": ref}}}
            for row, ref in zip(shown, refs, strict=True)
        ]
        names = [*dict.fromkeys(each for each in owners if each)]
        has: dict[str, Any] = {"rows": len(rows)} if kind == "counted" else {}
        people = [{"type": "people", "id": each, **has} for each in (sorted(names) if kind == "sorted" else names)]
        people += [{"type": "notes", "id": row["id"]} for row in shown if kind == "unlinked"]
        body = {"data": data, "meta": {"total": 0 if "none" in asked.values else len(rows)}}
        return reply(json.dumps(body | ({"included": people} if people or kind != "absent" else {})))

    return speak


@pytest.mark.parametrize("kind", ["plain", "sorted", "absent"])
async def test_included_is_written_as_the_application_writes_it(
    stack: AsyncExitStack, tmp_path: Path, kind: str
) -> None:
    # Found: `included: []` where the application leaves it out, and another order than its own.
    dialect = {"kind": "json_api", "limit_default": 10, "limit_max": 25, "rels": []}
    dialect |= {"included_absent": kind == "absent"}
    rows = await world(stack, tmp_path, with_people(kind), dialect, keys={"id": "text"})
    for query in (
        "",
        "page[size]=12",
        "page[number]=99",
        "none=1",
        *(f"page[size]=1&page[number]={n}" for n in (3, 7)),
    ):
        await rows.both(f"/rows?{query}")


@pytest.mark.parametrize("kind", ["plain", "absent"])
async def test_how_nothing_included_is_written_is_a_502_where_neither_replies_nor_the_rule_say_it(
    stack: AsyncExitStack, tmp_path: Path, kind: str
) -> None:
    # Found: `included: []`, with 200, where the application leaves it out.
    dialect = {"kind": "json_api", "limit_default": 10, "limit_max": 25, "rels": []}
    rows = await world(stack, tmp_path, with_people(kind), dialect, keys={"id": "text"})
    seen = set()
    for number in range(1, 25):
        target = f"/rows?page[size]=1&page[number]={number}"
        answer = await rows.gateway.get(target)
        seen.add(answer.status_code)
        assert answer.status_code == 502 or await rows.both(target)
    assert seen == {200, 502}


@pytest.mark.parametrize("kind", ["counted", "unlinked"])
async def test_what_cannot_be_included_as_it_is_is_a_502(stack: AsyncExitStack, tmp_path: Path, kind: str) -> None:
    # Found: the first shard's person, who has a count of that shard's rows; and resources that no row names were gone.
    dialect = {"kind": "json_api", "limit_default": 10, "limit_max": 25, "rels": []}
    rows = await world(stack, tmp_path, with_people(kind), dialect, keys={"id": "text"})
    answer = await rows.gateway.get("/rows")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")


@pytest.mark.parametrize("pages", [0, 1])
@pytest.mark.parametrize("last", ["page", None])
async def test_the_pages_of_a_list_without_rows_are_the_applications(
    stack: AsyncExitStack, tmp_path: Path, pages: int, last: str | None
) -> None:
    # Found: 0 pages where the application says 1, and a link to a last page where it says that there is none.
    def speak(rows: list[Row], asked: Question) -> bytes:
        said = json.loads(by_number(rows, asked).partition(b"\r\n\r\n")[2])
        if not rows:
            said["meta"]["pages"] = pages
            said["links"]["last"] = last and said["links"]["last"]
        return reply(json.dumps(said, ensure_ascii=False))

    rows = await world(stack, tmp_path, speak, NUMBERS, size=0)
    await rows.both("/rows")
    await rows.both("/rows?page[size]=3&q=x")


async def test_rows_without_relationships_to_what_is_included_are_a_502(stack: AsyncExitStack, tmp_path: Path) -> None:
    body = {"data": [{"type": "rows", "id": "1"}], "included": [related("tags", "1")], "links": {}}
    rows = await world(stack, tmp_path, lambda part, asked: reply(json.dumps(body)), OFFSETS)
    answer = await rows.gateway.get("/rows?include=tags")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
