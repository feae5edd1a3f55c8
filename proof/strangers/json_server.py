"""json-server 0.17, a server for a JSON file: `_start`, `_end`, `_limit` and `_page`, any property as filter or key."""

from collections.abc import Sequence
from random import Random
from typing import Any
from urllib.parse import urlencode

from proof.strangers import installing
from proof.strangers.application import Application, Command, Instance
from proof.strangers.both import Both, Kept, Nature
from proof.strangers.example import module

Parameters = list[tuple[str, str]]

data = module("json-server", "library_data")

RANDOM_ID = Nature("json-server draws an id by chance where a create has none.")
WRITES_304 = Nature(
    "The gateway compares the tags of merged lists itself. Its 304 has the Vary of the 200; json-server adds to Vary "
    "only where it sends a body.",
    normal=lambda reply: reply.status == 304 and reply.without("vary").only("etag", "cache-control", "expires"),
)
UNREAD_PAGE = Nature(
    "json-server makes links by replacing `page=1` in the address; where it read another number as 1, all links lead "
    "to the same page again.",
    normal=lambda reply: reply.without("link").only("x-total-count", "content-type") if reply.status == 200 else None,
)

BOOK_KEYS = ("id", "libraryId", "genreId", "title", "author", "year", "price", "available")
LOAN_KEYS = ("id", "bookId", "card", "due", "returned")


class JsonServer(Application):
    """As its package lock has it."""

    name = "json-server"
    title = "json-server 0.17.4"
    ready = "/consortium"

    def install(self) -> None:
        """From npm."""
        self._program = (
            installing.node_modules(self.cache, self.example / "package-lock.json") / "json-server/lib/cli/bin.js"
        )

    def prepare(self, instance: Instance) -> None:
        """Libraries, and what is theirs."""
        data.write(instance.shards, instance.folder / "db.json")

    def command(self, instance: Instance) -> Command:
        """It watches no file, and logs nothing."""
        node = installing.program("node", "Node is not on this machine")
        where = ["--host", "127.0.0.1", "--port", str(instance.port)]
        return Command([node, str(self._program), *where, "--quiet", "db.json"])

    def ask(self, both: Both, chance: Random) -> None:
        """By its documentation, section by section."""
        _lists(both, chance)
        _odd(both)
        _pages(both, chance)
        _items(both, chance)
        _walk(both)
        for number, library in enumerate(("lis-belem", "por-foz", "bra-se"), 1):
            _life(both, f"b9{number:03}", library)
        _nested_creates(both)
        _everywhere(both)
        _nameless(both)
        _refusals(both)


def _lists(both: Both, chance: Random) -> None:
    for _ in range(both.some(150)):
        path, keys, size = chance.choice(
            (
                ("/books", BOOK_KEYS, data.BOOKS),
                ("/books", BOOK_KEYS, data.BOOKS),
                ("/loans", LOAN_KEYS, data.LOANS),
                ("/libraries", ("id", "name", "city", "opened"), len(data.LIBRARIES)),
            )
        )
        parameters = _filters(path, chance) + _order(keys, chance) + _slice(size, chance)
        chance.shuffle(parameters)
        both.ask("list", "GET", _target(path, parameters))
    for path in ("/books", "/loans", "/libraries"):
        both.ask("list", "GET", path)
        both.ask("HEAD", "HEAD", path)
        both.ask("HEAD", "HEAD", f"{path}?_limit=7&_sort=id&_order=desc")
        both.ask("OPTIONS", "OPTIONS", path)
        tag = both.ask("conditional", "GET", f"{path}?_limit=3", keep={"tag": Kept("header.etag", RANDOM_ID)})
        assert tag.monolith.status == 200
        known = {"If-None-Match": "@{tag}"}
        both.ask("conditional", "GET", f"{path}?_limit=3", headers=known, unlike=[WRITES_304])
        both.ask("conditional", "GET", f"{path}?_limit=4", headers={"If-None-Match": '"other"'})
        both.ask("conditional", "HEAD", f"{path}?_limit=3", headers=known, unlike=[WRITES_304])
    for target in ("/genres", "/genres?_sort=name&_order=desc", "/genres?_page=3&_limit=20", "/genres/g0003"):
        both.ask("reference", "GET", target)
    both.ask("reference", "GET", "/consortium")
    for target in ("/genres/g0002/books?_limit=20&_sort=title", "/genres/g0003/books?_page=2", "/genres/g9999/books"):
        both.ask("nested", "GET", target)


