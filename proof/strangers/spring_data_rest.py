"""Spring Data REST on H2, as Spring Boot starts it: HAL lists by page number, ids of the client's choice."""

import json
import re
import shutil
from random import Random
from typing import ClassVar
from urllib.parse import quote

from proof.strangers.application import Application, Command, Instance
from proof.strangers.both import Both, Nature
from proof.strangers.example import module
from proof.strangers.installing import once, program, run

data = module("spring-data-rest", "library_data")

TIMEOUT_S = 120.0


class SpringDataRest(Application):
    """A library: branches and their books."""

    name = "spring-data-rest"
    title = "Spring Data REST 4.5 (Spring Boot 3.5) on H2"
    ready = "/profile"
    ready_timeout_s: ClassVar[float] = TIMEOUT_S

    def install(self) -> None:
        """Build it with Maven."""
        maven = program("mvn", "Maven is not on this machine")
        program("java", "Java is not on this machine")
        app = self.example / "app"
        pins = [app / "pom.xml", *sorted((app / "src").rglob("*.java"))]

        def make() -> None:
            shutil.copytree(app, self.cache)
            run([maven, "-q", "-B", "package"], cwd=self.cache)

        once(self.cache, pins, make)

    def prepare(self, instance: Instance) -> None:
        """The rows, in the order of their ids."""
        data.write(instance.shards, instance.folder / "data.sql")

    def command(self, instance: Instance) -> Command:
        """A small virtual machine that starts fast."""
        properties = {
            "server.port": str(instance.port),
            "server.address": "127.0.0.1",
            "spring.datasource.url": "jdbc:h2:mem:library",
            "spring.sql.init.data-locations": "file:data.sql",
            "spring.sql.init.encoding": "UTF-8",
            "spring.jpa.defer-datasource-initialization": "true",
        }
        small = ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        options = [f"--{name}={value}" for name, value in properties.items()]
        return Command(["java", *small, "-jar", str(self.cache / "target" / "library.jar"), *options])

    def ask(self, both: Both, chance: Random) -> None:
        """Lists, items, changes and refusals."""
        _lists(both, chance)
        _odd(both)
        _pages(both)
        _items(both, chance)
        _changes(both, chance)
        _others(both)


CLOCK = Nature(
    "Spring writes the time into an error of its own.",
    lambda reply: (
        reply.status,
        reply.headers,
        re.sub(rb'"timestamp":"[^"]*"|<div id=.created.>[^<]*', b"", reply.body),
    ),
)
ROW = Nature(
    "H2 tells in its message how many rows its index has had.",
    lambda reply: (reply.status, reply.headers, re.sub(rb"/\* \d+ \*/", b"", reply.body)),
)
LINKS = Nature(
    "Each start of Spring Data REST lists its repositories in another order.",
    lambda reply: (reply.status, reply.headers, sorted(json.loads(reply.body)["_links"].items(), key=str)),
)
BOOK_KEYS = ("title", "author", "published", "price", "available", "id")
BRANCH_KEYS = ("name", "city", "opened", "id")


def _lists(both: Both, chance: Random) -> None:
    for _ in range(both.some(150)):
        path, keys = chance.choice(
            (
                ("/books", BOOK_KEYS),
                ("/branches", BRANCH_KEYS),
                ("/books/search/findByAuthor?author=" + quote("Júlio Dinis"), BOOK_KEYS),
            )
        )
        parts = []
        if chance.random() < 0.8:
            parts.append(f"size={chance.choice((1, 3, 7, 20, 50, 100, 1000))}")
        if chance.random() < 0.7:
            parts.append(f"page={chance.choice((0, 1, 2, 5, 17, 60, 400))}")
        chosen = chance.sample(keys, chance.randrange(3))
        if chosen:  # H2 does not keep the order of equal rows, so that a client who walks pages ends with the id
            parts += [
                "sort=" + key + chance.choice(("", ",asc", ",desc", ",DESC"))
                for key in {**dict.fromkeys(chosen), "id": None}
            ]
        if chance.random() < 0.1:
            parts.insert(chance.randrange(len(parts) + 1), "utm_source=mail")
        both.ask("list", "GET", path + ("&" if "?" in path else "?") * bool(parts) + "&".join(parts))


