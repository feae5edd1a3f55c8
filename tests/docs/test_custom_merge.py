"""The how-to's own class and rule, as they stand there, before two real shards."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import ConfigError, load
from tests.cluster import reply

HOWTO = (Path(__file__).resolve().parent.parent.parent / "docs/howto/custom-merge.md").read_text()
RULE, CODE = (re.findall(rf"```{kind}\n(.*?)```", HOWTO, re.DOTALL)[0] for kind in ("yaml", "python"))


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the how-to, on the path."""
    (tmp_path / "shop_merges.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("shop_merges", None)


@pytest.mark.usefixtures("importable")
async def test_the_class_of_the_how_to_is_the_merge(start_shard: Any, start_gateway: Any) -> None:
    offers = ['{"price":12.5,"shop":"a"}', '{"price":9,"shop":"b"}']
    shards = [await start_shard(lambda _, body=body: reply(body)) for body in offers]
    gateway = await start_gateway({"shards": {f"s{n}": s.url for n, s in enumerate(shards)}, **yaml.safe_load(RULE)})
    assert (await gateway.get("/stock/cheapest")).text == offers[1]
    offers[1] = '{"shop":"b"}'
    shards[1].asked.clear()
    broken = await start_shard(lambda _: reply('{"shop":"c"}'))
    gateway = await start_gateway({"shards": {"a": shards[0].url, "c": broken.url}, **yaml.safe_load(RULE)})
    answer = await gateway.get("/stock/cheapest")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")


@pytest.mark.usefixtures("importable")
@pytest.mark.parametrize(
    ("class_", "options", "said"),
    [
        ("shop_merges", {}, "'shop_merges' names no class; write it as `package.module:Class`"),
        ("no_such_module:A", {}, "no_such_module cannot be imported: ModuleNotFoundError"),
        ("shop_merges:Dearest", {}, "shop_merges has no class 'Dearest'"),
        ("shop_merges:__name__", {}, "shop_merges has no class '__name__'"),
        ("json:JSONDecoder", {}, "json:JSONDecoder is no merge: it has no begin and no describe"),
        ("shop_merges:Cheapest", {}, "does not take these options: they lack `by`"),
        (
            "shop_merges:Cheapest",
            {"by": 7},
            "does not take these options: expected text, got a whole number at `options.by`",
        ),
        ("shop_merges:Cheapest", {"by": "a", "of": "b"}, "does not take these options: the class has no field `of`"),
    ],
)
def test_a_class_that_cannot_be_used_is_a_mistake_of_the_configuration(
    tmp_path: Path, class_: str, options: dict[str, Any], said: str
) -> None:
    merge = {"kind": "custom", "class": class_, "options": options}
    config = {"shards": {"a": "http://127.0.0.1:1"}, "rules": {"GET /x": {"rule": "gather", "merge": merge}}}
    (tmp_path / "shardgate.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "shardgate.yaml")
    assert said.lower() in str(caught.value).lower()
    assert "rules.GET /x.merge" in str(caught.value)


def test_a_module_that_fails_when_it_is_imported_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaks_at_once.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(str(tmp_path))
    merge = {"kind": "custom", "class": "breaks_at_once:A"}
    config = {"shards": {"a": "http://127.0.0.1:1"}, "rules": {"GET /x": {"rule": "gather", "merge": merge}}}
    (tmp_path / "shardgate.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError, match="ZeroDivisionError: division by zero"):
        load(tmp_path / "shardgate.yaml")
