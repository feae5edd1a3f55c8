"""FastAPI and SQLModel with fastapi-pagination's pages and slices, and fastapi-filter's filters and orders."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from urllib.parse import urlencode

from proof.strangers import installing
from proof.strangers.application import Application, Command, Instance
from proof.strangers.both import Both, Kept, Nature
from proof.strangers.example import module

data = module("fastapi", "hero_data")

RANDOM_ID = Nature("The application draws the UUID of a new row by chance.")

HERO_KEYS = ("id", "name", "age", "strength", "team_id")
TEAM_KEYS = ("id", "name", "headquarters")
UNKNOWN = "00000000-0000-4000-8000-000000000000"


class FastApi(Application):
    """The heroes of SQLModel's tutorial."""

    name = "fastapi"
    title = "FastAPI 0.165 with fastapi-pagination 0.16"
    ready = "/openapi.json"

    def install(self) -> None:
        """From PyPI."""
        self._python = installing.python_environment(self.cache, self.example / "requirements.txt")

    def prepare(self, instance: Instance) -> None:
        """Teams, and what is theirs."""
        data.write(instance.shards, instance.folder / "heroes.db")

    def prepare_gateway(self, folder: Path) -> None:
        """The directory of the teams, from a CSV file."""
        lines = ["key,shard", *(f"{key},{shard}" for key, shard in data.teams())]
        (folder / "teams.csv").write_text("\n".join(lines) + "\n")
        words = ["directory", "import", str(folder / "teams.csv"), "--space", "teams"]
        installing.run([sys.executable, "-m", "shardgate", *words, "--directory", str(folder / "directory.db")])

    def command(self, instance: Instance) -> Command:
        """By uvicorn."""
        words = [self._python, "-B", "-m", "uvicorn", "heroes.main:app", "--app-dir", str(self.example)]
        words += ["--host", "127.0.0.1", "--port", str(instance.port), "--no-access-log", "--timeout-keep-alive", "60"]
        return Command(words, {"HEROES_DB": "heroes.db"})

    def ask(self, both: Both, chance: Random) -> None:
        """By its documentation, operation by operation."""
        _lists(both, chance)
        _odd(both)
        _items(both, chance)
        _walk(both)
        _changes(both)
        _refusals(both)
        _others(both)


