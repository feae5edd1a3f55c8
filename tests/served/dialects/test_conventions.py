"""Applications whose conventions are drawn at random: each is one instance, and three shards behind the gateway.

Each test of this folder knows one convention. Here several meet: nulls last beside a tie that descends, a limit that is
clamped beside a page behind the end, shards without rows that answer 204. The application below is written from the
documentation of `docs/reference/dialects.md` and `lists.md`, not from the gateway's code.

A failure prints the seed, the configuration and the request. `CONVENTIONS=500` draws more of them.
"""

import json
import os
import random
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.cluster import Asked, reply, running_gateway, running_shard

Row = dict[str, Any]
SEEDS = range(int(os.environ.get("CONVENTIONS", "40")))
REQUESTS = 30
REFUSED = {"error": "bad request"}
NAMES = ["ant", "Ant", "bee", "Bee", "zoo", "Åre", "\U0001f600", "\ufb01", None]
NUMBERS = ["whole", "signed", "python", "leading"]


class Conventions:
    """How one application pages and sorts, and how a configuration says so."""

    def __init__(self, chance: random.Random) -> None:
        pick = chance.choice
        self.kind: Literal["offset", "envelope", "pages"] = pick(["offset", "envelope", "pages"])
        paged = self.kind == "pages"
        self.limit_default: int | None = pick([5, 7, 20]) if paged else pick([None, 5, 7])
        self.limit_max: int | None = pick([20, 40]) if paged or self.limit_default else pick([None, 25])
        self.limit_over = pick(["cut", "refuse", "default"]) if self.limit_max else "cut"
        self.names = pick(["exact", "any_case"])
        self.repeated = pick(["first", "last"])
        self.past_end = pick([None, 404, "last"] if paged else [None, None, 404, 416])
        self.nulls = pick(["first", "last", "always_first", "always_last"])
        self.collation = pick(["binary", "utf16", "case_insensitive", "ascii_case_insensitive"])
        self.tie = pick(["id", "-id", "follows"])
        self.default_order = pick([["id"], ["name"], ["-rank", "name"]])
        self.leaves_nulls_out = pick([True, False])
        self.empty: int | None = pick([None, None, 204, 404])
        self.empty_is_null = pick([True, False]) and self.empty is None
        self.limit = self._reading(chance, ["default", "all"] if self.limit_max is None else ["default"])
        self.place = self._reading(chance, ["default"] + (["last"] if paged else []))
        self.unknown_keys = pick(["refuse", "default", "ignore"])

    @staticmethod
    def _reading(chance: random.Random, meanings: list[str]) -> dict[str, Any]:
        reading: dict[str, Any] = {
            "number": chance.choice(NUMBERS),
            "bad": chance.choice(["refuse", "default", "zero"]),
            "below": chance.choice(["refuse", "least", *meanings]),
            "zero": "number",
        }
        if "last" not in meanings:
            reading["zero"] = chance.choice(["number", *meanings])
        if chance.random() < 0.5:
            reading["words"] = {"some": chance.choice([3, *meanings])}
        if chance.random() < 0.3:
            reading["most"] = 2**31 - 1
        return reading

    @property
    def place_name(self) -> str:
        return "page" if self.kind == "pages" else "offset"

    def dialect(self) -> dict[str, Any]:
        """The dialect, as a user writes it."""
        said: dict[str, Any] = {
            "kind": self.kind,
            "limit": "size",
            "limit_default": self.limit_default,
            "limit_max": self.limit_max,
            "limit_over": self.limit_over,
            "names": self.names,
            "repeated": self.repeated,
            "past_end": self.past_end,
            "reads": {"size": self.limit, self.place_name: self.place, "order": {"bad": self.unknown_keys}},
        }
        if self.kind == "pages":
            return {**said, "limit_echo": "size", "numbers": {"next": "next", "last": "last"}, "from_echo": "from"}
        if self.kind == "envelope":
            return {**said, "has_more": "more", "offset_echo": "offset"}
        return {**said, "count_header": "X-Count"}

    def rule(self) -> dict[str, Any]:
        """The whole rule."""
        key = {"nulls": self.nulls}
        return {
            "rule": "gather",
            "merge": {
                "kind": "list",
                "dialect": self.dialect(),
                "keys": {
                    "id": "text",
                    "name": {"type": "text", "collation": self.collation, **key},
                    "rank": {"type": "number", **key},
                },
                "default_order": self.default_order,
                "tie": "id" if self.tie == "follows" else self.tie,
                "tie_follows": self.tie == "follows",
                "not_here": [self.empty] if self.empty else [],
            },
        }