def _odd(both: Both) -> None:
    """Values that nobody should send, and what json-server makes of them."""
    for query in (
        "_limit=0",
        "_limit=",
        "_limit=abc",
        "_limit=3.7",
        "_limit=5x",
        "_limit=%2B5",
        "_limit=5&_limit=6",
        "_limit=100000",
        "_start=5",
        "_start=x&_limit=4",
        "_start=99999&_limit=4",
        "_start=10&_end=20",
        "_start=20&_end=10",
        "_end=5",
        "_end=x",
        "_start=3&_end=8&_limit=2",
        "_sort=",
        "_sort=shelf&_limit=9",
        "_sort=year,shelf&_limit=9",
        "_sort=year&_order=down&_limit=9",
        "_sort=year&_order=&_limit=9",
        "_sort=year&_order=desc,asc,desc&_limit=9",
        "_sort=year,title&_order=desc&_limit=9",
        "_sort=Year&_limit=9",
        "_order=desc&_limit=9",
        "shelf=7&_limit=3",
        "_Limit=3&_start=2&_limit=5",
        "_limit=3&_=1732800000",
    ):
        both.ask("odd", "GET", f"/books?{query}")


def _pages(both: Both, chance: Random) -> None:
    """`_page`, with the Link field and the number of all rows."""
    for query in (
        "_page=1",
        "_page=2&_limit=10",
        "_page=7&_limit=20",
        "_page=60&_limit=20",
        "_page=61&_limit=20",
        "_page=2&_limit=0",
        "_page=2&_limit=x",
        "_limit=50&_page=3&_sort=author,title&_order=asc,desc",
        "_page=1&_limit=2000",
        "_page=2&author=Gil%20Vicente",
    ):
        both.ask("page", "GET", f"/books?{query}")
    for query in ("_page=0", "_page=-4", "_page=x"):
        both.ask("page", "GET", f"/books?{query}", unlike=[UNREAD_PAGE])
    for _ in range(both.some(30)):
        page, limit = chance.randrange(1, 40), chance.choice((5, 10, 25, 40))
        parameters = [("_page", str(page)), ("_limit", str(limit)), *_order(LOAN_KEYS, chance)]
        both.ask("page", "GET", _target("/loans", parameters + _filters("/loans", chance)))


def _items(both: Both, chance: Random) -> None:
    for _ in range(both.some(30)):
        path = chance.choice(
            (f"/books/{_book_id(chance)}", f"/loans/{_loan_id(chance)}", f"/libraries/{_library(chance)}")
        )
        related = {"/boo": ["_embed=loans", "_expand=library"], "/loa": ["_expand=book"], "/lib": ["_embed=books"]}
        query = chance.choice(["", *related[path[:4]]])
        both.ask("item", "GET", f"{path}?{query}".rstrip("?"))
    for _ in range(both.some(12)):
        path = chance.choice((f"/libraries/{_library(chance)}/books", f"/books/{_book_id(chance)}/loans"))
        both.ask("nested", "GET", f"{path}?_sort={chance.choice(('id', 'title', 'due'))}&_limit={chance.randrange(9)}")
    for target in (
        "/books/b7777",
        "/loans/none",
        "/libraries/lis-none",
        "/libraries/x",
        "/books/b7777/loans",
        "/genres/g9",
    ):
        both.ask("unknown id", "GET", target)
    for target in ("/books/b0007", "/loans/n0007", "/libraries/lis-belem"):
        both.ask("HEAD", "HEAD", target)
        both.ask("OPTIONS", "OPTIONS", target)
        both.ask("conditional", "GET", target, keep={"tag": Kept("header.etag")})
        both.ask("conditional", "GET", target, headers={"If-None-Match": "@{tag}"})
        both.ask("conditional", "GET", target, headers={"If-None-Match": "*"})


