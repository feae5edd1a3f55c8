"""The data of the example: shops of three cities and their articles. The same at every call."""

from collections.abc import Collection
from random import Random

CITIES = {"braga": "bra", "lisbon": "lis", "porto": "por"}
NAMES = {"bra": "Braga", "lis": "Lisboa", "por": "Porto"}
SHOPS, ARTICLES = 1_050, 2_400
TITLES = ("Azulejo", "Cortiça", "Sardinha", "Vinho do Porto", "galo", "Filigrana", "Manta", "Pastel")

Row = dict[str, object]

SCHEMAS = {
    "Shop": {"name": {"type": "String"}, "city": {"type": "String"}},
    "Article": {
        "title": {"type": "String"},
        "price": {"type": "Number"},
        "stock": {"type": "Number"},
        "active": {"type": "Boolean"},
        "shop": {"type": "Pointer", "targetClass": "Shop"},
    },
}


def rows(shards: Collection[str]) -> dict[str, list[Row]]:
    """Class → what belongs to these shards, as Parse's tables have it."""
    chance = Random(80)
    prefixes = {CITIES[shard] for shard in shards}
    ids = [f"{prefix}-{number:04}" for prefix in sorted(NAMES) for number in range(1, SHOPS // 3 + 1)]
    shops = [
        {
            "objectId": each,
            **_moments(chance),
            "name": f"{chance.choice(('Casa', 'Loja', 'Armazém'))} {chance.randrange(60)}",
            "city": NAMES[each[:3]],
        }
        for each in ids
    ]
    articles = [
        {
            "objectId": f"a{number:05}",
            **_moments(chance),
            "title": f"{chance.choice(TITLES)} {chance.randrange(90)}",
            "price": None if chance.random() < 0.05 else chance.randrange(2, 400) / 4,
            "stock": None if chance.random() < 0.1 else chance.randrange(30),
            "active": chance.random() < 0.7,
            "shop": chance.choice(ids),
        }
        for number in range(1, ARTICLES + 1)
    ]
    return {
        "Shop": [row for row in shops if str(row["objectId"])[:3] in prefixes],
        "Article": [row for row in articles if str(row["shop"])[:3] in prefixes],
    }


def _moments(chance: Random) -> Row:
    day, hour, minute = chance.randrange(1, 29), chance.randrange(24), chance.randrange(60)
    moment = f"2025-{chance.randrange(1, 13):02}-{day:02}T{hour:02}:{minute:02}:00.{chance.randrange(1000):03}Z"
    return {"createdAt": moment, "updatedAt": moment}
