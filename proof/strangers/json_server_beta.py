"""json-server 1.0, still a beta: `_page` and `_per_page` in an object, `_start`, `_end` and `_limit` in bare arrays."""

from collections.abc import Sequence
from random import Random
from urllib.parse import urlencode

from proof.strangers import installing
from proof.strangers.application import Application, Command, Instance
from proof.strangers.both import Both, Kept, Nature
from proof.strangers.json_server import BOOK_KEYS, LOAN_KEYS, Parameters, a_book, data

RANDOM_ID = Nature("json-server draws an id by chance where a create has none.")

SORTED = tuple(key for key in BOOK_KEYS if key != "available")
LIBRARY_KEYS = ("id", "name", "city", "opened")


class JsonServerBeta(Application):
    """As its package lock has it."""

    name = "json-server-beta"
    title = "json-server 1.0.0-beta.3"
    ready = "/consortium"

    def install(self) -> None:
        """From npm."""
        modules = installing.node_modules(self.cache, self.example / "package-lock.json")
        self._program = modules / "json-server/lib/bin.js"

    def prepare(self, instance: Instance) -> None:
        """Libraries, and what is theirs; and the folder for files that a browser may read."""
        (instance.folder / "public").mkdir()
        data.write(instance.shards, instance.folder / "db.json")

    def command(self, instance: Instance) -> Command:
        """It does not watch its file where NODE_ENV says production."""
        node = installing.program("node", "Node is not on this machine")
        words = [node, str(self._program), "--host", "127.0.0.1", "--port", str(instance.port), "db.json"]
        return Command(words, {"NODE_ENV": "production"})

    def ask(self, both: Both, chance: Random) -> None:
        """By its documentation, section by section."""
        _lists(both, chance)
        _odd(both)
        _items(both, chance)
        _walks(both)
        for number, library in enumerate(("lis-belem", "por-foz", "bra-se"), 1):
            _life(both, f"b9{number:03}", library)
        _rest(both)


def _lists(both: Both, chance: Random) -> None:
    for _ in range(both.some(120)):
        path, keys, size = chance.choice(
            (
                ("/books", SORTED, data.BOOKS),
                ("/books", SORTED, data.BOOKS),
                ("/loans", LOAN_KEYS, data.LOANS),
                ("/libraries", LIBRARY_KEYS, len(data.LIBRARIES)),
            )
        )
        paged = chance.choice((_range, _slice, _page, _page))(size, chance)
        parameters = _filters(path, chance) + _order(keys, chance) + paged
        chance.shuffle(parameters)
        both.ask("list by page" if "_page" in dict(parameters) else "list", "GET", _target(path, parameters))
    for path in ("/books", "/loans", "/libraries", "/genres"):
        both.ask("list", "GET", path)
        both.ask("HEAD", "HEAD", path)
        both.ask("HEAD", "HEAD", f"{path}?_page=2")
        both.ask("OPTIONS", "OPTIONS", path)
        both.ask(
            "OPTIONS", "OPTIONS", path, headers={"Origin": "http://a.example", "Access-Control-Request-Method": "PUT"}
        )
        both.ask("conditional", "GET", f"{path}?_page=2", headers={"If-None-Match": '"other"'})
        both.ask("conditional", "GET", f"{path}?_limit=3", headers={"If-None-Match": "*"})


def _odd(both: Both) -> None:
    for query in (
        "_page=1",
        "_page=0",
        "_page=00",
        "_page=-0",
        "_page=0.5",
        "_page=-3",
        "_page=-3&_per_page=5",
        "_page=x",
        "_page=",
        "_page=2.9",
        "_page=3x",
        "_page=120",
        "_page=121",
        "_page=5000",
        "_page=2&_per_page=0",
        "_page=2&_per_page=x",
        "_page=2&_per_page=",
        "_page=2&_per_page=5000",
        "_per_page=5",
        "_page=2&_limit=4",
        "_page=2&_start=4",
        "_page=2&_start=4&_end=6",
        "_start=4&_end=6&_limit=9",
        "_start=10&_end=5",
        "_start=10",
        "_start=x&_limit=3",
        "_start=1199&_end=1300",
        "_start=5000&_limit=3",
        "_end=4",
        "_end=x",
        "_limit=0",
        "_limit=x",
        "_limit=7",
        "_limit=100000",
        "_sort=shelf&_limit=4",
        "_sort=-shelf,-year&_limit=9",
        "_sort=&_limit=4",
        "_sort=year&_limit=4",
        "_sort=-year,title&_page=3",
        "year_gt=1900",
        "year_lte=x",
        "year_ne=1888&_page=4",
        "shelf=7&_page=1",
        "author=nobody&_page=3",
        "author=Gil%20Vicente&_page=2&_per_page=3",
        "title=&_limit=3",
        "_unknown=7&_limit=2",
        "q=maias&_limit=2",
    ):
        both.ask("odd", "GET", f"/books?{query}")


def _items(both: Both, chance: Random) -> None:
    for _ in range(both.some(40)):
        book, loan = f"b{chance.randrange(1, data.BOOKS + 1):04}", f"n{chance.randrange(1, data.LOANS + 1):04}"
        library = chance.choice(data.LIBRARIES)[0]
        related = chance.choice(("", "?_embed=loans", "?_embed=library", "?_embed=loans&_embed=library"))
        target = chance.choice((f"/books/{book}{related}", f"/loans/{loan}?_embed=book", f"/libraries/{library}"))
        both.ask("item", "GET", target)
    for target in (
        "/books/b7777",
        "/loans/none",
        "/libraries/lis-none",
        "/libraries/x",
        "/genres/g9",
        "/nothing",
        "/db",
    ):
        both.ask("unknown id", "GET", target)
    for target in ("/books/b0007", "/loans/n0007", "/libraries/lis-belem", "/genres/g0001"):
        # No HEAD: this json-server takes it for a DELETE.
        both.ask("OPTIONS", "OPTIONS", target)
    both.ask("reference", "GET", "/genres?_page=2")
    both.ask("reference", "GET", "/consortium")