class RefusedError(Exception):
    """The application refuses the request."""


class Application:
    """One instance with some rows. It knows nothing of a gateway."""

    def __init__(self, conventions: Conventions, rows: list[Row]) -> None:
        self.has = conventions
        self.rows = rows

    def answer(self, asked: Asked) -> bytes:
        query = parse_qsl(asked.line.split(" ")[1].partition("?")[2], keep_blank_values=True)
        try:
            return self._list(query)
        except RefusedError:
            return reply(json.dumps(REFUSED), status="400 Bad Request")

    def _list(self, query: list[tuple[str, str]]) -> bytes:
        has = self.has
        values: dict[str, str] = {}
        for name, value in query:
            read = name.lower() if has.names == "any_case" else name
            if has.repeated == "last" or read not in values:
                values[read] = value
        limit = self._limit(values.get("size"))
        rows = [row for row in self.rows if values.get("color") in {None, row["color"]}]
        if has.kind == "pages":
            assert limit is not None
            pages = -(-len(rows) // limit)
            page = self._place(values.get("page"), 1, 1)
            number = max(pages, 1) if page == "last" else page
            offset = (number - 1) * limit
        else:
            number, pages, place = 0, 0, self._place(values.get("offset"), 0, 0)
            assert place != "last"
            offset = place
        rows = self._sorted(rows, values.get("order"))
        if not rows and has.empty:
            return reply("" if has.empty == 204 else json.dumps({"error": "nothing"}), status=f"{has.empty} X")
        if offset >= len(rows) and offset > 0:
            if has.past_end == "last":
                number = max(pages, 1)
                offset = (number - 1) * (limit or 0)
            elif has.past_end:
                return reply(json.dumps({"error": "behind the end"}), status=f"{has.past_end} X")
        shown = rows[offset:] if limit is None else rows[offset : offset + limit]
        items = shown if shown or not has.empty_is_null else None
        if has.kind == "offset":
            return reply(compact(items), fields=f"X-Count: {len(rows)}\r\n")
        if has.kind == "envelope":
            more = offset + len(shown) < len(rows)
            return reply(compact({"items": items, "total": len(rows), "more": more, "offset": offset}))
        first = offset + 1 if shown else None
        following = number + 1 if number < pages else None
        body = {"items": items, "total": len(rows), "page_count": pages, "page": number, "size": limit}
        return reply(compact({**body, "next": following, "last": pages, "from": first}))

    def _limit(self, text: str | None) -> int | None:
        has = self.has
        least = 1 if has.kind == "pages" else 0
        limit = has.limit_default if text is None else self._number(text, has.limit, has.limit_default, least)
        assert limit != "last"
        if limit is None or has.limit_max is None or limit <= has.limit_max:
            return limit
        if has.limit_over == "refuse":
            raise RefusedError
        return has.limit_max if has.limit_over == "cut" else has.limit_default or has.limit_max

    def _place(self, text: str | None, first: int, least: int) -> Any:
        return first if text is None else self._number(text, self.has.place, first, least)

    def _number(self, text: str, reading: dict[str, Any], default: int | None, least: int) -> Any:
        """What the text means: a number, None for all rows, or "last"."""
        meant = {"default": default, "all": None, "last": "last"}
        if text in reading.get("words", {}):
            word = reading["words"][text]
            return word if isinstance(word, int) else meant[word]
        number = spelled(text, reading["number"])
        if number is not None and number > reading.get("most", number):
            number = None
        if number is None:
            if reading["bad"] == "refuse":
                raise RefusedError
            if reading["bad"] == "default":
                return default
            number = 0
        if number == 0 and reading["zero"] != "number":
            return meant[reading["zero"]]
        if number >= least:
            return number
        if reading["below"] == "refuse":
            raise RefusedError
        return least if reading["below"] == "least" else meant[reading["below"]]

    def _sorted(self, rows: list[Row], order: str | None) -> list[Row]:
        keys = [(name.removeprefix("-"), name.startswith("-")) for name in (order or "").split(",") if name]
        known = [key for key in keys if key[0] in {"id", "name", "rank"}]
        if order is not None and (len(known) < len(keys) or not keys):
            if self.has.unknown_keys == "refuse":
                raise RefusedError
            if self.has.unknown_keys == "default":
                known = []
        if not known:
            known = [(name.removeprefix("-"), name.startswith("-")) for name in self.has.default_order]
        down = known[-1][1] if self.has.tie == "follows" else self.has.tie == "-id"
        rows = sorted(rows, key=lambda row: row["id"], reverse=down)
        for name, descends in reversed(known):
            rows = self._sorted_by(rows, name, descends)
        return rows

    def _sorted_by(self, rows: list[Row], name: str, descends: bool) -> list[Row]:
        some = [row for row in rows if row.get(name) is not None]
        none = [row for row in rows if row.get(name) is None]
        some.sort(key=lambda row: self._key(row[name]), reverse=descends)
        at_front = {"first": not descends, "last": descends}.get(self.has.nulls, self.has.nulls == "always_first")
        return none + some if at_front else some + none

    def _key(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if self.has.collation == "utf16":
            return value.encode("utf-16-be")
        if self.has.collation == "case_insensitive":
            return value.lower()
        if self.has.collation == "ascii_case_insensitive":
            return re.sub("[A-Z]", lambda letter: letter[0].lower(), value)
        return value


def compact(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def spelled(text: str, number: str) -> int | None:
    """The number of a text as the application's language reads it; None where it is none."""
    if number == "python":
        try:
            return int(text)
        except ValueError:
            return None
    pattern = {"whole": r"-?[0-9]+", "signed": r"[-+]?[0-9]+", "leading": r"\s*[-+]?[0-9]+"}[number]
    found = re.match(pattern, text) if number == "leading" else re.fullmatch(pattern, text)
    return int(found[0]) if found else None


def table(chance: random.Random, has: Conventions) -> list[Row]:
    size = chance.choice([0, 1, 9, 60, 200])
    rows = []
    for number in chance.sample(range(10_000), size):
        row = {"id": f"{number:04d}", "name": chance.choice(NAMES), "rank": chance.choice([None, -1, 0, 2.5, 7])}
        if has.leaves_nulls_out:
            row = {name: value for name, value in row.items() if value is not None}
        rows.append({**row, "color": chance.choice(["red", "red", "blue"])})
    return rows


def target(chance: random.Random, has: Conventions) -> str:
    """A request that a client of this application might send, sense or nonsense."""
    numbers = ["0", "1", "2", "3", "9", "17", "41", "500", "-1", "-7", "+4", " 6", "8x", "x", "", "some", "99999999999"]
    given: list[tuple[str, str]] = []
    if chance.random() < 0.7:
        given.append(("size", chance.choice(numbers)))
    if chance.random() < 0.7:
        given.append((has.place_name, chance.choice(numbers)))
    if chance.random() < 0.6:
        given.append(
            ("order", chance.choice(["name", "-name", "rank,-name", "-rank", "id", "-id", "-rank,id", "nope,name"]))
        )
    if chance.random() < 0.3:
        given.append(("color", chance.choice(["red", "blue", "blue", "green"])))
    if given and chance.random() < 0.15:
        name, value = chance.choice(given)
        given.append((name, value if name in {"order", "color"} else chance.choice(numbers)))
    if given and chance.random() < 0.15:
        given = [(name.upper(), value) if chance.random() < 0.5 else (name, value) for name, value in given]
    return "/rows?" + urlencode(given) if given else "/rows"


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_gateway_over_three_shards_answers_as_the_one_instance(
    stack: AsyncExitStack, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    has = Conventions(chance)
    rows = table(chance, has)
    owners = [chance.choice([0, 0, 0, 1, 1, 2]) for _ in rows]
    whole = Application(has, rows)
    urls = {}
    for number, name in enumerate("abc"):
        part = Application(has, [row for row, owner in zip(rows, owners, strict=True) if owner == number])
        urls[name] = (await stack.enter_async_context(running_shard(part.answer))).url
    one = await stack.enter_async_context(running_shard(whole.answer))
    rule = has.rule()
    gateway = await stack.enter_async_context(running_gateway({"shards": urls, "rules": {"GET /rows": rule}}, tmp_path))
    for _ in range(REQUESTS):
        asked = target(chance, has)
        expected = await gateway.client.get(one.url + asked)
        answer = await gateway.client.get(asked)
        situation = f"seed {seed}: GET {asked} of {len(rows)} rows, with {json.dumps(rule)}"
        assert (answer.status_code, answer.text) == (expected.status_code, expected.text), situation
        assert answer.headers.get("x-count") == expected.headers.get("x-count"), situation
