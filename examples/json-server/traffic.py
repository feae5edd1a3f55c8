"""The requests that are compared: generated reads, a series of writes, and what the gateway refuses on purpose.

The same seed gives the same requests.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlencode

from library_data import BOOKS, GENRES, LIBRARIES, LOANS, WORKS

Parameters = list[tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """One request, and what it is an example of."""

    kind: str
    method: str
    target: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    merged: bool = False
    """It is answered by several shards."""


def reads(seed: int, count: int) -> Iterator[Asked]:
    """Generated reads of every kind that is served."""
    chance = Random(seed)
    kinds: Sequence[Callable[[Random], Asked]] = (
        *(_books,) * 6,
        *(_loans,) * 3,
        _libraries,
        *(_detail,) * 4,
        *(_nested,) * 2,
        _unknown,
        _conditional,
        _reference,
        _head,
    )
    for _ in range(count):
        yield chance.choice(kinds)(chance)


def writes() -> Iterator[Asked]:
    """Creates, changes and deletes on every shard, each followed by reads that show it."""
    for number, library in enumerate(("lis-belem", "por-foz", "bra-se"), 1):
        yield from _life_of_a_book(f"b9{number:03}", library)
    yield _send("create", "POST", "/libraries", id="bra-lamacaes", name="Lamaçães", city="Braga", opened=2025)
    yield _send("create", "POST", "/libraries/bra-lamacaes/books", **_book("b9100", "bra-lamacaes"))
    yield _send("change", "PATCH", "/libraries/bra-lamacaes", opened=2026)
    yield Asked("list", "GET", "/libraries?_sort=opened&_order=desc&_limit=3", merged=True)
    yield Asked("delete", "DELETE", "/libraries/bra-lamacaes")
    yield Asked("detail", "GET", "/books/b9100")
    yield _send("unknown id", "PATCH", "/books/b8888", price=1)
    yield _send("unknown id", "PUT", "/books/b8888", **_book("b8888", "por-foz"))
    yield Asked("unknown id", "DELETE", "/loans/n8888")
    for resource in ("libraries", "books", "loans"):
        yield Asked("list", "GET", f"/{resource}?_limit=5000", merged=True)


def nameless() -> Asked:
    """A create without an id: json-server draws one by chance, another on each instance."""
    return _send("generated id", "POST", "/books", libraryId="por-bonfim", title="Clepsidra", year=1920)


def latecomer() -> Iterator[Asked]:
    """A create whose id sorts before older ones: json-server shows it last, the gateway where its id belongs."""
    yield _send("late id", "POST", "/books", **_book("a-late-one", "por-foz"))
    yield Asked("late id", "GET", "/books?genreId=g2", merged=True)
    yield Asked("late id", "GET", "/books?genreId=g2&_sort=year,id&_order=desc", merged=True)
    yield Asked("late id", "DELETE", "/books/a-late-one")


def refused() -> Iterator[tuple[Asked, str]]:
    """What the gateway refuses, since it could only guess; each with the error's code."""
    for query in (
        "_page=2&_limit=10",
        "_start=10&_end=20",
        "callback=show",
        "_limit[]=5",
        "_limit=5&_limit=6",
        "_limit=abc",
        "_sort=shelf",
    ):
        yield Asked("refused", "GET", f"/books?{query}"), "SG1009"
    yield _send("refused", "POST", "/books", id="b9999", title="Húmus"), "SG1010"
    yield _send("refused", "POST", "/books", id="b9999", libraryId="far-away"), "SG1011"


def _life_of_a_book(book: str, library: str) -> Iterator[Asked]:
    loan = book.replace("b", "n")
    lent = {"id": loan, "libraryId": library, "bookId": book, "card": "card-007", "due": "2025-06-01", "returned": None}
    yield _send("create", "POST", "/books", **_book(book, library))
    yield _send("create", "POST", "/loans", **lent)
    yield Asked("detail", "GET", f"/books/{book}?_embed=loans&_expand=library")
    yield _send("change", "PATCH", f"/books/{book}", price=7.25, available=False)
    yield _send("change", "PUT", f"/books/{book}", **_book(book, library) | {"year": 1899})
    yield Asked("list", "GET", "/books?_sort=year&_order=desc&_limit=4", merged=True)
    yield Asked("nested", "GET", f"/books/{book}/loans")
    yield Asked("delete", "DELETE", f"/books/{book}")
    yield Asked("detail", "GET", f"/loans/{loan}")
    yield Asked("delete", "DELETE", f"/books/{book}")