def _walks(both: Both) -> None:
    """Pages of a list by their numbers, with books that come and go meanwhile; then a walk by slices."""
    page: int | None = 1
    step = 0
    while page is not None and step < 20:
        step += 1
        shown = both.ask("walk", "GET", f"/books?author=Gil%20Vicente&_sort=year,id&_page={page}&_per_page=12")
        if step in {1, 4}:
            made = a_book(f"b80{step:02}", "por-foz") | {"author": "Gil Vicente"}
            both.ask("create", "POST", "/books", body=made)
        if step == 3:
            both.ask("delete", "DELETE", "/books/b8001")
        page = shown.member("body.next")
    both.ask("delete", "DELETE", "/books/b8004")
    for start in range(0, 90, 15):
        both.ask("walk", "GET", f"/loans?card=card-07&_sort=-due&_start={start}&_end={start + 15}")
        both.ask("change", "PATCH", f"/loans/n{start + 1:04}", body={"returned": "2025-12-01"})


def _life(both: Both, book: str, library: str) -> None:
    loan = book.replace("b", "n")
    lent = {"id": loan, "libraryId": library, "bookId": book, "card": "card-007", "due": "2025-06-01", "returned": None}
    book_made = both.ask("create", "POST", "/books", body=a_book(book, library))
    both.ask("create", "POST", "/loans", body=lent)
    both.ask("item", "GET", f"/books/{book}?_embed=loans&_embed=library")
    both.ask("change", "PATCH", f"/books/{book}", body={"price": 7.25, "available": False})
    both.ask("change", "PUT", f"/books/{book}", body=a_book(book, library) | {"year": 1899})
    both.ask("list", "GET", "/books?_sort=-year&_limit=4")
    both.ask("delete", "DELETE", f"/books/{book}?_dependent=loans")
    both.ask("unknown id", "GET", f"/loans/{loan}")
    both.ask("delete", "DELETE", f"/books/{book}")
    assert book_made.method == "POST"


def _rest(both: Both) -> None:
    """What all have, what nobody has, and ids by chance."""
    both.ask(
        "create", "POST", "/libraries", body={"id": "bra-lamacaes", "name": "Lamaçães", "city": "Braga", "opened": 2025}
    )
    both.ask("change", "PATCH", "/libraries/bra-lamacaes", body={"opened": 2026})
    both.ask("list by page", "GET", "/libraries?_sort=-opened&_page=1&_per_page=3")
    both.ask("delete", "DELETE", "/libraries/bra-lamacaes")
    both.ask("change", "PATCH", "/genres/g0009", body={"name": "fado"})
    both.ask("reference", "GET", "/genres?name=fado")
    both.ask("change", "PUT", "/genres/g0009", body={"name": "shelf 9"})
    both.ask("change", "PATCH", "/consortium", body={"loanDays": 28})
    both.ask("reference", "GET", "/consortium")
    nameless = {"libraryId": "por-bonfim", "title": "Clepsidra", "year": 1920}
    both.ask("create", "POST", "/books", body=nameless, keep={"book": Kept("body.id", RANDOM_ID)})
    both.ask("item", "GET", "/books/@{book}")
    both.ask("delete", "DELETE", "/books/@{book}")
    both.ask("refusal", "PATCH", "/books/b8888", body={"price": 1})
    both.ask("refusal", "PUT", "/books/b8888", body=a_book("b8888", "por-foz"))
    both.ask("refusal", "DELETE", "/loans/n8888")
    both.ask("refusal", "POST", "/nothing", body={"id": "7"})
    both.ask("refusal", "DELETE", "/books")
    for resource in ("libraries", "books", "loans"):
        both.ask("list", "GET", f"/{resource}?_start=0&_end=5000")


def _filters(path: str, chance: Random) -> Parameters:
    year = str(chance.randrange(1500, 1900))
    books = [("author", chance.choice(data.WORKS)[1]), ("year_gte", year), ("year_lt", year), ("genreId", "g0002")]
    loans = [("card", f"card-{chance.randrange(1, 90):03}"), ("libraryId", "por-foz"), ("bookId_ne", "b0007")]
    filters = {"/books": [*books, ("_embed", "library")], "/loans": [*loans, ("_embed", "book")]}.get(path, [])
    return [pair for pair in filters if chance.random() < 0.25]


def _order(keys: Sequence[str], chance: Random) -> Parameters:
    names = [chance.choice(("", "-")) + key for key in chance.sample(keys, chance.randrange(4))]
    return [("_sort", ",".join(names))] if names else []


def _range(size: int, chance: Random) -> Parameters:
    start = chance.choice((0, 3, size // 2, size - 2, size + 5))
    return [("_start", str(start)), ("_end", str(start + chance.choice((0, 1, 20))))]


def _slice(size: int, chance: Random) -> Parameters:
    start = [("_start", str(chance.choice((0, 7, size // 3))))] if chance.random() < 0.5 else []
    return [*start, ("_limit", str(chance.choice((1, 10, 200))))]


def _page(size: int, chance: Random) -> Parameters:
    per_page = [("_per_page", str(chance.choice((5, 25, 300))))] if chance.random() < 0.7 else []
    return [("_page", str(chance.choice((1, 2, 5, size // 10, size)))), *per_page]


def _target(path: str, parameters: Parameters) -> str:
    return f"{path}?{urlencode(parameters)}"
