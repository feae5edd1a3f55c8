"""The requests of the proof cover every list and every parameter, with values that select rows."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest

from proof.data import BIN, ROOT, prepare
from proof.fleet import Server, token
from proof.requests import Generator, Request, Samples

DOCUMENT: dict[str, Any] = msgspec.json.decode((ROOT / "examples/bookings/openapi.json").read_bytes())
READS = {path: item["get"] for path, item in DOCUMENT["paths"].items() if "get" in item}

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def monolith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("requests")
    data = prepare(0.01, 3).copy(folder / "data")
    server = Server([str(BIN / "bookings"), "serve", "--db", data.monolith], folder / "monolith.log")
    server.start()
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            client.headers["Authorization"] = f"Bearer {token(client, 'marketplace')}"
            yield client
    finally:
        server.stop()


@pytest.fixture(scope="module")
def made(monolith: httpx.Client) -> list[Request]:
    samples = Samples(lambda url: monolith.get(url).json())
    return Generator(DOCUMENT, samples, seed=11).requests(4000)


def operation(request: Request) -> str:
    """The template that a request's path fits; the one with the fewest variables."""
    path = urlsplit(request.url).path.rstrip("/")
    fits = [template for template in READS if re.fullmatch(re.sub(r"\\{[^}]*}", "[^/]+", re.escape(template)), path)]
    return min(fits, key=lambda template: template.count("{"))


def test_every_read_is_asked_with_each_of_its_parameters(made: list[Request]) -> None:
    asked = {
        (operation(request), name)
        for request in made
        for name, _ in parse_qsl(urlsplit(request.url).query, keep_blank_values=True, encoding="latin-1")
    }
    wanted = {
        (path, parameter["name"])
        for path, read in READS.items()
        for parameter in read.get("parameters", ())
        if parameter["in"] == "query"
    }
    assert {operation(request) for request in made} == set(READS)
    assert wanted - asked == set()
    assert len(wanted) > 150


def test_each_parameter_finds_rows_somewhere(made: list[Request], monolith: httpx.Client) -> None:
    """One that is only ever refused, or never finds a row, would prove nothing."""
    wanted = {p["name"] for read in READS.values() for p in read.get("parameters", ()) if p["in"] == "query"}
    for request in made:
        names = {name for name, _ in parse_qsl(urlsplit(request.url).query, encoding="latin-1")} & wanted
        if names and request.method == "GET" and request.client == "marketplace":
            answer = monolith.get(request.url)
            if answer.status_code == 200 and answer.json():
                wanted -= names
    assert wanted == set()


def test_pages_are_deep_repeated_odd_and_followed(made: list[Request]) -> None:
    queries = [urlsplit(request.url).query for request in made]
    offsets = [int(found[1]) for query in queries if (found := re.search(r"offset=([0-9]{1,6})(?:&|$)", query))]
    names = [Counter(name for name, _ in parse_qsl(query, encoding="latin-1")) for query in queries]
    assert sum(500 < offset < 3000 for offset in offsets) > 100
    assert sum(max(count.values(), default=0) > 1 for count in names) > 50
    assert any("%FF" in query for query in queries)
    assert Counter(request.method for request in made)["HEAD"] > 100
    assert sum(one.url.partition("?")[0] == two.url.partition("?")[0] for one, two in zip(made, made[1:])) > 50  # noqa: B905, RUF007
