"""A client of the monolith and of the gateway at once: asked the same, answered the same, or it says what differs.

Holds: a request is written with the monolith's ids; the gateway gets it with its own.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from proof.compare import head_difference
from proof.writes.twins import Twins, rows_of

RowOrder = Literal["given", "id", "any"]
"""`given`: the same on both sides. `id`: each side has its own ids, and keeps to their order. `any`: of no
meaning, since two things of one second are in the order of what the sides have made up."""

_SOLD_OUT = re.compile(rb"date '[0-9a-f]{32}' (?:has not \d+ seats left|is of an event that is not active)")
# A vendor may not change an order over several vendors, and is told so; where it sees its own part alone, it is told
# that there is no such order (docs/reference/parts.md).
_NOT_ITS_ORDER = b"an order over several vendors is changed by a marketplace client only"
# A shard counts the parts that it has (there, too).
_COUNTED = re.compile(rb'"orders":\d+|"average":\d+\.\d+')
REPORT = "/v3/reports/sales"
_OWN_WORDS = {(422, "SG1010"), (409, "SG1024")}
"""What the application refuses by this status, and the gateway before it asks a shard (decision 48): an id that fills
no path, and an amount that no part could refuse."""
# A part that is free is paid when it is confirmed, and its vendor sees the part (there, too).
_FREE = re.compile(rb'"status":"(?:open|paid)",("customer":(?:null|\{[^{}]*\}),"price":0,"paid":0)')
REPLAYED = "idempotent-replayed"


class DifferentError(Exception):
    """The law does not hold; the text says what was asked and how both answered."""


@dataclass(frozen=True)
class Asked:
    """One request, in the monolith's words."""

    method: str
    path: str
    body: Any = None
    client: str = "marketplace"
    key: str | None = None

    @property
    def takes_several(self) -> bool:
        """An order of several dates. Which of two that cannot be had a refusal names is decided by their ids, which the
        sides make up."""
        items = self.body.get("items") if isinstance(self.body, dict) else None
        return isinstance(items, list) and len(items) > 1

    def __str__(self) -> str:
        key = f", key {self.key}" if self.key else ""
        body = "" if self.body is None else f" {json.dumps(self.body)}"
        return f"{self.method} {self.path}{body} as {self.client}{key}"


