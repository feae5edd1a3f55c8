"""Requests, made up from a seed: every GET of the platform, every parameter, good and odd values, unknown ids, walks.

Holds: the same seed, the same data, the same requests.
Never: knows how the gateway serves them; what there is to ask is read off the platform's own document and lists.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

SAMPLED = 400
ORDERS_SAMPLED = 12
PAGES_FOLLOWED = 4
# What servers may read in several ways, or not at all. The last is no UTF-8: it is sent as one byte.
_ODD = (
    *("", "abc", "-1", "0", "1.5", "+5", " 5", "5 ", "1e3", "0x10", "1_0", "00", "007", "٣", "１", "9" * 19, "9" * 40),
    *("null", "true", ",", "x,,y", "-", "--id", "id,id", "id,-id", "ID", " id", "id ", "id;name", "a&b=c", "e\u0301"),
    *("%", "%2C", "\u2028", "\x00", "\U0001f600", "\udcff"),
)


class Request(NamedTuple):
    """One request; `client` says with whose token, or none."""

    method: str
    url: str
    client: str


class Samples:
    """Rows of every list, to take ids and values from."""

    def __init__(self, read: Callable[[str], list[dict[str, Any]]]) -> None:
        lists = ("categories", "vendors", "events", "dates", "orders", "coupons", "vouchers", "users")
        self.rows = {name: _sample(name, read(f"/v3/{name}")) for name in lists}
        made = read("/octo/bookings?localDateStart=2000-01-01&localDateEnd=2099-12-31")
        self.rows["bookings"] = _sample("bookings", [{**row, "id": row["uuid"]} for row in made])
        for name in ("tickets", "payments"):
            found = [read(f"/v3/orders/{order['id']}/{name}") for order in self.rows["orders"][:ORDERS_SAMPLED]]
            if rows := [row for rows in found for row in rows]:
                self.rows[name] = rows


def _sample(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return random.Random(name).sample(rows, min(SAMPLED, len(rows)))


class Generator:
    """Makes requests. One document, one set of samples, one seed."""

    def __init__(self, document: Mapping[str, Any], samples: Samples, seed: int) -> None:
        self._samples = samples
        self._random = random.Random(seed)
        self._about: dict[str, Any] = {}
        self._operations = [
            (path, [parameter["name"] for parameter in item["get"].get("parameters", ()) if parameter["in"] == "query"])
            for path, item in document["paths"].items()
            if "get" in item
        ]

    def requests(self, count: int) -> list[Request]:
        """So many; the operations take turns, so that each is asked. Some pages are followed by the next ones."""
        made: list[Request] = []
        turn = 0
        while len(made) < count:
            made.append(self._request(*self._operations[turn % len(self._operations)]))
            turn += 1
            if self._random.random() < 0.3:
                made += _next_pages(made[-1])
        return made[:count]

    def _request(self, path: str, parameters: Sequence[str]) -> Request:
        chance = self._random.random
        self._about = self._row("bookings")
        url = self._filled(path)
        if chance() < 0.1:
            url += "/"
        kind = path.rstrip("/").rpartition("/")[2]
        wanted = self._random.choice((0, 1, 2, 2, 3, 4, 6))
        chosen = self._random.sample(list(parameters), min(wanted, len(parameters)))
        if chosen and chance() < 0.05:
            chosen.append(self._random.choice(chosen))
        pairs = [(name, self._value(name, kind)) for name in chosen]
        if "limit" in parameters and "limit" not in chosen and chance() < 0.7:
            pairs.append(("limit", str(self._random.choice((1, 3, 20, 100)))))
        if chance() < 0.05:
            pairs.append(("unheard_of", "1"))
        query = "&".join(f"{quote(name)}={quote(value, safe=',-:', errors='surrogateescape')}" for name, value in pairs)
        client = self._random.choices(("marketplace", "vendor-1", "vendor-2", "nobody", "forged"), (80, 8, 6, 3, 3))[0]
        return Request("HEAD" if chance() < 0.05 else "GET", f"{url}?{query}".rstrip("?"), client)

    def _filled(self, path: str) -> str:
        sources = {"category": "categories", "id": "events", "uuid": "bookings"}
        while "{" in path:
            before, _, rest = path.partition("{")
            variable, _, after = rest.partition("}")
            kind = variable.removesuffix("_id")
            path = f"{before}{self._id(sources.get(kind, kind + 's'))}{after}"
        return path

    def _id(self, source: str) -> str:
        draw = self._random.random()
        if draw < 0.85:
            return str(self._row(source)["id"])
        if draw < 0.92:
            return str(self._row(self._random.choice(list(self._samples.rows)))["id"])
        return self._random.choice(("0" * 32, "nothing", "1", "%20", "a%C3%A9", "A" * 40))

    def _source(self, kind: str, otherwise: str) -> str:
        return kind if self._samples.rows.get(kind) else otherwise

    def _row(self, source: str) -> dict[str, Any]:
        return self._random.choice(self._samples.rows[source])

    def _value(self, name: str, kind: str) -> str:
        if self._random.random() < 0.08:
            return self._random.choice(_ODD)
        make: Callable[[str], str] | None = getattr(self, f"_{name}", None)
        return make(kind) if make else self._random.choice(("1", "abc"))

    # One method a parameter, by its name.

    def _limit(self, _: str) -> str:
        return str(self._random.choice((1, 2, 3, 7, 10, 20, 50, 100, 1000, 100_000, 99_999_999)))

    def _offset(self, _: str) -> str:
        deep = self._random.randrange(500, 3000)
        return str(self._random.choice((0, 0, 1, 2, 5, 19, 20, 21, 100, 399, 501, deep, deep, deep, 5000, 99_999_999)))

    def _order(self, kind: str) -> str:
        names = self._random.sample(self._names(kind), self._random.choice((1, 1, 1, 2, 2, 3)))
        return ",".join(self._random.choice(("", "-")) + name for name in names)

    def _fields(self, kind: str) -> str:
        names = self._names(kind)
        chosen = self._random.sample(names, self._random.randint(1, min(6, len(names))))
        return ",".join(chosen)

    def _names(self, kind: str) -> list[str]:
        rows = self._samples.rows.get(kind) or [{"id": "", "code": "", "order_id": "", "created_at": ""}]
        names = list(rows[0])
        return [*names, "bogus"] if self._random.random() < 0.05 else names

    def _accept(self, kind: str) -> str:
        return ",".join(self._id(self._source(kind, "orders")) for _ in range(self._random.randint(1, 8)))

    _exclude = _accept

    def _match(self, kind: str) -> str:
        texts = [str(v) for v in self._row(self._source(kind, "events")).values() if isinstance(v, str)]
        text = self._random.choice(texts)
        start = self._random.randrange(max(1, len(text) - 3))
        part = text[start : start + self._random.randint(1, 6)]
        return part.upper() if self._random.random() < 0.3 else part

    def _delta_since(self, kind: str) -> str:
        row = self._row(self._source(kind, "events"))
        return self._random.choice(
            (str(row.get("updated_at")), "2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01")
        )

    def _with_count(self, _: str) -> str:
        return self._random.choice(("true", "true", "true", "false", "TRUE", "1"))

    def _category(self, _: str) -> str:
        return self._id("categories")

    def _city(self, _: str) -> str:
        return str(self._row("events")["city"])

    def _accept_vendors(self, _: str) -> str:
        return ",".join(self._id("vendors") for _ in range(self._random.randint(1, 4)))

    def _start_date(self, _: str) -> str:
        return self._random.choice((str(self._row("dates")["start_date"]), str(self._row("orders")["created_at"])[:10]))

    _end_date = _start_event_date = _end_event_date = _start_date

    def _available(self, _: str) -> str:
        return self._random.choice(("true", "false", "maybe"))

    def _status(self, _: str) -> str:
        return self._random.choice(("reserved", "open", "paid", "cancelled", "expired", "lost"))

    def _accept_code(self, _: str) -> str:
        return ",".join(str(self._row("orders")["code"]) for _ in range(self._random.randint(1, 3)))

    def _booking(self) -> dict[str, Any]:
        """The booking that a request is about: mostly one, so that its parameters can find it together."""
        return self._row("bookings") if self._random.random() < 0.15 else self._about

    def _localDate(self, _: str) -> str:  # noqa: N802  the parameter's name
        return str(self._booking()["availability"]["localDateTimeStart"])[:10]

    def _localDateStart(self, kind: str) -> str:  # noqa: N802
        return self._random.choice(("2000-01-01", self._localDate(kind)))

    def _localDateEnd(self, kind: str) -> str:  # noqa: N802
        return self._random.choice(("2099-12-31", self._localDate(kind)))

    def _resellerReference(self, _: str) -> str:  # noqa: N802
        return str(self._booking()["resellerReference"])

    def _supplierReference(self, _: str) -> str:  # noqa: N802
        return str(self._booking()["supplierReference"])

    def _productId(self, _: str) -> str:  # noqa: N802
        return str(self._booking()["productId"])

    def _optionId(self, _: str) -> str:  # noqa: N802
        return self._random.choice(("DEFAULT", "DEFAULT", "other"))

    def _group_by(self, _: str) -> str:
        return self._random.choice(("month", "category", "city", "week"))


def _next_pages(request: Request) -> list[Request]:
    """The pages behind one, as a client asks for them that reads on."""
    limit, offset = (re.search(rf"[?&]{name}=([0-9]{{1,4}})(?:&|$)", request.url) for name in ("limit", "offset"))
    if limit is None or offset is None:
        return []
    starts = [int(offset[1]) + n * int(limit[1]) for n in range(1, PAGES_FOLLOWED + 1)]
    before, behind = request.url[: offset.start(1)], request.url[offset.end(1) :]
    return [request._replace(url=f"{before}{start}{behind}") for start in starts]
