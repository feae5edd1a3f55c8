"""The data: lending libraries of three cities, their books, their loans. The same at every call.

    python library_data.py data/        # monolith.json, lisbon.json, porto.json and braga.json

Holds: rows stand in the order of their ids, which is the order in which json-server lists what has no other order;
every row has every property, since json-server ignores a filter on a property that no row has.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any

Row = dict[str, Any]
Data = dict[str, Any]

CITIES = {"lis": "lisbon", "por": "porto", "bra": "braga"}
"""What the id of a library begins with → the shard of its city."""
NAMED = (
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
LIBRARIES = tuple(
    sorted(
        NAMED
        + tuple(
            (f"{prefix}-bus-{number:03}", f"Bibliobus {number}", city, 1950 + number % 70)
            for prefix, city in (("lis", "Lisboa"), ("por", "Porto"), ("bra", "Braga"))
            for number in range(1, 341)
        )
    )
)
GENRES = (
    ("g0001", "novel"),
    ("g0002", "poetry"),
    ("g0003", "drama"),
    ("g0004", "travel"),
    *((f"g{number:04}", f"shelf {number}") for number in range(5, 1001)),
)
WORKS = (
    ("Os Maias", "Eça de Queirós", 1888, "g0001"),
    ("O Crime do Padre Amaro", "Eça de Queirós", 1875, "g0001"),
    ("A Relíquia", "Eça de Queirós", 1887, "g0001"),
    ("A Cidade e as Serras", "Eça de Queirós", 1901, "g0001"),
    ("Amor de Perdição", "Camilo Castelo Branco", 1862, "g0001"),
    ("A Queda dum Anjo", "Camilo Castelo Branco", 1866, "g0001"),
    ("As Pupilas do Senhor Reitor", "Júlio Dinis", 1867, "g0001"),
    ("A Morgadinha dos Canaviais", "Júlio Dinis", 1868, "g0001"),
    ("Eurico, o Presbítero", "Alexandre Herculano", 1844, "g0001"),
    ("Os Lusíadas", "Luís de Camões", 1572, "g0002"),
    ("Mensagem", "Fernando Pessoa", 1934, "g0002"),
    ("Só", "António Nobre", 1892, "g0002"),
    ("Livro de Mágoas", "Florbela Espanca", 1919, "g0002"),
    ("Auto da Barca do Inferno", "Gil Vicente", 1517, "g0003"),
    ("Frei Luís de Sousa", "Almeida Garrett", 1844, "g0003"),
    ("Viagens na Minha Terra", "Almeida Garrett", 1846, "g0004"),
    ("Peregrinação", "Fernão Mendes Pinto", 1614, "g0004"),
)
BOOKS = 1200
LOANS = 1500


def everything() -> Data:
    """All the data, as one instance holds it."""
    chance = Random(1143)
    books = [_book(number, chance) for number in range(1, BOOKS + 1)]
    return {
        "consortium": {"name": "Bibliotecas em Rede", "cities": 3, "loanDays": 21},
        "genres": [{"id": id_, "name": name} for id_, name in GENRES],
        "libraries": [
            {"id": id_, "name": name, "city": city, "opened": opened} for id_, name, city, opened in LIBRARIES
        ],
        "books": books,
        "loans": [_loan(number, books, chance) for number in range(1, LOANS + 1)],
    }


def part(data: Data, shards: Iterable[str]) -> Data:
    """What instances of these shards hold: the libraries of their cities, what is theirs, and what is nobody's."""
    here = set(shards)

    def is_here(row: Mapping[str, Any]) -> bool:
        return CITIES[str(row.get("libraryId", row["id"])).partition("-")[0]] in here

    return {
        name: [row for row in rows if is_here(row)] if name in {"libraries", "books", "loans"} else rows
        for name, rows in data.items()
    }


def write(shards: Iterable[str], file: Path) -> None:
    """The file that json-server serves for these shards."""
    file.write_text(json.dumps(part(everything(), shards), ensure_ascii=False, indent=2), encoding="utf-8")


def _book(number: int, chance: Random) -> Row:
    title, author, year, genre = chance.choice(WORKS)
    return {
        "id": f"b{number:04}",
        "libraryId": chance.choice(NAMED if chance.random() < 0.5 else LIBRARIES)[0],
        "genreId": genre,
        "title": title,
        "author": author,
        "year": year,
        "price": chance.randrange(10, 60) / 2,
        "available": chance.random() < 0.7,
    }


def _loan(number: int, books: list[Row], chance: Random) -> Row:
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


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
    target.mkdir(exist_ok=True)
    write(CITIES.values(), target / "monolith.json")
    for city in CITIES.values():
        write([city], target / f"{city}.json")
