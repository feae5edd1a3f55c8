"""The data of the example: branches of a library and their books. The same at every call.

    python library_data.py         # data-lisbon.sql, data-porto.sql, data-braga.sql

Holds: rows are written in the order of their ids, which is the order in which H2 lists what has no other order.
"""

from collections.abc import Collection
from pathlib import Path
from random import Random

CITIES = {"braga": "bra", "lisbon": "lis", "porto": "por"}
BRANCHES = 1_200
BOOKS = 2_400
AUTHORS = ("Eça de Queirós", "Camilo Castelo Branco", "Júlio Dinis", "Fernando Pessoa", "Florbela Espanca", None)
TITLES = ("Os Maias", "A Relíquia", "Mensagem", "Só", "Peregrinação", "O Livro", "livro de mágoas", "Auto da Barca")


def write(shards: Collection[str], path: Path) -> None:
    """The statements that insert what belongs to these shards."""
    prefixes = {CITIES[shard] for shard in shards}
    path.write_text("\n".join(_statements(prefixes)), encoding="utf-8")


def _statements(prefixes: Collection[str]) -> list[str]:
    chance = Random(77)
    branches, books = [], []
    ids = [f"{prefix}-{number:04}" for prefix in sorted(CITIES.values()) for number in range(1, BRANCHES // 3 + 1)]
    for number, identity in enumerate(ids):
        city = {"bra": "Braga", "lis": "Lisboa", "por": "Porto"}[identity[:3]]
        branches.append(
            (
                identity,
                f"{chance.choice(('Sé', 'Foz', 'Alfama', 'Belém'))} {number % 37}",
                city,
                1900 + chance.randrange(120),
            )
        )
    for number in range(1, BOOKS + 1):
        branch = chance.choice(ids)
        title = f"{chance.choice(TITLES)} {chance.randrange(40)}"
        author = chance.choice(AUTHORS)
        year = chance.choice((None, 1850 + chance.randrange(150)))
        books.append(
            (f"b{number:05}", 0, title, author, year, chance.randrange(4, 200) / 4, chance.random() < 0.7, branch)
        )
    return [
        *(_insert("branch", "id, name, city, opened", row) for row in branches if row[0][:3] in prefixes),
        *(
            _insert("book", "id, version, title, author, published, price, available, branch_id", row)
            for row in books
            if row[-1][:3] in prefixes
        ),
    ]


def _insert(table: str, columns: str, row: tuple[object, ...]) -> str:
    return f"INSERT INTO {table} ({columns}) VALUES ({', '.join(map(_sql, row))});"


def _sql(value: object) -> str:
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value).upper() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    for each in CITIES:
        write({each}, Path(f"data-{each}.sql"))