def _books(chance: Random) -> Asked:
    keys = ("id", "libraryId", "genreId", "title", "author", "year", "price", "available")
    filters: Sequence[Parameters] = (
        [("libraryId", chance.choice(LIBRARIES)[0])],
        [("libraryId", library[0]) for library in chance.sample(LIBRARIES, 2)],
        [("genreId", chance.choice(GENRES)[0])],
        [("author", chance.choice(WORKS)[1])],
        [("title_like", chance.choice(("^A ", "ã", "os", "nothing")))],
        [("year_gte", str(chance.randrange(1500, 1900)))],
        [("year_lte", str(chance.randrange(1500, 1900)))],
        [("available", chance.choice(("true", "false")))],
        [("genreId_ne", "g1")],
        [("q", chance.choice(("serras", "CAMÕES", "b00", "zzz")))],
        [("id", _book_id(chance)) for _ in range(3)],
        [("shelf", "7")],
    )
    related = chance.choice(([], [], [("_embed", "loans")], [("_expand", "library")], [("_expand", "genre")]))
    return _list(chance, "/books", keys, [*_some(chance, filters), *related], BOOKS)


def _loans(chance: Random) -> Asked:
    filters: Sequence[Parameters] = (
        [("card", f"card-{chance.randrange(1, 90):03}")],
        [("bookId", _book_id(chance))],
        [("due_gte", f"2025-{chance.randrange(1, 13):02}-15")],
        [("returned_like", "2025-0")],
        [("libraryId_like", "^por-")],
    )
    related = chance.choice(([], [("_expand", "book")]))
    return _list(chance, "/loans", ("id", "bookId", "card", "due", "returned"), _some(chance, filters) + related, LOANS)


def _libraries(chance: Random) -> Asked:
    return _list(chance, "/libraries", ("id", "name", "city", "opened"), [], len(LIBRARIES))


def _list(chance: Random, path: str, keys: Sequence[str], parameters: Parameters, size: int) -> Asked:
    parameters = list(parameters)
    names = chance.sample(keys, chance.randrange(4))
    if names:
        parameters.append(("_sort", ",".join(names)))
        directions = [chance.choice(("asc", "desc", "DESC")) for _ in names][: chance.randrange(4)]
        parameters += [("_order", ",".join(directions))] if directions else []
    if chance.random() < 0.8:
        parameters.append(("_limit", str(chance.choice((0, 1, 3, 10, 25, 1000)))))
    if chance.random() < 0.5:
        parameters.append(("_start", str(chance.choice((0, 1, 7, size // 2, size - 2, size + 5)))))
    chance.shuffle(parameters)
    return Asked("list", "GET", _target(path, parameters), merged=True)


def _detail(chance: Random) -> Asked:
    paths = (f"/books/{_book_id(chance)}", f"/loans/{_loan_id(chance)}", f"/libraries/{chance.choice(LIBRARIES)[0]}")
    path = chance.choice(paths)
    related = {"/books": ["_embed=loans", "_expand=library"], "/loans": ["_expand=book"], "/libra": ["_embed=books"]}
    query = chance.choice(["", *related[path[:6]]])
    return Asked("detail", "GET", f"{path}?{query}".rstrip("?"))


def _nested(chance: Random) -> Asked:
    library = chance.choice(LIBRARIES)[0]
    path = chance.choice((f"/libraries/{library}/books", f"/books/{_book_id(chance)}/loans"))
    return Asked("nested", "GET", f"{path}?_sort={chance.choice(('id', 'title', 'due'))}&_limit={chance.randrange(9)}")


def _unknown(chance: Random) -> Asked:
    paths = ("/books/b7777", "/loans/none", "/libraries/lis-none", "/libraries/x", "/books/b7777/loans", "/genres/g9")
    return Asked("unknown id", "GET", chance.choice(paths))


def _conditional(chance: Random) -> Asked:
    return Asked("conditional", "GET", f"/books/{_book_id(chance)}", headers={"If-None-Match": "*"})


def _reference(chance: Random) -> Asked:
    targets = ("/genres", "/genres?_sort=name&_order=desc", "/genres?_page=1&_limit=2", "/genres/g3", "/consortium")
    return Asked("reference", "GET", chance.choice(targets))


def _head(chance: Random) -> Asked:
    if chance.random() < 0.5:
        return Asked("head", "HEAD", f"/books/{_book_id(chance)}")
    return Asked("head", "HEAD", f"/loans?_sort=due&_limit={chance.randrange(20)}", merged=True)


def _book(book: str, library: str) -> dict[str, Any]:
    return {
        "id": book,
        "libraryId": library,
        "genreId": "g2",
        "title": "Clepsidra",
        "author": "Camilo Pessanha",
        "year": 1920,
        "price": 12.5,
        "available": True,
    }


def _send(kind: str, method: str, target: str, **members: Any) -> Asked:
    body = json.dumps(members, ensure_ascii=False).encode()
    return Asked(kind, method, target, body, {"Content-Type": "application/json"})


def _some(chance: Random, choices: Sequence[Parameters]) -> Parameters:
    return [parameter for chosen in chance.sample(choices, chance.choice((0, 1, 1, 2))) for parameter in chosen]


def _target(path: str, parameters: Parameters) -> str:
    return f"{path}?{urlencode(parameters)}".rstrip("?")


def _book_id(chance: Random) -> str:
    return f"b{chance.randrange(1, BOOKS + 1):04}"


def _loan_id(chance: Random) -> str:
    return f"n{chance.randrange(1, LOANS + 1):04}"
