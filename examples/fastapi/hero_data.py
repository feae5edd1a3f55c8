"""The data of the example: teams, their heroes and missions. The same at every call.

    python hero_data.py                              # heroes-north.db, heroes-south.db, heroes-west.db, teams.csv
    shardgate directory import teams.csv --space teams

Holds: rows are written in the order of their ids, which is the order in which SQLite lists what has no other order.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from uuid import UUID

SHARDS = ("north", "south", "west")
TEAMS, HEROES, MISSIONS = 1_050, 2_400, 1_500
CITIES = ("Lisboa", "Porto", "Braga", "Évora", "Faro")
FIRST = ("Deadpond", "Spider-Boy", "Rusty-Man", "Tarantula", "Black Lion", "dr. weird", "Captain North America")

Row = tuple[object, ...]
Owned = tuple[str, Row]
"""The name of a shard, and a row."""

TABLES = {
    "team": "name VARCHAR NOT NULL, headquarters VARCHAR NOT NULL, id CHAR(32) NOT NULL PRIMARY KEY",
    "hero": "name VARCHAR(60) NOT NULL, age INTEGER, strength FLOAT NOT NULL, "
    "team_id CHAR(32) NOT NULL REFERENCES team (id), id CHAR(32) NOT NULL PRIMARY KEY",
    "mission": "id CHAR(32) NOT NULL PRIMARY KEY, title VARCHAR NOT NULL, reward INTEGER NOT NULL, "
    "team_id CHAR(32) NOT NULL REFERENCES team (id)",
}


def write(shards: Collection[str], path: Path) -> None:
    """A database with what belongs to these shards."""
    with closing(sqlite3.connect(path)) as database, database:
        for table, columns in TABLES.items():
            database.execute(f"CREATE TABLE {table} ({columns})")
        for table, rows in _everything().items():
            own = [row for shard, row in rows if shard in shards]
            database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(own[0]))})", own)


def teams() -> Iterator[tuple[str, str]]:
    """Each team's id and its shard."""
    for shard, row in _everything()["team"]:
        yield str(UUID(str(row[2]))), shard


def heroes() -> list[str]:
    """The ids of all heroes."""
    return [str(UUID(str(row[4]))) for _, row in _everything()["hero"]]


def _everything() -> dict[str, Sequence[Owned]]:
    chance = Random(79)
    team_ids = _ids(chance, TEAMS)
    home = {identity: chance.choice(SHARDS) for identity in team_ids}
    teams = [(home[each], (f"Team {chance.randrange(400)}", chance.choice(CITIES), each)) for each in team_ids]
    heroes: list[Owned] = []
    for each in _ids(chance, HEROES):
        team = chance.choice(team_ids)
        age = None if chance.random() < 0.1 else chance.randrange(16, 90)
        name = f"{chance.choice(FIRST)} {chance.randrange(50)}"
        heroes.append((home[team], (name, age, chance.randrange(1, 400) / 8, team, each)))
    missions: list[Owned] = []
    for each in _ids(chance, MISSIONS):
        team = chance.choice(team_ids)
        missions.append((home[team], (each, f"Mission {chance.randrange(300)}", chance.randrange(100), team)))
    return {"team": teams, "hero": heroes, "mission": missions}


def _ids(chance: Random, count: int) -> list[str]:
    return sorted(f"{chance.getrandbits(128):032x}" for _ in range(count))


if __name__ == "__main__":
    for each in SHARDS:
        write({each}, Path(f"heroes-{each}.db"))
    Path("teams.csv").write_text("key,shard\n" + "".join(f"{key},{shard}\n" for key, shard in teams()))