def _odd(both: Both) -> None:
    for odd in ODD:
        both.ask("list, odd or bad parameters", "GET", f"/books?{odd}")
    for query in (
        "title=maias",
        "title=livro&size=3&page=2&sort=title,desc&sort=id",
        "title=nothing+like+it",
        "title=",
        "",
    ):
        both.ask("search", "GET", f"/books/search/findByTitleContainingIgnoreCase?{query}")
    for query in (
        "author=nobody",
        "author=Fernando%20Pessoa&size=5&sort=title,id",
        "size=2",
        "author=J%C3%BAlio+Dinis&page=3",
    ):
        both.ask("search", "GET", f"/books/search/findByAuthor?{query}")
    for query in ("available=true", "available=false", "available=maybe", ""):
        both.ask("count", "GET", f"/books/search/countByAvailable?{query}")
    for accept in (
        "application/json",
        "application/hal+json",
        "*/*",
        "text/html",
    ):
        both.ask("list, negotiated", "GET", "/books?size=2", headers={"Accept": accept}, unlike=[CLOCK])


ODD = (
    "page=-1",
    "page=x",
    "page=1.5",
    "page=",
    "page=99999999999",
    "size=0",
    "size=-3",
    "size=abc",
    "size=",
    "size=1001",
    "size=5000&page=1",
    "size=%2010",
    "page=+1&size=5",
    "page=01&size=05",
    "page=1&page=2&size=3",
    "size=3&size=4",
    "sort=nope",
    "sort=nope,desc&sort=title&sort=id",
    "sort=title,author,id,desc&size=9",
    "sort=title,ignorecase&sort=id&size=9",
    "sort=title&sort=title,desc&sort=id&size=9",
    "sort=-title&size=9",
    "sort=&size=9",
    "sort=,desc&size=9",
    "sort=title,&sort=id&size=9",
    "sort=price,desc&sort=title,asc&sort=id&size=9&page=4",
    "sort=branch.name,desc&size=9",
    "Page=1&Size=2",
    "page[]=1",
    "size=7&unknown=%C3%A9&unknown=b",
    "limit=3",
    "size=4&projection=none",
)


def _pages(both: Both) -> None:
    """A walk by the application's links, with changes meanwhile."""
    target = "/books?size=300&sort=price,desc&sort=id"
    number = 0
    while target:
        exchange = both.ask("page walk", "GET", target)
        reply = json.loads(exchange.monolith.body)
        target = reply["_links"].get("next", {}).get("href", "")
        number += 1
        if number in (2, 4):
            identity = f"b{80000 + number}"
            body = {"id": identity, "title": "While walking", "price": 20, "branch": "/branches/lis-0001"}
            both.ask("create", "POST", "/books", body=body)
            both.ask("change", "PATCH", f"/books/b0{number // 2}500", body={"price": 1})


def _items(both: Both, chance: Random) -> None:
    for _ in range(both.some(30)):
        number = chance.randrange(1, data.BOOKS + 100)
        both.ask("item", "GET", f"/books/b{number:05}")
    for identity in (
        "lis-0001",
        "por-0400",
        "bra-0017",
        "bra-0401",
        "lis-9999",
        "xyz-0001",
        "lis",
        "%20",
        "LIS-0001",
    ):
        both.ask("item", "GET", f"/branches/{identity}")
        both.ask("nested", "GET", f"/branches/{identity}/books")
    for identity in ("b00001", "b00002", "b99999"):
        both.ask("nested", "GET", f"/books/{identity}/branch")
        both.ask("item, conditional", "GET", f"/books/{identity}", headers={"If-None-Match": '"0"'})
        both.ask("item, conditional", "GET", f"/books/{identity}", headers={"If-None-Match": '"5"'})
        both.ask("HEAD", "HEAD", f"/books/{identity}")
        both.ask("OPTIONS", "OPTIONS", f"/books/{identity}")
    both.ask("item, by slash", "GET", "/books/b00001/", unlike=[CLOCK])


