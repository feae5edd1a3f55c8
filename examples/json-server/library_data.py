"""The data: lending libraries of three cities, their books, their loans. The same at every call.

Holds: rows stand in the order of their ids, which is the order in which json-server lists what has no other order;
every row has every property, since json-server ignores a filter on a property that no row has.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

Row = dict[str, Any]
Data = dict[str, Any]

LIBRARIES = (
    ("lis-alfama", "Alfama", "Lisboa", 1956),
    ("lis-belem", "Belém", "Lisboa", 1989),
    ("lis-benfica", "Benfica", "Lisboa", 1956),
    ("lis-estrela", "Estrela", "Lisboa", 2004),
    ("por-bonfim", "Bonfim", "Porto", 1978),
    ("por-foz", "Foz do Douro", "Porto", 1989),
    ("por-ribeira", "Ribeira", "Porto", 1934),
    ("bra-gualtar", "Gualtar", "Braga", 2004),
    ("bra-se", "Sé", "Braga", 1921),
)
GENRES = (("g1", "novel"), ("g2", "poetry"), ("g3", "drama"), ("g4", "travel"))
WORKS = (
    ("Os Maias", "Eça de Queirós", 1888, "g1"),
    ("O Crime do Padre Amaro", "Eça de Queirós", 1875, "g1"),
    ("A Relíquia", "Eça de Queirós", 1887, "g1"),
    ("A Cidade e as Serras", "Eça de Queirós", 1901, "g1"),
    ("Amor de Perdição", "Camilo Castelo Branco", 1862, "g1"),
    ("A Queda dum Anjo", "Camilo Castelo Branco", 1866, "g1"),
    ("As Pupilas do Senhor Reitor", "Júlio Dinis", 1867, "g1"),
    ("A Morgadinha dos Canaviais", "Júlio Dinis", 1868, "g1"),
    ("Eurico, o Presbítero", "Alexandre Herculano", 1844, "g1"),
    ("Os Lusíadas", "Luís de Camões", 1572, "g2"),
    ("Mensagem", "Fernando Pessoa", 1934, "g2"),
    ("Só", "António Nobre", 1892, "g2"),
    ("Livro de Mágoas", "Florbela Espanca", 1919, "g2"),
    ("Auto da Barca do Inferno", "Gil Vicente", 1517, "g3"),
    ("Frei Luís de Sousa", "Almeida Garrett", 1844, "g3"),
    ("Viagens na Minha Terra", "Almeida Garrett", 1846, "g4"),
    ("Peregrinação", "Fernão Mendes Pinto", 1614, "g4"),
)
BOOKS = 360
LOANS = 520


def everything() -> Data:
    """All the data, as one instance holds it."""
    chance = Random(1143)
    books = [_book(number, chance) for number in range(1, BOOKS + 1)]
    return {
        "consortium": {"name": "Bibliotecas em Rede", "cities": 3, "loanDays": 21},
        "genres": [{"id": id_, "name": name} for id_, name in GENRES],
        "libraries": [
            {"id": id_, "name": name, "city": city, "opened": opened} for id_, name, city, opened in sorted(LIBRARIES)
        ],
        "books": books,
        "loans": [_loan(number, books, chance) for number in range(1, LOANS + 1)],
    }


def part(data: Data, prefixes: Sequence[str]) -> Data:
    """What one shard holds: the libraries whose ids have these prefixes, what is theirs, and what is nobody's."""

    def is_here(row: Mapping[str, Any]) -> bool:
        return str(row.get("libraryId", row["id"])).partition("-")[0] in prefixes

    return {
        name: [row for row in rows if is_here(row)] if name in {"libraries", "books", "loans"} else rows
        for name, rows in data.items()
    }


def _book(number: int, chance: Random) -> Row:
    title, author, year, genre = chance.choice(WORKS)
    return {
        "id": f"b{number:04}",
        "libraryId": chance.choice(LIBRARIES)[0],
        "genreId": genre,
        "title": title,
        "author": author,
        "year": year,
        "price": chance.randrange(10, 60) / 2,
        "available": chance.random() < 0.7,
    }


def _loan(number: int, books: Sequence[Row], chance: Random) -> Row:
    book = chance.choice(books)
    month, day = chance.randrange(1, 13), chance.randrange(1, 29)
    is_back = chance.random() < 0.6
    return {
        "id": f"n{number:04}",
        "libraryId": book["libraryId"],
        "bookId": book["id"],
        "card": f"card-{chance.randrange(1, 90):03}",
        "due": f"2025-{month:02}-{day:02}",
        "returned": f"2025-{month:02}-{chance.randrange(1, 29):02}" if is_back else None,
    }
