"""PocketBase, as its own program is built: collections by page number, with sort, filter, fields and expand."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import ClassVar
from urllib.parse import urlencode

from proof.strangers import installing
from proof.strangers.application import Application, Command, Instance
from proof.strangers.both import Both, Kept, Nature
from proof.strangers.example import module

data = module("pocketbase", "shop_data")

CLOCK = Nature("PocketBase writes the time at which it makes or changes a record.")
RANDOM_ID = Nature("PocketBase draws the id of a new record by chance.")
CHANCE = Nature("PocketBase sorts by @random by chance.")

SHOP_KEYS = ("id", "name", "city", "opened")
ARTICLE_KEYS = ("id", "shop", "title", "price", "stock", "active", "created", "updated")
REVIEW_KEYS = ("id", "shop", "stars", "text")
ALL = (("shops", SHOP_KEYS), ("articles", ARTICLE_KEYS), ("articles", ARTICLE_KEYS), ("reviews", REVIEW_KEYS))


def of(collection: str) -> str:
    """The path of a collection's records."""
    return f"/api/collections/{collection}/records"


class PocketBase(Application):
    """Shops, their articles and reviews."""

    name = "pocketbase"
    title = "PocketBase 0.36.8"
    ready = "/api/health"
    ready_timeout_s: ClassVar[float] = 60.0

    @property
    def _program(self) -> Path:
        return self.cache / "base"

    def install(self) -> None:
        """Built by Go from its module; then the collections are made by the example's migration."""
        go = installing.program("go", "Go is not on this machine")
        program = self.example / "program.txt"
        migration = next((self.example / "pb_migrations").glob("*.js"))

        def make() -> None:
            self.cache.mkdir(parents=True)
            environment = {"GOBIN": str(self.cache), "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
            installing.run([go, "install", program.read_text().strip()], environment=environment)
            made = ["migrate", "up", "--dir", str(self.cache / "pb_data"), "--migrationsDir", str(migration.parent)]
            installing.run([str(self._program), *made])

        installing.once(self.cache, [migration, program], make)

    def prepare(self, instance: Instance) -> None:
        """The database with the collections, and the rows in it."""
        shutil.copytree(self.cache / "pb_data", instance.folder / "pb_data")
        data.write(instance.shards, instance.folder / "pb_data" / "data.db")

    def command(self, instance: Instance) -> Command:
        """Without hooks and further migrations."""
        words = [str(self._program), "serve", "--http", f"127.0.0.1:{instance.port}", "--dir", "pb_data"]
        return Command([*words, "--hooksWatch=false", "--automigrate=false"])

    def ask(self, both: Both, chance: Random) -> None:
        """By its documentation, action by action."""
        _lists(both, chance)
        _odd(both)
        _items(both, chance)
        _walk(both)
        _changes(both)
        _refusals(both)
        _others(both)


def _target(collection: str, parameters: Sequence[tuple[str, str]]) -> str:
    return f"{of(collection)}?{urlencode(parameters)}" if parameters else of(collection)


FILTERS = {
    "shops": ("city='Lisboa'", "opened>2000", "name~'Casa' && opened<1950", "city='Faro'"),
    "articles": (
        "active=true",
        "price>80 && stock<5",
        "shop.city='Porto'",
        "title~'vinho'",
        "created>='2025-06-01' && created<'2025-07-01'",
        "(price<10 || price>90) && active=false",
        "shop='lis000000000007'",
    ),
    "reviews": ("stars=5", "text=''", "stars<3 && shop.city!='Braga'", "text~'%'"),
}


def _lists(both: Both, chance: Random) -> None:
    for _ in range(both.some(130)):
        collection, keys = chance.choice(ALL)
        parameters: list[tuple[str, str]] = []
        if chance.random() < 0.8:
            parameters.append(("perPage", str(chance.choice((1, 5, 17, 30, 100, 500)))))
        if chance.random() < 0.7:
            parameters.append(("page", str(chance.choice((1, 2, 3, 8, 21, 60, 300)))))
        if chance.random() < 0.7:
            chosen = chance.sample(keys, chance.randrange(1, 4))
            parameters.append(("sort", ",".join(chance.choice(("", "-")) + key for key in chosen)))
        if chance.random() < 0.3:
            parameters.append(("filter", f"({chance.choice(FILTERS[collection])})"))
        if chance.random() < 0.2:
            parameters.append(("fields", ",".join(chance.sample(keys, chance.randrange(1, 4)))))
        elif collection != "shops" and chance.random() < 0.2:
            parameters.append(("expand", "shop"))
        if chance.random() < 0.15:
            parameters.append(("skipTotal", chance.choice(("1", "true", "0", "false"))))
        chance.shuffle(parameters)
        both.ask("list", "GET", _target(collection, parameters))
    for collection, _ in ALL[1:]:
        both.ask("list", "GET", of(collection))
        both.ask("HEAD", "HEAD", of(collection))
        both.ask("HEAD", "HEAD", f"{of(collection)}?perPage=3&sort=-id")
        both.ask("OPTIONS", "OPTIONS", of(collection))
    both.ask("list by its id", "GET", f"{of('pbc_4287850865')}?perPage=3")
    both.ask("list by its id", "GET", f"{of('Articles')}?perPage=3&page=2")
    both.ask("list, another origin", "GET", f"{of('shops')}?perPage=2", headers={"Origin": "https://shop.example"})


def _odd(both: Both) -> None:
    for query in (
        "page=0",
        "page=-3",
        "page=x",
        "page=",
        "page=1.5",
        "page=%2B2",
        "page=02",
        "page=99999999999999999999",
        "page=900719925474",
        "perPage=0",
        "perPage=-1",
        "perPage=x",
        "perPage=",
        "perPage=1000",
        "perPage=1001",
        "perPage=99999&page=2",
        "perPage=3&perPage=4",
        "page=2&page=3",
        "PerPage=3",
        "per_page=3",
        "limit=3",
        "sort=",
        "sort=nope",
        "sort=-nope,title",
        "sort=%2Btitle&perPage=5",
        "sort=title,-title&perPage=5",
        "sort=%20title%20,id&perPage=5",
        "sort=title,&perPage=5",
        "sort=Title&perPage=5",
        "sort=-price&sort=title&perPage=5",
        "filter=nope",
        "filter=price>",
        "filter=(price>50%26%26",
        "filter=price>50&filter=price<3",
        "filter=",
        "fields=nope",
        "fields=",
        "fields=*",
        "fields=id,%20title",
        "fields=id,nope,title&perPage=4",
        "expand=nope&perPage=3",
        "expand=shop&fields=id,expand.shop.name&perPage=3",
        "skipTotal=maybe",
        "skipTotal=0&perPage=2",
        "skipTotal=1&perPage=2&page=900",
        "skipTotal=&perPage=2",
        "nothing=at&all=1&perPage=2",
    ):
        both.ask("list, odd or bad parameters", "GET", f"{of('articles')}?{query}")


def _items(both: Both, chance: Random) -> None:
    for _ in range(both.some(20)):
        both.ask("item", "GET", f"{of('articles')}/a{chance.randrange(1, data.ARTICLES + 60):014}")
        both.ask("item", "GET", f"{of('shops')}/{chance.choice(sorted(data.NAMES))}{chance.randrange(1, 370):012}")
    some = f"{of('articles')}/a00000000000017"
    for query in ("expand=shop", "fields=id,title", "fields=id,expand.shop.city&expand=shop", "fields=nope", "page=3"):
        both.ask("item", "GET", f"{some}?{query}")
    for identity in ("nope", "xyz000000000001", "%20", "A00000000000017", "lis"):
        both.ask("item", "GET", f"{of('articles')}/{identity}")
        both.ask("item", "GET", f"{of('shops')}/{identity}")
    for target in (some, f"{of('shops')}/por000000000002"):
        both.ask("HEAD", "HEAD", target)
        both.ask("OPTIONS", "OPTIONS", target)
        both.ask("item, conditional", "GET", target, headers={"If-None-Match": '"x"'})


def _walk(both: Both) -> None:
    """Pages one after the other, with writes meanwhile."""
    for page in range(1, 8):
        exchange = both.ask("page walk", "GET", f"{of('reviews')}?sort=-stars,id&perPage=260&page={page}")
        rows = json.loads(exchange.monolith.body)["items"]
        if page in (2, 4, 6):
            review = {"id": f"r{90000 + page:014}", "shop": f"lis{page:012}", "stars": 5, "text": "While walking"}
            both.ask("create", "POST", of("reviews"), body=review)
            both.ask("change", "PATCH", f"{of('reviews')}/{rows[3]['id']}", body={"stars": 1})
            both.ask("delete", "DELETE", f"{of('reviews')}/{rows[5]['id']}")


def _changes(both: Both) -> None:
    for number, prefix in enumerate(("lis", "por", "bra"), 1):
        shop = f"{prefix}{9000 + number:012}"
        both.ask("create", "POST", of("shops"), body={"id": shop, "name": "Nova", "city": "X", "opened": 2025})
        both.ask("create, refused", "POST", of("shops"), body={"id": shop, "name": "Nova"})
        both.ask("change", "PATCH", f"{of('shops')}/{shop}", body={"opened": 2024, "nothing": 1})
        both.ask("change", "PATCH", f"{of('shops')}/{shop}", body={"opened+": 3})
        both.ask("change, refused", "PATCH", f"{of('shops')}/{shop}", body={"name": ""})
        review = f"r{8000 + number:014}"
        both.ask("create", "POST", of("reviews"), body={"id": review, "shop": shop, "stars": 4, "text": "Olá"})
        both.ask("create, refused", "POST", of("reviews"), body={"id": review, "shop": shop, "stars": 4})
        both.ask("item", "GET", f"{of('reviews')}/{review}?expand=shop")
        both.ask("list", "GET", f"{of('reviews')}?sort=-id&perPage=5")
        both.ask("list", "GET", f"{of('shops')}?sort=-opened,-id&perPage=5")
        both.ask("delete, refused", "DELETE", f"{of('shops')}/{shop}")
        both.ask("delete", "DELETE", f"{of('reviews')}/{review}")
        both.ask("delete", "DELETE", f"{of('reviews')}/{review}")
        both.ask("delete", "DELETE", f"{of('shops')}/{shop}")
        both.ask("item", "GET", f"{of('shops')}/{shop}")
    article = {"shop": "por000000000009", "title": "Novo", "price": 2.5}
    clock = {"created": Kept("body.created", CLOCK), "updated": Kept("body.updated", CLOCK)}
    dear = {"shop": "por000000000009", "title": "x", "price": "dear"}
    both.ask("create", "POST", of("articles"), body=dear, keep={"dear": Kept("body.id", RANDOM_ID), **clock})
    both.ask("delete", "DELETE", f"{of('articles')}/@{{dear}}")
    made = both.ask("create", "POST", of("articles"), body=article, keep={"new": Kept("body.id", RANDOM_ID), **clock})
    assert made.monolith.status == 200
    both.ask("item", "GET", f"{of('articles')}/@{{new}}")
    changed = {"updated": Kept("body.updated", CLOCK)}
    both.ask("change", "PATCH", f"{of('articles')}/@{{new}}", body={"price": 3}, keep=changed)
    both.ask("delete", "DELETE", f"{of('articles')}/@{{new}}")
    both.ask("list", "GET", f"{of('articles')}?sort=-created&perPage=3")


def _refusals(both: Both) -> None:
    json_type = {"Content-Type": "application/json"}
    articles = of("articles")
    for body in (
        {"shop": "lis000000000001", "title": ""},
        {"shop": "lis000000000001", "title": "x", "price": -1},
        {"shop": "xyz000000000001", "title": "x"},
        {"shop": "lis000000999999", "title": "x"},
        {"shop": "", "title": "x"},
        {"title": "x"},
        {"shop": "lis000000000001", "title": "x", "id": "short"},
        {},
    ):
        both.ask("create, refused", "POST", articles, body=body)
    both.ask("create, refused", "POST", articles, body="{", headers=json_type)
    both.ask("create, refused", "POST", articles, body="[]", headers=json_type)
    both.ask("create, refused", "POST", articles, body="")
    both.ask("change, refused", "PATCH", f"{articles}/a00000000000001", body={"shop": "nope"})
    both.ask("change, refused", "PATCH", f"{articles}/a00000000000001", body="{", headers=json_type)
    both.ask("change, refused", "PATCH", f"{articles}/nope", body={"price": 1})
    both.ask("delete, refused", "DELETE", f"{articles}/nope")
    both.ask("refused", "DELETE", articles)
    both.ask("refused", "PUT", f"{articles}/a00000000000001", body={})


def _others(both: Both) -> None:
    for path in (
        "/api/health",
        "/api/settings",
        "/api/collections",
        "/api/collections/shops",
        "/api/collections/nope/records",
        "/api/collections/users/records",
        "/api/nothing",
        "/",
        "/api/files/articles/a00000000000001/nope.png",
    ):
        both.ask("other", "GET", path)
    both.ask("other", "POST", "/api/batch", body={"requests": []})
    login = {"identity": "nobody@example.org", "password": "wrong"}
    both.ask("other", "POST", "/api/collections/users/auth-with-password", body=login)
    both.ask(
        "OPTIONS",
        "OPTIONS",
        of("articles"),
        headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "PATCH"},
    )
