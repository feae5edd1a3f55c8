"""The data of the example: shops of three cities, their articles and reviews. The same at every call.

python shop_data.py lisbon pb_data/data.db     # into a database whose collections the migration has made
"""

import sqlite3
import sys
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from random import Random

CITIES = {"braga": "bra", "lisbon": "lis", "porto": "por"}
NAMES = {"bra": "Braga", "lis": "Lisboa", "por": "Porto"}
SHOPS, ARTICLES, REVIEWS = 1_050, 2_400, 1_800
TITLES = ("Azulejo", "Cortiça", "Sardinha", "Vinho do Porto", "galo", "Filigrana", "Manta", "Pastel")

Row = dict[str, object]


def write(shards: Collection[str], path: Path) -> None:
    """Insert what belongs to these shards."""
    with closing(sqlite3.connect(path)) as database, database:
        for table, rows in _rows({CITIES[shard] for shard in shards}).items():
            columns, marks = ", ".join(rows[0]), ", ".join("?" * len(rows[0]))
            values = [tuple(row.values()) for row in rows]
            database.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)


def _rows(prefixes: Collection[str]) -> dict[str, list[Row]]:
    chance = Random(78)
    ids = [f"{prefix}{number:012}" for prefix in sorted(NAMES) for number in range(1, SHOPS // 3 + 1)]
    shops = [
        {
            "id": identity,
            "name": f"{chance.choice(('Casa', 'Loja', 'Armazém', 'Mercearia'))} {chance.randrange(60)}",
            "city": NAMES[identity[:3]],
            "opened": 1900 + chance.randrange(125),
        }
        for identity in ids
    ]
    articles = [
        {
            "id": f"a{number:014}",
            "shop": chance.choice(ids),
            "title": f"{chance.choice(TITLES)} {chance.randrange(90)}",
            "price": chance.randrange(2, 400) / 4,
            "stock": chance.randrange(30),
            "active": chance.random() < 0.7,
            "created": (moment := _moment(chance)),
            "updated": moment,
        }
        for number in range(1, ARTICLES + 1)
    ]
    reviews = [
        {
            "id": f"r{number:014}",
            "shop": chance.choice(ids),
            "stars": chance.randrange(1, 6),
            "text": chance.choice(("", "Muito bom", "não volto", "“ótimo” & barato", "so-so")),
        }
        for number in range(1, REVIEWS + 1)
    ]
    return {
        "shops": [row for row in shops if str(row["id"])[:3] in prefixes],
        "articles": [row for row in articles if str(row["shop"])[:3] in prefixes],
        "reviews": [row for row in reviews if str(row["shop"])[:3] in prefixes],
    }


def _moment(chance: Random) -> str:
    day, hour, minute = chance.randrange(1, 29), chance.randrange(24), chance.randrange(60)
    return f"2025-{chance.randrange(1, 13):02}-{day:02} {hour:02}:{minute:02}:00.{chance.randrange(1000):03}Z"


if __name__ == "__main__":
    write({sys.argv[1]}, Path(sys.argv[2]))