@dataclass
class Both:
    """Both sides, for one history."""

    monolith: httpx.Client
    gateway: httpx.Client
    tokens: Mapping[str, str]
    twins: Twins
    across: bool
    """Whether there are orders over several vendors."""
    log: list[str] = field(default_factory=list)
    keyed: list[tuple[Asked, httpx.Response]] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def ask(self, asked: Asked) -> httpx.Response:
        """The monolith's reply, which the gateway's was like."""
        wanted, got = self._of_monolith(asked), self._of_gateway(asked)
        if wanted.status_code == 403 and _NOT_ITS_ORDER in wanted.content and got.status_code == 404:
            self.log.append(f"{asked} → 403, hidden by 404")
            self.statuses[404] += 1
            return wanted
        if (wanted.status_code, _code_of(got)) in _OWN_WORDS:
            self.log.append(f"{asked} → {wanted.status_code}, refused by the gateway itself")
            self.statuses[got.status_code] += 1
            return wanted
        texts = [self._compared(asked, each.content) for each in (wanted, got)]
        self._judge(asked, wanted, got, self.twins.difference(*texts))
        if asked.key is not None and wanted.status_code != 401:
            self.keyed.append((asked, got))
        return wanted

    def rows(self, asked: Asked, order: RowOrder) -> list[dict[str, Any]]:
        """A list."""
        wanted, got = self._of_monolith(asked), self._of_gateway(asked)
        texts = [self._compared(asked, each.content) for each in (wanted, got)]
        if order == "given" or wanted.status_code != 200 or got.status_code != 200:
            found = self.twins.difference(*texts)
        else:
            found = (_unsorted(got) if order == "id" else None) or self.twins.rows_difference(*map(rows_of, texts))
        self._judge(asked, wanted, got, found)
        listed: list[dict[str, Any]] = wanted.json()
        return listed

    def walk(self, path: str, limit: int) -> None:
        """A list in the order of its ids, page after page: the pages differ, what is on all of them does not."""
        sides = (self._of_monolith, self._of_gateway)
        pages = [_pages(side, path, limit) for side in sides]
        wanted, got = ([row for page in each for row in rows_of(page.content)] for each in pages)
        found = self.twins.rows_difference(wanted, got)
        if [len(rows_of(page.content)) for page in pages[0]] != [len(rows_of(page.content)) for page in pages[1]]:
            found = found or "the pages have other lengths"
        self._judge(Asked("GET", f"{path}&limit={limit}, all pages"), pages[0][0], pages[1][0], found)

    def again(self, asked: Asked, first: httpx.Response) -> None:
        """The gateway alone is asked once more, with the same key: the very same reply, which says that it is one."""
        got = self._of_gateway(asked)
        headers = httpx.Headers([pair for pair in got.headers.items() if pair[0] != REPLAYED])
        same = httpx.Response(got.status_code, headers=headers, content=got.content)
        found = head_difference(first, same) or (None if first.content == got.content else "the body is another")
        if got.headers.get(REPLAYED) != "true":
            found = found or f"no field {REPLAYED}"
        self._judge(asked, first, same, found, note=", once more")

    def refused(self, asked: Asked, status: int, code: str) -> None:
        """The gateway alone is asked, and refuses in its own words."""
        got = self._of_gateway(asked)
        said = (got.status_code, got.json().get("code"))
        self._judge(asked, got, got, None if said == (status, code) else f"{said} instead of {(status, code)}")

    def crowd(self, asked: list[Asked], *, alike: bool) -> list[httpx.Response]:
        """All at once, on each side: as many win, whoever they are. `alike`: one request, sent several times."""
        with ThreadPoolExecutor(len(asked)) as clients:
            wanted = sorted(clients.map(self._of_monolith, asked), key=_by_status)
            got = sorted(clients.map(self._of_gateway, asked), key=_by_status)
        for each, wants, gets in zip(asked, wanted, got, strict=True):
            # Who wins shows what is left at that moment; lists read later pair the winners.
            compared = alike or wants.status_code >= 400
            texts = [self._compared(each, reply.content) for reply in (wants, gets)]
            found = self.twins.difference(*texts) if compared else None
            self._judge(each, wants, gets, found, note=", with others")
        if alike and len({reply.content for reply in got}) > 1:
            raise DifferentError(self._told(asked[0], wanted[0], got[0], "one request had several replies"))
        return wanted

    def crowd_with_key(self, asked: Asked, times: int) -> httpx.Response:
        """One request with a key, sent several times at once: done once; the others get its reply, or that it is
        under way."""
        wanted = self._of_monolith(asked)
        with ThreadPoolExecutor(times) as clients:
            got = list(clients.map(self._of_gateway, [asked] * times))
        done = [reply for reply in got if reply.headers.get("content-type") != "application/problem+json"]
        busy = [reply for reply in got if reply not in done]
        first = next((reply for reply in done if REPLAYED not in reply.headers), None)
        if first is None or len([reply for reply in done if REPLAYED not in reply.headers]) > 1:
            raise DifferentError(self._told(asked, wanted, got[0], "it was not done once"))
        texts = [self._compared(asked, each.content) for each in (wanted, first)]
        self._judge(asked, wanted, first, self.twins.difference(*texts))
        for reply in busy:
            if (reply.status_code, reply.json()["code"]) != (409, "SG1016"):
                raise DifferentError(self._told(asked, wanted, reply, "neither the reply nor that it is under way"))
        if any(reply.content != first.content for reply in done):
            raise DifferentError(self._told(asked, wanted, done[-1], "another reply to the same request"))
        self.keyed.append((asked, first))
        return wanted

    def _compared(self, asked: Asked, body: bytes) -> bytes:
        """A body without what may differ."""
        if asked.takes_several:
            return _SOLD_OUT.sub(b"?", body)
        if self.across and asked.path.startswith(REPORT):
            return _COUNTED.sub(b"?", body)
        return _FREE.sub(rb'"status":"?",\1', body) if self.across and asked.method == "GET" else body

    def _of_monolith(self, asked: Asked) -> httpx.Response:
        body = None if asked.body is None else json.dumps(asked.body)
        self.twins.translated(f"{asked.path} {body}")
        return self.monolith.request(asked.method, asked.path, content=body, headers=self._headers(asked))

    def _of_gateway(self, asked: Asked) -> httpx.Response:
        body = None if asked.body is None else self.twins.translated(json.dumps(asked.body))
        path = self.twins.translated(asked.path)
        return self.gateway.request(asked.method, path, content=body, headers=self._headers(asked))

    def _headers(self, asked: Asked) -> dict[str, str]:
        headers = {} if asked.body is None else {"Content-Type": "application/json"}
        if asked.client in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[asked.client]}"
        if asked.key is not None:
            headers["Idempotency-Key"] = f'"{asked.key}"'
        return headers

    def _judge(
        self, asked: Asked, wanted: httpx.Response, got: httpx.Response, found: str | None, note: str = ""
    ) -> None:
        found = head_difference(wanted, got) or found
        if found is not None:
            raise DifferentError(self._told(asked, wanted, got, found))
        self.statuses[got.status_code] += 1
        self.log.append(f"{asked}{note} → {got.status_code}")

    def _told(self, asked: Asked, wanted: httpx.Response, got: httpx.Response, found: str) -> str:
        replies = [f"{each.status_code} {dict(each.headers)} {each.text}" for each in (wanted, got)]
        return "\n".join(
            [*self.log, str(asked), f"  expected: {replies[0]}", f"  the gateway: {replies[1]}", f"  {found}"]
        )


def _code_of(reply: httpx.Response) -> str:
    """The code of a refusal of the gateway's own; empty: it is none."""
    problem = reply.headers.get("content-type") == "application/problem+json"
    return str(reply.json().get("code", "")) if problem else ""


def _by_status(reply: httpx.Response) -> tuple[int, int]:
    return reply.status_code, len(reply.content)


def _unsorted(reply: httpx.Response) -> str | None:
    ids = [row["id"] for row in reply.json()]
    return None if ids == sorted(ids) else f"the ids {ids} are not in order"


def _pages(ask: Callable[[Asked], httpx.Response], path: str, limit: int) -> list[httpx.Response]:
    pages: list[httpx.Response] = []
    while not pages or (pages[-1].status_code == 200 and len(rows_of(pages[-1].content)) == limit):
        pages.append(ask(Asked("GET", f"{path}&limit={limit}&offset={limit * len(pages)}")))
    return pages
