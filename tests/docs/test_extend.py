"""The how-to of plug-ins: its classes and rules, as they stand there, before two real shards."""

import inspect
import json
import re
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from shardgate import extend
from tests.cluster import Asked, Gateway, Shard, reply

ROOT = Path(__file__).resolve().parents[2]
HOWTO = (ROOT / "docs/howto/extend.md").read_text()
TEMPLATE = ROOT / "templates/plugin"
PYTHON, YAML, TOML = (re.findall(rf"```{kind}\n(.*?)```", HOWTO, re.DOTALL) for kind in ("python", "yaml", "toml"))
FILES = dict(zip(("cheapest", "ranges", "ranged"), PYTHON, strict=True))

StartShard = Callable[..., Awaitable[Shard]]
StartGateway = Callable[..., Awaitable[Gateway]]


def of_the_shop(offer: str, products: list[int]) -> Callable[[Asked], bytes]:
    """An instance of the application that the how-to speaks of."""

    def answer(asked: Asked) -> bytes:
        target = urlsplit(asked.line.split()[1])
        if target.path == "/offers/best":
            return reply(offer)
        if target.path == "/products":
            values = {name: int(said[0]) for name, said in parse_qs(target.query).items()}
            first, many = values.get("skip", 0), values.get("take", 20)
            items = [{"id": number} for number in products[first : first + many]]
            stated = f"{first}-{first + len(items) - 1}/{len(products)}" if items else f"*/{len(products)}"
            return reply(json.dumps({"range": stated, "items": items}))
        number = int(target.path.rpartition("/")[2])
        found = number in products
        return reply(json.dumps({"id": number}), status="200 OK" if found else "404 Not Found")

    return answer


NORTH = ('{"price":12.5,"shop":"a"}', [1, 4, 999])
SOUTH = ('{"price":9,"shop":"b"}', [1000, 1002])


async def see_the_shop(gateway: Gateway, shards: dict[str, Shard]) -> None:
    """What the three plug-ins decide is right."""
    assert (await gateway.get("/offers/best")).json() == {"price": 9, "shop": "b"}
    page = await gateway.get("/products?skip=2&take=2")
    assert page.json() == {"range": "2-3/5", "items": [{"id": 999}, {"id": 1000}]}
    for shard in shards.values():
        shard.asked.clear()
    assert (await gateway.get("/products/1002")).json() == {"id": 1002}
    assert {name: len(shard.asked) for name, shard in shards.items()} == {"north": 0, "south": 1}


async def shop(start_shard: StartShard) -> dict[str, Shard]:
    return {"north": await start_shard(of_the_shop(*NORTH)), "south": await start_shard(of_the_shop(*SOUTH))}


def config_of(blocks: list[str], shards: dict[str, Shard]) -> dict[str, Any]:
    """Blocks of YAML as one configuration."""
    config: dict[str, Any] = {"shards": {name: shard.url for name, shard in shards.items()}}
    for block in blocks:
        for section, entries in yaml.safe_load(block).items():
            config.setdefault(section, {}).update(entries)
    return config


async def test_the_files_of_the_how_to_serve_as_the_how_to_names_them(
    start_shard: StartShard, start_gateway: StartGateway, tmp_path: Path
) -> None:
    for name, code in FILES.items():
        (tmp_path / f"{name}.py").write_text(code)
    shards = await shop(start_shard)
    gateway = await start_gateway(config_of(YAML[:3], shards))
    await see_the_shop(gateway, shards)


async def test_a_reply_that_a_merge_cannot_read_is_a_502(
    start_shard: StartShard, start_gateway: StartGateway, tmp_path: Path
) -> None:
    (tmp_path / "cheapest.py").write_text(FILES["cheapest"])
    shards = {name: await start_shard(lambda _: reply('{"shop":"c"}')) for name in ("north", "south")}
    gateway = await start_gateway(config_of(YAML[:1], shards))
    answer = await gateway.get("/offers/best")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")


@pytest.mark.parametrize("name", FILES)
def test_the_template_has_the_classes_of_the_how_to(name: str) -> None:
    assert (TEMPLATE / f"src/shop_plugins/{name}.py").read_text() == FILES[name]


def test_the_entry_points_of_the_how_to_are_those_of_the_template() -> None:
    (block,) = TOML
    project = tomllib.loads((TEMPLATE / "pyproject.toml").read_text())["project"]
    assert tomllib.loads(block)["project"]["entry-points"] == project["entry-points"]


@pytest.mark.parametrize("name", extend.__all__)
def test_every_name_that_a_plug_in_may_import_is_documented(name: str) -> None:
    value = getattr(extend, name)
    of = value if inspect.isclass(value) or inspect.isfunction(value) else type(value)
    assert "__doc__" in vars(of) or inspect.isfunction(of)
    assert inspect.getdoc(of), f"{name} has no docstring"
    assert f"`{name}`" in HOWTO


def test_the_how_to_imports_only_what_is_promised() -> None:
    for code in FILES.values():
        assert set(re.findall(r"from (shardgate\S*) import", code)) == {"shardgate.extend"}
        (names,) = re.findall(r"from shardgate\.extend import (.*)", code)
        assert set(names.split(", ")) <= set(extend.__all__)
