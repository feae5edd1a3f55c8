"""Django REST framework with its three paginations, ordering, search and filters; its database is cut by `split`."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

from proof.strangers import installing
from proof.strangers.application import MONOLITH, Application, Command, Instance
from proof.strangers.both import Both, Kept, Nature

Parameters = list[tuple[str, str]]

COUNTED_ID = Nature("The database of each instance counts ids of its own.")
RANDOM_ID = Nature("Django draws the UUID of a new row by chance.")
CLOCK = Nature("Django writes the time at which it made the row.")
CURSOR = Nature(
    "A cursor is opaque, and the gateway gives one of its own, which grows too old: a page with one has no validators.",
    normal=lambda reply: reply.without("etag"),
)
WRITES_304 = Nature(
    "The gateway compares the tags of merged lists itself. Its 304 has the fields of the 200, Django's some of them.",
    normal=lambda reply: reply.status == 304 and reply.only("etag", "vary", "referrer-policy"),
)
NO_SHARD_HAS_BOTH = Nature(
    "django-filter takes a value only where its database has the row; no shard has the rows of both values.",
    normal=lambda reply: reply.status in {200, 400} and (b'"count":0' in reply.body or b"Select a valid" in reply.body),
)

TOKEN = {"Authorization": "Token 3f2b9c54a1d0e6f7"}
REFERENCE = (
    "auth_group,auth_group_permissions,auth_permission,auth_user,auth_user_groups,auth_user_user_permissions,"
    "authtoken_token,django_content_type,django_migrations"
)
STORES, PRODUCTS, ORDERS = 1020, 1500, 1500
STORE_KEYS = ("id", "name", "city", "opened", "active")
PRODUCT_KEYS = ("sku", "name", "price", "stock", "rating")
ORDER_KEYS = ("id", "quantity", "status", "placed")
CITIES = ("Lisboa", "Porto", "Braga", "Évora", "Coimbra")


class Drf(Application):
    """The project of the example, served by gunicorn."""

    name = "drf"
    title = "Django REST framework 3.18 on SQLite"
    ready = "/stores/1/"

    def install(self) -> None:
        """From PyPI; then seeded, and cut by `shardgate split`."""
        self._python = installing.python_environment(self.cache / "venv", self.example / "requirements.txt")
        sources = sorted(self.example.glob("shop/**/*.py"))
        installing.once(self.cache / "data", [*sources, self.example / "requirements.txt"], self._make_data)

    def _make_data(self) -> None:
        folder = self.cache / "data"
        (folder / "shards").mkdir(parents=True)
        whole = folder / f"{MONOLITH}.db"
        for words in (["migrate", "-v0"], ["seed"]):
            manage = [self._python, str(self.example / "manage.py"), *words]
            installing.run(manage, environment={"SHOP_DB": str(whole), "PYTHONDONTWRITEBYTECODE": "1"})
        split = [sys.executable, "-m", "shardgate", "split", "--source", f"sqlite:///{whole}", "--tenant", "shop_store"]
        split += ["--names", ",".join(self.shards), "--into-template", f"sqlite:///{folder}/{{shard}}.db"]
        split += ["--reference", REFERENCE, "--ids", "range=1000000", "--directory", str(folder / "directory.db")]
        installing.run(split)

    def prepare(self, instance: Instance) -> None:
        """A copy of its database."""
        shutil.copy(self.cache / "data" / f"{instance.name}.db", instance.folder / "shop.db")

    def prepare_gateway(self, folder: Path) -> None:
        """The directory that `split` wrote, and a secret for cursors."""
        shutil.copy(self.cache / "data" / "directory.db", folder)
        (folder / "cursors.secret").touch(mode=0o600)
        (folder / "cursors.secret").write_text(token_hex(32))

    def command(self, instance: Instance) -> Command:
        """One worker with some threads, so that connections can stay."""
        words = [self._python, "-m", "gunicorn", "shop.wsgi", "--chdir", str(self.example)]
        words += ["--bind", f"127.0.0.1:{instance.port}", "--threads", "4", "--keep-alive", "60"]
        database = str(instance.folder / "shop.db")
        return Command(words, {"SHOP_DB": database, "PYTHONDONTWRITEBYTECODE": "1"})

    def ask(self, both: Both, chance: Random) -> None:
        """By its documentation: pagination, filtering, then every method of a view set."""
        _lists(both, chance)
        _odd(both)
        _items(both, chance)
        _described(both)
        _conditional(both)
        _walk_of_pages(both)
        _walk_of_slices(both)
        _walk_of_cursors(both)
        _products(both)
        _orders(both)
        _reviews(both)
        _stores(both)
        _refusals(both)


def _lists(both: Both, chance: Random) -> None:
    for _ in range(both.some(200)):
        paged = [("page", str(chance.choice((1, 2, 3, 9)))), ("page_size", str(chance.choice((5, 20, 50, 100))))]
        both.ask("list by page", "GET", _target("/products/", chance, _of_products(chance), PRODUCT_KEYS, paged))
    for _ in range(both.some(130)):
        paged = [("page", str(chance.choice((1, 2, 5, 11)))), ("page_size", str(chance.choice((7, 30, 100))))]
        both.ask("list by page", "GET", _target("/stores/", chance, _of_stores(chance), STORE_KEYS, paged))
    for _ in range(both.some(230)):
        limit, offset = chance.choice((1, 10, 40, 100)), chance.choice((0, 5, 60, ORDERS // 2, ORDERS - 3))
        paged = [("limit", str(limit)), ("offset", str(offset))]
        target = _target("/orders/", chance, _of_orders(chance), ORDER_KEYS, paged)
        two = "store=" in target and "product=" in target
        both.ask("list by offset", "GET", target, unlike=[NO_SHARD_HAS_BOTH] if two else ())
    for path in ("/stores/", "/products/", "/orders/"):
        both.ask("list", "GET", path)
        both.ask("HEAD", "HEAD", path)
    both.ask("root", "GET", "/")


def _odd(both: Both) -> None:
    """What a client may write, and REST framework reads in its own way."""
    for query in (
        "page=0",
        "page=-1",
        "page=x",
        "page=",
        "page=1.5",
        "page=%2B2",
        "page=02",
        "page=75",
        "page=76",
        "page=last",
        "page=last&page_size=100",
        "page_size=0",
        "page_size=-5",
        "page_size=x",
        "page_size=",
        "page_size=500",
        "page_size=500&page=2",
        "page_size=7&page=215",
        "page_size=7&page=216",
        "page=2&page=3",
        "Page=3",
        "page[]=3",
        "ordering=",
        "ordering=unknown",
        "ordering=unknown,-price",
        "ordering=-unknown",
        "ordering=price,price",
        "ordering=%20price%20,%20name",
        "ordering=PRICE",
        "ordering=-name,sku",
        "ordering=-sku",
        "price__gte=abc",
        "price__gte=5&price__lte=4",
        "price__gte=",
        "store=99999",
        "store=x",
        "store=17",
        "store=17&page=2",
        "store=17&store=18",
        "name__icontains=TEA",
        "rating__isnull=true&ordering=-rating",
        "rating__isnull=maybe",
        "nothing=7",
        "search=",
        "search=tea",
        "search=tea,honey",
        "search=zzz",
        "format=json",
        "format=xml",
        "price=9.5",
    ):
        both.ask("odd", "GET", f"/products/?{query}")
    for query in (
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1000",
        "limit=5&offset=-1",
        "limit=5&offset=x",
        "limit=5&offset=",
        "limit=5&offset=100000",
        "offset=1499",
        "offset=1500",
        "offset=30",
        "limit=5&offset=3",
        "limit=5&limit=6",
        "limit=5&offset=2&page=4",
        "status=nope",
        "status=paid&limit=3",
        "status__in=paid,sent&limit=3&ordering=-placed",
        "status__in=paid,nope",
        "product=sku-00007",
        "product=sku-99999",
        "placed__gte=2026-03-01",
        "placed__gte=yesterday",
        "placed__lte=2026-01-03T10:00:00Z&ordering=placed",
        "quantity__gte=3.5",
        "ordering=-status,placed&limit=9",
    ):
        both.ask("odd", "GET", f"/orders/?{query}")
    for query in (
        "cursor=x",
        "stars=9",
        "stars=x",
        "store=99999",
        "store=x",
        "stars=5&store=3",
    ):
        both.ask("odd", "GET", f"/reviews/?{query}")


def _items(both: Both, chance: Random) -> None:
    for _ in range(both.some(35)):
        both.ask("item", "GET", f"/stores/{chance.randrange(1, STORES + 1)}/")
        both.ask("item", "GET", f"/products/sku-{chance.randrange(1, PRODUCTS + 1):05}/")
        both.ask("item", "GET", f"/orders/{chance.randrange(1, ORDERS + 1)}/")
    for target in (
        "/stores/99999/",
        "/stores/x/",
        "/stores/007/",
        "/stores/-1/",
        "/products/none/",
        "/products/SKU-00001/",
        "/orders/99999/",
        "/orders/x/",
        "/orders/0/",
        "/reviews/x/",
        "/reviews/00000000-0000-4000-8000-000000000000/",
    ):
        both.ask("unknown id", "GET", target)
    for target in ("/stores/3", "/products/sku-00003", "/orders", "/stores"):
        both.ask("redirect", "GET", target)


def _described(both: Both) -> None:
    for target in (
        "/stores/",
        "/products/",
        "/orders/",
        "/reviews/",
        "/stores/3/",
        "/products/sku-00003/",
        "/orders/3/",
    ):
        both.ask("OPTIONS", "OPTIONS", target)
        both.ask("OPTIONS", "OPTIONS", target, headers=TOKEN)
    for target in ("/stores/3/", "/products/sku-00003/", "/orders/3/", "/orders/?limit=2", "/stores/?page=2"):
        both.ask("HEAD", "HEAD", target)


def _conditional(both: Both) -> None:
    for target in (
        "/stores/3/",
        "/products/sku-00003/",
        "/products/?page=2",
        "/orders/?limit=3",
    ):
        both.ask("conditional", "GET", target, keep={"tag": Kept("header.etag", COUNTED_ID)})
        for known in ("@{tag}", '"other", @{tag}', "*"):
            both.ask("conditional", "GET", target, headers={"If-None-Match": known}, unlike=[WRITES_304])
        both.ask("conditional", "GET", target, headers={"If-None-Match": '"other"'})
        both.ask("conditional", "HEAD", target, headers={"If-None-Match": "@{tag}"})


def _walk_of_pages(both: Both) -> None:
    """By `next`, while products come and go."""
    target = "/products/?ordering=-price&page_size=100&name__icontains=tea"
    for step in range(12):
        page = both.ask("walk by page", "GET", target)
        if step in {1, 4}:
            made = _product(f"sku-9000{step}", 7) | {"name": "Iced tea", "price": "12.00"}
            both.ask("create", "POST", "/products/", body=made, headers=TOKEN)
        if step == 2:
            both.ask("delete", "DELETE", "/products/sku-90001/", headers=TOKEN)
        if (following := page.member("body.next")) is None:
            break
        target = following
    both.ask("delete", "DELETE", "/products/sku-90004/", headers=TOKEN)


def _walk_of_slices(both: Both) -> None:
    """By `next`, and by `previous` back, while orders change."""
    target = "/orders/?ordering=quantity,placed&limit=100&status=paid"
    for step in range(14):
        page = both.ask("walk by offset", "GET", target)
        if step == 1:
            both.ask("change", "PATCH", "/orders/12/", body={"status": "paid", "quantity": 1}, headers=TOKEN)
        if step == 3:
            both.ask("change", "PATCH", "/orders/14/", body={"quantity": 19}, headers=TOKEN)
        if (following := page.member("body.next" if step < 7 else "body.previous")) is None:
            break
        target = following


def _walk_of_cursors(both: Both) -> None:
    """By `next`; each page has an opaque link."""
    keep = {"next": Kept("body.next", CURSOR), "previous": Kept("body.previous", CURSOR)}
    page = both.ask("walk by cursor", "GET", "/reviews/?page_size=60", keep=keep, unlike=[CURSOR])
    for step in range(5):
        if page.member("body.next") is None:
            break
        page = both.ask("walk by cursor", "GET", "@{next}", keep=keep, unlike=[CURSOR])
        if step == 2:
            both.ask("walk by cursor", "GET", "@{previous}", keep=keep, unlike=[CURSOR])
    for query in ("page_size=500", "ordering=stars", "created=1", "cursor="):
        both.ask("list by cursor", "GET", f"/reviews/?{query}", keep=keep, unlike=[CURSOR])
    for query in ("page_size=0", "page_size=x", "page_size=500", "stars=5", "ordering=stars", "cursor="):
        both.ask("list by cursor", "GET", f"/reviews/?store=17&{query}")
    for store in range(1, both.some(90) + 1):
        both.ask("list by cursor", "GET", f"/reviews/?store={store}")


def _products(both: Both) -> None:
    for number, store in enumerate((1, 2, 7), 1):
        sku = f"sku-8000{number}"
        both.ask("create", "POST", "/products/", body=_product(sku, store), headers=TOKEN)
        both.ask("create", "POST", "/products/", body=_product(sku, store), headers=TOKEN)
        both.ask("item", "GET", f"/products/{sku}/")
        both.ask("list by page", "GET", "/products/?ordering=-sku&page_size=3")
        both.ask("change", "PUT", f"/products/{sku}/", body=_product(sku, store) | {"stock": 3}, headers=TOKEN)
        both.ask("change", "PATCH", f"/products/{sku}/", body={"rating": 4.5, "price": "0.10"}, headers=TOKEN)
        both.ask("list by page", "GET", "/products/?ordering=price&page_size=3")
        both.ask("change", "PATCH", f"/products/{sku}/", body={"rating": None}, headers=TOKEN)
        both.ask("delete", "DELETE", f"/products/{sku}/", headers=TOKEN)
        both.ask("unknown id", "GET", f"/products/{sku}/")
        both.ask("delete", "DELETE", f"/products/{sku}/", headers=TOKEN)
    form = "sku=sku-80009&store=3&name=S%C3%A3o+Jorge+cheese&price=7.5"
    fields = TOKEN | {"Content-Type": "application/x-www-form-urlencoded"}
    both.ask("create", "POST", "/products/", body=form, headers=fields)
    both.ask("item", "GET", "/products/sku-80009/")
    both.ask("delete", "DELETE", "/products/sku-80009/", headers=TOKEN)


def _orders(both: Both) -> None:
    for number in (1, 2, 7):
        product = _at_store(both, number)
        order = {"store": number, "product": product, "quantity": 2, "placed": "2026-06-01T12:00:00Z"}
        keep = {f"order{number}": Kept("body.id", COUNTED_ID)}
        both.ask("create", "POST", "/orders/", body=order, headers=TOKEN, keep=keep)
        one = f"/orders/@{{order{number}}}/"
        both.ask("change", "PATCH", one, body={"status": "sent"}, headers=TOKEN)
        both.ask("change", "PUT", one, body=order | {"status": "bad"}, headers=TOKEN)
        both.ask("delete", "DELETE", one, headers=TOKEN)
        both.ask("unknown id", "GET", one)
    both.ask("list by offset", "GET", "/orders/?limit=4&ordering=-id")


def _at_store(both: Both, store: int) -> str:
    """A product of a store, made if it has none."""
    sku = f"sku-7000{store}"
    both.ask("create", "POST", "/products/", body=_product(sku, store), headers=TOKEN)
    return sku


def _reviews(both: Both) -> None:
    review = {"store": 7, "stars": 5, "text": "“Ótimo”", "created": "2026-05-01T00:00:00Z"}
    both.ask("create", "POST", "/reviews/", body=review, headers=TOKEN, keep={"review": Kept("body.id", RANDOM_ID)})
    both.ask("item", "GET", "/reviews/@{review}/")
    both.ask("change", "PATCH", "/reviews/@{review}/", body={"stars": 6}, headers=TOKEN)
    both.ask("delete", "DELETE", "/reviews/@{review}/", headers=TOKEN)
    both.ask("unknown id", "GET", "/reviews/@{review}/")


def _stores(both: Both) -> None:
    store = {"name": "Loja Nova", "city": "Faro", "opened": "2026-10-05"}
    both.ask("create", "POST", "/stores/", body=store, headers=TOKEN, keep={"store": Kept("body.id", COUNTED_ID)})
    both.ask("item", "GET", "/stores/@{store}/")
    both.ask("create", "POST", "/products/", body=_product("sku-60001", "@{store}"), headers=TOKEN)
    both.ask("list by page", "GET", "/products/?store=@{store}")
    both.ask("change", "PATCH", "/stores/@{store}/", body={"active": False}, headers=TOKEN)
    both.ask("list by page", "GET", "/stores/?city=Faro")
    both.ask("delete", "DELETE", "/stores/@{store}/", headers=TOKEN)
    both.ask("unknown id", "GET", "/products/sku-60001/")
    both.ask("unknown id", "GET", "/stores/@{store}/")


def _refusals(both: Both) -> None:
    both.ask("refusal", "POST", "/products/", body=_product("sku-50001", 7))
    both.ask("refusal", "POST", "/products/", body=_product("sku-50001", 7), headers={"Authorization": "Token wrong"})
    both.ask("refusal", "DELETE", "/stores/3/")
    bad: Sequence[dict[str, Any]] = (
        {},
        {"store": 7},
        _product("sku-50001", 99999),
        _product("sku-50001", "x"),
        _product("sku-50001", None),
        _product("sku-50001", 7) | {"price": "many"},
        _product("sku-50001", 7) | {"stock": -1},
        _product("x" * 30, 7),
    )
    for body in bad:
        both.ask("refusal", "POST", "/products/", body=body, headers=TOKEN)
    both.ask("refusal", "POST", "/products/", body="{", headers=TOKEN | {"Content-Type": "application/json"})
    both.ask("refusal", "POST", "/products/", body="x", headers=TOKEN | {"Content-Type": "text/plain"})
    both.ask("refusal", "POST", "/stores/", body={"name": ""}, headers=TOKEN)
    both.ask("refusal", "DELETE", "/stores/", headers=TOKEN)
    both.ask("refusal", "PUT", "/stores/", headers=TOKEN)
    both.ask("refusal", "POST", "/stores/3/", headers=TOKEN)
    both.ask("refusal", "PATCH", "/products/none/", body={"stock": 1}, headers=TOKEN)
    both.ask("refusal", "PATCH", "/stores/99999/", body={"city": "Faro"}, headers=TOKEN)
    both.ask("refusal", "GET", "/products/", headers={"Accept": "application/xml"})
    both.ask("refusal", "GET", "/stores/3/", headers={"Accept": "application/xml"})
    both.ask("refusal", "GET", "/nothing/")


def _product(sku: str, store: Any) -> dict[str, Any]:
    return {"sku": sku, "store": store, "name": "Chá “verde”", "price": "4.20", "stock": 12, "rating": None}


def _of_products(chance: Random) -> Sequence[Parameters]:
    return (
        [("store", str(chance.randrange(1, STORES)))],
        [("price__gte", str(chance.randrange(1, 30)))],
        [("price__lte", f"{chance.randrange(1, 30)}.50")],
        [("name__icontains", chance.choice(("tea", "oil", "São")))],
        [("rating__isnull", chance.choice(("true", "false")))],
        [("rating__gte", "3.5")],
        [("search", chance.choice(("honey", "sku-000", "a b")))],
    )


def _of_stores(chance: Random) -> Sequence[Parameters]:
    return (
        [("city", chance.choice(CITIES))],
        [("active", chance.choice(("true", "false")))],
        [("opened__gte", f"19{chance.randrange(60, 99)}-01-01")],
        [("search", chance.choice(("Casa", "loja 1", "Évora")))],
    )


def _of_orders(chance: Random) -> Sequence[Parameters]:
    return (
        [("store", str(chance.randrange(1, STORES)))],
        [("product", f"sku-{chance.randrange(1, PRODUCTS):05}")],
        [("status", chance.choice(("open", "paid", "sent")))],
        [("quantity__gte", str(chance.randrange(1, 20)))],
        [("placed__lte", f"2026-0{chance.randrange(1, 6)}-15")],
    )


def _target(path: str, chance: Random, filters: Sequence[Parameters], keys: Sequence[str], paged: Parameters) -> str:
    parameters = [pair for chosen in chance.sample(filters, chance.choice((0, 0, 1, 2))) for pair in chosen]
    parameters += [pair for pair in paged if chance.random() < 0.8]
    if chance.random() < 0.7:
        names = [chance.choice(("", "-")) + key for key in chance.sample(keys, chance.randrange(1, 4))]
        parameters.append(("ordering", ",".join(names)))
    chance.shuffle(parameters)
    return f"{path}?{urlencode(parameters)}".rstrip("?")