def _target(path: str, parameters: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path


def _lists(both: Both, chance: Random) -> None:
    teams = [key for key, _ in data.teams()]
    for _ in range(both.some(130)):
        path, keys = chance.choice(
            (("/heroes", HERO_KEYS), ("/heroes", HERO_KEYS), ("/teams", TEAM_KEYS), ("/missions", ()))
        )
        parameters: list[tuple[str, str]] = []
        size, place, places = (
            ("size", "page", (1, 2, 3, 8, 21, 60)) if keys else ("limit", "offset", (0, 1, 40, 333, 1490, 9000))
        )
        if chance.random() < 0.7:
            parameters.append((size, str(chance.choice((1, 5, 17, 50, 100)))))
        if chance.random() < 0.7:
            parameters.append((place, str(chance.choice(places))))
        if keys and chance.random() < 0.6:
            chosen = chance.sample(keys, chance.randrange(1, 3))
            parameters.append(("order_by", ",".join(chance.choice(("", "-")) + key for key in chosen)))
        if keys and chance.random() < 0.35:
            filters = (
                ("age__gte", "70"),
                ("name__ilike", "%lion%"),
                ("age__isnull", "true"),
                ("team_id", chance.choice(teams)),
            )
            parameters.append(
                chance.choice(filters if path == "/heroes" else (("headquarters", "Évora"), ("name__ilike", "%7")))
            )
        chance.shuffle(parameters)
        both.ask("list", "GET", _target(path, parameters))
    for path in ("/heroes", "/teams", "/missions"):
        both.ask("list", "GET", path)
        both.ask("HEAD", "HEAD", path)
        both.ask("OPTIONS", "OPTIONS", path)
        both.ask("redirect", "GET", f"{path}/")
    both.ask("redirect", "GET", "/heroes/?size=3&page=2")
    for query in ("", "?age__gte=80", "?age__gte=x", "?team_id=" + teams[7], "?age__lt=20&name__ilike=%25north%25"):
        both.ask("count", "GET", f"/heroes/count{query}")


def _odd(both: Both) -> None:
    for query in (
        "page=0",
        "page=-1",
        "page=x",
        "page=",
        "page=1.5",
        "page=2.0&size=5",
        "page=%2B2&size=5",
        "page=02&size=5",
        "page=1_0&size=5",
        "page=%202&size=5",
        "page=99999999999999999999",
        "size=0",
        "size=-5",
        "size=101",
        "size=abc",
        "size=",
        "size=100&page=24",
        "size=100&page=25",
        "size=3&size=4",
        "page=2&page=3&size=5",
        "Page=2&size=5",
        "PAGE=2&SIZE=5",
        "page%5B%5D=2&size=5",
        "order_by=",
        "order_by=nope&size=5",
        "order_by=-nope,name&size=5",
        "order_by=name,name&size=5",
        "order_by=name,-name&size=5",
        "order_by=%2Bname&size=5",
        "order_by=%20name&size=5",
        "order_by=Name&size=5",
        "order_by=name&order_by=-age&size=5",
        "order_by=-age,name&size=5&page=7",
        "age__gte=old",
        "age__gte=30&age__lt=20",
        "team_id=nope",
        f"team_id={UNKNOWN}",
        "age__isnull=maybe",
        "limit=3",
        "unknown=1&size=3",
    ):
        both.ask("list, odd or bad parameters", "GET", f"/heroes?{query}")
    for query in (
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=x",
        "offset=-1",
        "offset=x",
        "offset=5&limit=5",
        "limit=5&limit=6",
        "offset=&limit=3",
        "limit=7&offset=99999999999",
    ):
        both.ask("list, odd or bad parameters", "GET", f"/missions?{query}")


def _items(both: Both, chance: Random) -> None:
    heroes, teams = data.heroes(), [key for key, _ in data.teams()]
    for _ in range(both.some(20)):
        both.ask("item", "GET", f"/heroes/{chance.choice(heroes)}")
        both.ask("item", "GET", f"/teams/{chance.choice(teams)}")
    hero, team = heroes[5], teams[5]
    for spelling in (
        team.upper(),
        team.replace("-", ""),
        "%7B" + team + "%7D",
        f"urn:uuid:{team}",
        UNKNOWN,
        "x",
        "%20",
        f"{team}0",
    ):
        both.ask("item", "GET", f"/teams/{spelling}")
    for spelling in (hero.upper(), hero.replace("-", ""), UNKNOWN, "x"):
        both.ask("item", "GET", f"/heroes/{spelling}")
        both.ask("item", "GET", f"/missions/{spelling}")
    for path in (f"/heroes/{hero}", f"/teams/{team}"):
        both.ask("HEAD", "HEAD", path)
        both.ask("OPTIONS", "OPTIONS", path)
        both.ask("redirect", "GET", f"{path}/")
        both.ask("item, conditional", "GET", path, headers={"If-None-Match": '"x"'})


def _walk(both: Both) -> None:
    """Pages one after the other, with writes meanwhile."""
    teams = [key for key, _ in data.teams()]
    for page in range(1, 9):
        exchange = both.ask("page walk", "GET", f"/heroes?order_by=-strength,id&size=100&page={page}")
        rows = json.loads(exchange.monolith.body)["items"]
        if page in (2, 4, 6):
            mission = {
                "id": f"{page:08x}-0000-4000-8000-000000000000",
                "title": "While walking",
                "reward": 101,
                "team_id": teams[page],
            }
            both.ask("create by PUT", "PUT", f"/missions/{mission['id']}", body=mission)
            both.ask("change", "PATCH", f"/heroes/{rows[3]['id']}", body={"strength": 60})
            both.ask("delete", "DELETE", f"/heroes/{rows[5]['id']}")
            both.ask("list", "GET", "/missions?limit=4")


def _changes(both: Both) -> None:
    teams = [key for key, _ in data.teams()]
    for number, team in enumerate((teams[1], teams[2], teams[3].upper())):
        hero = {"name": f"Novo {number}", "team_id": team}
        made = both.ask("create", "POST", "/heroes", body=hero, keep={f"hero{number}": Kept("body.id", RANDOM_ID)})
        assert made.monolith.status == 201
    both.ask("item", "GET", "/heroes/@{hero0}")
    for number in range(3):
        both.ask("delete", "DELETE", f"/heroes/@{{hero{number}}}")
        both.ask("item", "GET", f"/heroes/@{{hero{number}}}")
    new = {"name": "Nova", "headquarters": "Beja"}
    both.ask("create", "POST", "/teams", body=new, keep={"team": Kept("body.id", RANDOM_ID)})
    both.ask("change", "PATCH", "/teams/@{team}", body={"headquarters": "Serpa"})
    both.ask("delete", "DELETE", "/teams/@{team}")
    both.ask("item", "GET", "/teams/@{team}")
    mission = {"id": "ffffffff-0000-4000-8000-000000000000", "title": "Last", "reward": 7, "team_id": teams[9]}
    for _ in range(2):
        both.ask("create by PUT", "PUT", f"/missions/{mission['id']}", body=mission)
    both.ask("item", "GET", f"/missions/{mission['id']}")
    both.ask("list", "GET", "/missions?offset=1400&limit=100")
    both.ask("delete", "DELETE", f"/missions/{mission['id']}")
    both.ask("delete", "DELETE", f"/missions/{mission['id']}")
    for team in teams[20:23]:
        both.ask("change", "PATCH", f"/teams/{team}", body={"name": "Renamed"})
        both.ask("list", "GET", "/teams?name__ilike=renamed")


def _refusals(both: Both) -> None:
    team, hero = next(data.teams())[0], data.heroes()[1]
    json_type = {"Content-Type": "application/json"}
    bodies: tuple[object, ...] = (
        {"team_id": team},
        {"name": "", "team_id": team},
        {"name": "x" * 61, "team_id": team},
        {"name": "x", "age": -1, "team_id": team},
        {"name": "x", "age": "old", "team_id": team},
        {"name": "x", "team_id": "nope"},
        {"name": "x", "team_id": UNKNOWN},
        {"name": "x"},
        {},
        [],
        "text",
    )
    for body in bodies:
        both.ask("create, refused", "POST", "/heroes", body=json.dumps(body), headers=json_type)
    both.ask("create, refused", "POST", "/heroes", body="{", headers=json_type)
    both.ask("create, refused", "POST", "/heroes", body='{"name":"x","team_id":', headers=json_type)
    both.ask(
        "create, refused",
        "POST",
        "/heroes",
        body="name=x",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    both.ask("create, refused", "POST", "/heroes")
    both.ask("create, refused", "POST", "/teams", body={"name": "x"})
    both.ask("create, refused", "POST", "/teams", body={"name": "", "headquarters": "y"})
    both.ask("create, refused", "POST", "/teams", body="{", headers=json_type)
    both.ask("change, refused", "PATCH", f"/heroes/{hero}", body={"name": 7})
    both.ask("change, refused", "PATCH", f"/heroes/{UNKNOWN}", body={"name": "x"})
    both.ask("change, refused", "PATCH", "/heroes/nope", body={"name": "x"})
    both.ask("delete, refused", "DELETE", f"/heroes/{UNKNOWN}")
    both.ask("delete, refused", "DELETE", "/teams/nope")
    for method in ("DELETE", "PUT", "PATCH"):
        both.ask("refused", method, "/heroes")
    both.ask("refused", "POST", f"/heroes/{hero}", body={})


def _others(both: Both) -> None:
    for path in ("/openapi.json", "/docs", "/redoc", "/", "/nothing", "/nothing/", "/heroes/count/"):
        both.ask("other", "GET", path)
    cors = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"}
    both.ask("OPTIONS", "OPTIONS", "/heroes", headers=cors)