def _changes(both: Both, chance: Random) -> None:
    for number, prefix in enumerate(("lis", "por", "bra")):
        branch, new = f"{prefix}-0003", f"b9000{number}"
        link = f"http://strangers.example/branches/{branch}"
        body = {"id": new, "title": f"Novo {number}", "author": "Agustina", "price": 12.5, "branch": link}
        both.ask("create", "POST", "/books", body=body)
        both.ask("create, refused", "POST", "/books", body=body, unlike=[ROW])
        both.ask("item", "GET", f"/books/{new}")
        both.ask("change", "PATCH", f"/books/{new}", body={"price": 13})
        both.ask("change, conditional", "PATCH", f"/books/{new}", body={"price": 14}, headers={"If-Match": '"0"'})
        both.ask("change, conditional", "PATCH", f"/books/{new}", body={"price": 14}, headers={"If-Match": '"1"'})
        both.ask("change", "PUT", f"/books/{new}", body={"title": "Outro", "price": 3, "branch": link})
        both.ask("list", "GET", "/books?sort=title,id,desc&size=5")
        both.ask("create by PUT", "PUT", f"/books/b9100{number}", body={"title": "Posto", "price": 3, "branch": link})
        both.ask(
            "change", "PUT", f"/books/b9100{number}", body={"title": "Posto outra vez", "price": 4, "branch": link}
        )
        both.ask(
            "change of a link",
            "PUT",
            f"/books/{new}/branch",
            body=f"/branches/{prefix}-0005",
            headers={"Content-Type": "text/uri-list"},
        )
        both.ask("nested", "GET", f"/books/{new}/branch")
        both.ask("delete", "DELETE", f"/books/{new}")
        both.ask("delete", "DELETE", f"/books/{new}")
        both.ask("item", "GET", f"/books/{new}")
        both.ask(
            "create", "POST", "/branches", body={"id": f"{prefix}-9001", "name": "Nova", "city": "X", "opened": 2020}
        )
        both.ask("change", "PATCH", f"/branches/{prefix}-9001", body={"opened": 2021})
        both.ask(
            "create by PUT", "PUT", f"/branches/{prefix}-9002", body={"name": "Nova 2", "city": "Y", "opened": 2022}
        )
        both.ask("list", "GET", "/branches?sort=opened,id,desc&size=5")
        both.ask("delete", "DELETE", f"/branches/{prefix}-9001")
    both.ask("create, refused", "POST", "/books", body={"id": "b95000", "branch": "/branches/lis-0001"})
    both.ask("create, refused", "POST", "/books", body="{", headers={"Content-Type": "application/json"})
    both.ask("create, refused", "POST", "/books", body="title=a", headers={"Content-Type": "text/plain"})
    both.ask("create, refused", "POST", "/books", body={"id": "b95001", "title": "x", "branch": "/branches/xyz-1"})
    both.ask(
        "create, refused",
        "POST",
        "/books",
        body={"id": "b95001", "title": "x", "price": "dear", "branch": "/branches/lis-0001"},
    )
    both.ask("change, refused", "PATCH", "/books/b00001", body={"title": None})
    both.ask("change, refused", "PATCH", "/books/b99999", body={"title": "x"})
    both.ask("delete, refused", "DELETE", "/branches/lis-0001")
    both.ask("delete, refused", "DELETE", "/branches/lis-9999")
    both.ask("refused", "DELETE", "/books", unlike=[CLOCK])
    both.ask("refused", "PUT", "/books", body={}, unlike=[CLOCK])


def _others(both: Both) -> None:
    for path in (
        "/",
        "/books/search",
        "/profile",
        "/profile/books",
        "/profile/branches",
        "/nothing",
        "/books/search/nothing",
    ):
        both.ask("other", "GET", path, unlike=[LINKS] if path in {"/", "/profile"} else [CLOCK])
    both.ask("other", "GET", "/profile/books", headers={"Accept": "application/schema+json"})
    for path in ("/books", "/branches", "/books/search", "/"):
        both.ask("HEAD", "HEAD", path)
        both.ask("OPTIONS", "OPTIONS", path)
    cors = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"}
    both.ask("OPTIONS", "OPTIONS", "/books/b00001", headers=cors)
    both.ask("list, another origin", "GET", "/books?size=1", headers={"Origin": "https://shop.example"})