def _walk(both: Both) -> None:
    """Pages of a list, with books that come and go meanwhile."""
    for step, start in enumerate(range(0, 80, 8)):
        both.ask("walk", "GET", f"/books?author=Gil%20Vicente&_sort=year,id&_start={start}&_limit=8")
        if step % 3 == 1:
            both.ask("create", "POST", "/books", body=a_book(f"b8{step:03}", "por-foz") | {"author": "Gil Vicente"})
        if step % 3 == 2:
            both.ask("delete", "DELETE", f"/books/b8{step - 1:03}")
    both.ask("delete", "DELETE", "/books/b8007")


def _life(both: Both, book: str, library: str) -> None:
    """Of a book: made, lent, changed, replaced, deleted; each step is read."""
    loan = book.replace("b", "n")
    lent = {"id": loan, "libraryId": library, "bookId": book, "card": "card-007", "due": "2025-06-01", "returned": None}
    both.ask("create", "POST", "/books", body=a_book(book, library))
    both.ask("create", "POST", "/loans", body=lent)
    both.ask("item", "GET", f"/books/{book}?_embed=loans&_expand=library")
    both.ask("change", "PATCH", f"/books/{book}", body={"price": 7.25, "available": False})
    both.ask("change", "PUT", f"/books/{book}", body=a_book(book, library) | {"year": 1899})
    both.ask("list", "GET", "/books?_sort=year&_order=desc&_limit=4")
    both.ask("nested", "GET", f"/books/{book}/loans")
    both.ask("delete", "DELETE", f"/books/{book}")
    both.ask("unknown id", "GET", f"/loans/{loan}")
    both.ask("delete", "DELETE", f"/books/{book}")


def _nested_creates(both: Both) -> None:
    new = {"id": "bra-lamacaes", "name": "Lamaçães", "city": "Braga", "opened": 2025}
    both.ask("create", "POST", "/libraries", body=new)
    both.ask("create", "POST", "/libraries/bra-lamacaes/books", body=a_book("b9100", "bra-lamacaes"))
    both.ask("change", "PATCH", "/libraries/bra-lamacaes", body={"opened": 2026})
    both.ask("list", "GET", "/libraries?_sort=opened&_order=desc&_limit=3")
    both.ask("delete", "DELETE", "/libraries/bra-lamacaes")
    both.ask("unknown id", "GET", "/books/b9100")


def _everywhere(both: Both) -> None:
    """What all shards have."""
    both.ask("create", "POST", "/genres", body={"id": "g2000", "name": "fado"})
    both.ask("change", "PATCH", "/genres/g2000", body={"name": "Fado"})
    both.ask("reference", "GET", "/genres?name=Fado")
    both.ask("change", "PUT", "/genres/g2000", body={"name": "fado"})
    both.ask("reference", "GET", "/genres/g2000")
    both.ask("delete", "DELETE", "/genres/g2000")
    both.ask("delete", "DELETE", "/genres/g2000")
    both.ask("change", "PATCH", "/consortium", body={"loanDays": 28})
    both.ask("reference", "GET", "/consortium")


def _nameless(both: Both) -> None:
    """A book without an id."""
    book = {"libraryId": "por-bonfim", "title": "Clepsidra", "year": 1920}
    both.ask("create", "POST", "/books", body=book, keep={"book": Kept("body.id", RANDOM_ID)})
    both.ask("item", "GET", "/books/@{book}")
    both.ask("delete", "DELETE", "/books/@{book}")


def _refusals(both: Both) -> None:
    both.ask("refusal", "PATCH", "/books/b8888", body={"price": 1})
    both.ask("refusal", "PUT", "/books/b8888", body=a_book("b8888", "por-foz"))
    both.ask("refusal", "DELETE", "/loans/n8888")
    both.ask("refusal", "POST", "/books/b0001", body={"price": 1})
    both.ask("refusal", "DELETE", "/books")
    both.ask("refusal", "PATCH", "/books/b0001", body="{", headers={"Content-Type": "application/json"})
    both.ask("refusal", "GET", "/nothing")
    both.ask("refusal", "PUT", "/nothing/7", body={"id": 7})
    for resource in ("libraries", "books", "loans"):
        both.ask("list", "GET", f"/{resource}?_limit=5000")


def _filters(path: str, chance: Random) -> Parameters:
    return _some(chance, _of_books(chance) if path == "/books" else _of_loans(chance) if path == "/loans" else [])


def _of_books(chance: Random) -> Sequence[Parameters]:
    related = chance.choice(("_embed=loans", "_expand=library", "_expand=genre")).split("=")
    return (
        [("libraryId", _library(chance))],
        [("libraryId", _library(chance)), ("libraryId", _library(chance))],
        [("genreId", f"g000{chance.randrange(1, 5)}")],
        [("author", chance.choice(data.WORKS)[1])],
        [("title_like", chance.choice(("^A ", "ã", "os", "nothing")))],
        [("year_gte", str(chance.randrange(1500, 1900)))],
        [("year_lte", str(chance.randrange(1500, 1900)))],
        [("available", chance.choice(("true", "false")))],
        [("genreId_ne", "g0001")],
        [("q", chance.choice(("serras", "CAMÕES", "b00", "zzz")))],
        [("id", _book_id(chance)) for _ in range(3)],
        [("shelf", "7")],
        [(related[0], related[1])],
    )


def _of_loans(chance: Random) -> Sequence[Parameters]:
    return (
        [("card", f"card-{chance.randrange(1, 90):03}")],
        [("bookId", _book_id(chance))],
        [("due_gte", f"2025-{chance.randrange(1, 13):02}-15")],
        [("returned_like", "2025-0")],
        [("libraryId_like", "^por-")],
        [("_expand", "book")],
    )


def _order(keys: Sequence[str], chance: Random) -> Parameters:
    names = chance.sample(keys, chance.randrange(4))
    if not names:
        return []
    directions = [chance.choice(("asc", "desc", "DESC")) for _ in names][: chance.randrange(4)]
    return [("_sort", ",".join(names)), *([("_order", ",".join(directions))] if directions else [])]


def _slice(size: int, chance: Random) -> Parameters:
    limit = [("_limit", str(chance.choice((0, 1, 3, 10, 25, 1000))))] if chance.random() < 0.8 else []
    start = str(chance.choice((0, 1, 7, size // 2, size - 2, size + 5)))
    return limit + ([("_start", start)] if chance.random() < 0.5 else [])


def a_book(book: str, library: str) -> dict[str, Any]:
    """A book to create."""
    return {
        "id": book,
        "libraryId": library,
        "genreId": "g0002",
        "title": "Clepsidra",
        "author": "Camilo Pessanha",
        "year": 1920,
        "price": 12.5,
        "available": True,
    }


def _some(chance: Random, choices: Sequence[Parameters]) -> Parameters:
    wanted = min(len(choices), chance.choice((0, 1, 1, 2)))
    return [parameter for chosen in chance.sample(choices, wanted) for parameter in chosen]


def _target(path: str, parameters: Parameters) -> str:
    return f"{path}?{urlencode(parameters)}".rstrip("?")


def _book_id(chance: Random) -> str:
    return f"b{chance.randrange(1, data.BOOKS + 1):04}"


def _loan_id(chance: Random) -> str:
    return f"n{chance.randrange(1, data.LOANS + 1):04}"


def _library(chance: Random) -> str:
    return str(chance.choice(data.NAMED if chance.random() < 0.7 else data.LIBRARIES)[0])
