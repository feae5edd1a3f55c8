"""A plug-in that cannot be used is a mistake of the configuration, with its place and its cure."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import ConfigError, Loaded, load
from shardgate.core.locate.custom import CustomLocator
from shardgate.core.merge.custom import CustomMerge
from shardgate.core.rules.gather import Gather
from tests.config.installing import install

SHOP = """\
from __future__ import annotations  # annotations are texts: their names are looked up in the module

from typing import Literal

import msgspec

from shardgate.core.dialect.cursor import Cursor
from shardgate.extend import UNKNOWN, Combining, Known, Listing, Merged, Parameters, Reply, Strategy


class Cheapest(Combining, frozen=True):
    by: str
    ties: Literal["first", "last"] = "first"

    def combine(self, replies: list[Reply]) -> Reply:
        return replies[0]

    def describe(self) -> str:
        return f"the least {self.by}"


class Nameless(Combining, frozen=True):
    pass


class Ranges(Strategy, frozen=True):
    up_to: dict[str, int] = {}

    def pinned(self):
        return self.up_to

    def locate(self, space: str, key: str, known: Known):
        return UNKNOWN


class Waiting(Strategy, frozen=True):
    async def locate(self, space, key, known):
        return UNKNOWN


class Other(Strategy, frozen=True):
    def locate(self, key):
        return UNKNOWN


class Paged(Parameters, frozen=True):
    def open(self, reply: Reply) -> Listing:
        return Listing(reply.body)

    def close(self, merged: Merged) -> Reply:
        return merged.reply


class Endless(Parameters, frozen=True):
    pass


class Mine(Cursor, frozen=True, kw_only=True):
    pass


class Plain:
    def locate(self, space, key, known):
        return UNKNOWN


class Picky(Combining, frozen=True):
    by: str = "x"

    def __post_init__(self):
        if self.by == "refused":
            raise ValueError("nobody sorts by that")
        raise KeyError(self.by)

    def combine(self, replies):
        return replies[0]

    def describe(self):
        return "picky"


class Speechless(Combining, frozen=True):
    def combine(self, replies):
        return replies[0]

    def describe(self):
        return None


class Lost(Strategy, frozen=True):
    def pinned(self):
        raise OSError("no such file")

    def locate(self, space, key, known):
        return UNKNOWN


def function():
    pass
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Modules that a test installs are imported anew by the next."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("shop", "breaks", "other")):
            del sys.modules[name]


def config(**changes: Any) -> dict[str, Any]:
    return {
        "shards": {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"},
        "rules": {"GET /any": {"rule": "any"}},
        **changes,
    }


def loaded(folder: Path, written: dict[str, Any]) -> Loaded:
    (folder / "shardgate.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    return load(folder / "shardgate.yaml")


def mistakes(folder: Path, written: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, written)
    said = [f"{mistake.path}: {mistake.problem} → {mistake.cure}" for mistake in caught.value.mistakes]
    return [line.replace(f"{folder}/", "") for line in said]


def merging(**merge: Any) -> dict[str, Any]:
    return config(rules={"GET /x": {"rule": "gather", "merge": {"kind": "custom", **merge}}})


def locating(**locator: Any) -> dict[str, Any]:
    one = {"rule": "one", "key": "path.id", "locate": "x"}
    return config(locators={"x": [{"kind": "custom", **locator}]}, rules={"GET /x/{id}": one})


def paging(**dialect: Any) -> dict[str, Any]:
    merge = {"kind": "list", "keys": {"id": "text"}, "dialect": "x"}
    return config(dialects={"x": {"kind": "custom", **dialect}}, rules={"GET /x": {"rule": "gather", "merge": merge}})


@pytest.mark.parametrize(
    ("class_", "said"),
    [
        ("shop", ".class: 'shop' names no class → write it as `package.module:Class` or `./file.py:Class`"),
        (":Class", ".class: ':Class' names no class →"),
        ("no_such:A", ".class: no_such cannot be imported: ModuleNotFoundError: No module named 'no_such' → install"),
        ("./none.py:A", ".class: none.py does not exist → correct the path: it begins at the folder of the conf"),
        ("./broken.py:A", ".class: broken.py cannot be loaded: SyntaxError: "),
        ("./exits.py:A", ".class: exits.py cannot be loaded: SystemExit: 2 → correct the file"),
        ("./divides.py:A", ".class: divides.py cannot be loaded: ZeroDivisionError: division by zero →"),
        ("./shop.py:Dearest", ".class: ./shop.py has no class 'Dearest' → it has: Cheapest, Endless,"),
        ("./shop.py:function", ".class: ./shop.py:function is no class →"),
        ("json:JSONDecoder", ".class: json:JSONDecoder is no msgspec.Struct → make it a frozen one: its fields are"),
        (
            "./shop.py:Ranges",
            "./shop.py:Ranges is no merge: it has no begin and no describe → define `begin(self, requ",
        ),
        ("./shop.py:Nameless", "is no merge: it has no combine and no describe → define `combine(self, replies)` and "),
        ("./shop.py:Speechless", ".options: ./shop.py:Speechless cannot be made: describe does not return a text →"),
    ],
)
def test_a_class_that_is_no_merge_is_a_mistake(tmp_path: Path, class_: str, said: str) -> None:
    (tmp_path / "broken.py").write_text("def")
    (tmp_path / "exits.py").write_text("raise SystemExit(2)")
    (tmp_path / "divides.py").write_text("1 / 0")
    (found,) = mistakes(tmp_path, merging(**{"class": class_, "options": {}}))
    assert found.startswith("shardgate.yaml:")
    assert ": rules.GET /x.merge." in found
    assert said in found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, ["options: it lacks the field `by` → ./shop.py:Cheapest takes: by, ties"]),
        ({"by": 7}, ["options.by: expected text, got a whole number → ./shop.py:Cheapest takes: by, ties"]),
        ({"by": "a", "of": 1}, ["options.of: unknown field `of` → ./shop.py:Cheapest takes: by, ties"]),
        ({"by": 7, "ties": "none"}, ["options.by: expected text", "options.ties: unknown word 'none'"]),
    ],
)
def test_every_wrong_option_is_named(tmp_path: Path, options: dict[str, Any], said: list[str]) -> None:
    found = mistakes(tmp_path, merging(**{"class": "./shop.py:Cheapest", "options": options}))
    assert len(found) == len(said)
    for line, each in zip(found, said, strict=True):
        assert f"rules.GET /x.merge.{each}" in line


def test_what_a_class_raises_when_it_is_made_is_a_mistake(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, merging(**{"class": "./shop.py:Picky", "options": {"by": "a"}}))
    assert "rules.GET /x.merge.options: ./shop.py:Picky cannot be made: KeyError: 'a' → correct the class" in found
    (found,) = mistakes(tmp_path, merging(**{"class": "./shop.py:Picky", "options": {"by": "refused"}}))
    assert "rules.GET /x.merge.options: nobody sorts by that → ./shop.py:Picky takes: by" in found


@pytest.mark.parametrize(
    ("class_", "said"),
    [
        (
            "./shop.py:Cheapest",
            ".class: ./shop.py:Cheapest is no locator: it has no locate → define `locate(self, space",
        ),
        (
            "./shop.py:Waiting",
            ".class: ./shop.py:Waiting: locate is async, and a plug-in never waits → define `locate(",
        ),
        (
            "./shop.py:Other",
            "locate has other parameters than it is called with → define `locate(self, space, key, known",
        ),
        ("./shop.py:Plain", ".class: ./shop.py:Plain is no msgspec.Struct →"),
        (
            "./shop.py:Lost",
            ".options: ./shop.py:Lost cannot be made: plug-in ./shop.py:Lost: pinned raised OSError: no",
        ),
    ],
)
def test_a_class_that_is_no_locator_is_a_mistake(tmp_path: Path, class_: str, said: str) -> None:
    (found,) = mistakes(tmp_path, locating(**{"class": class_}))
    assert ": locators.x[0]." in found
    assert said in found


@pytest.mark.parametrize(
    ("class_", "said"),
    [
        ("./shop.py:Ranges", ".class: ./shop.py:Ranges is no dialect → derive it from shardgate.extend.Parameters"),
        ("./shop.py:Mine", ".class: ./shop.py:Mine pages by cursors, and a plug-in cannot → take `kind: cursor`"),
        (
            "./shop.py:Endless",
            "is no dialect: it has no open and no close → define `open(self, reply)` and `close(self",
        ),
    ],
)
def test_a_class_that_is_no_dialect_is_a_mistake(tmp_path: Path, class_: str, said: str) -> None:
    (found,) = mistakes(tmp_path, paging(**{"class": class_}))
    assert ": dialects.x." in found
    assert said in found


def test_a_shard_that_a_locator_pins_must_exist(tmp_path: Path) -> None:
    options = {"up_to": {"north": 1, "nowhere": 2}}
    (found,) = mistakes(tmp_path, locating(**{"class": "./shop.py:Ranges", "options": options}))
    assert "no shard is named 'nowhere' → there are: north, south" in found


def test_all_mistakes_are_told_at_once_and_the_rest_is_still_checked(tmp_path: Path) -> None:
    written = locating(**{"class": "./shop.py:Other"}) | {"listen": "nowhere"}
    written["dialects"] = {"d": {"kind": "custom", "class": "./shop.py:Endless"}}
    written["rules"]["GET /y"] = {"rule": "gather", "merge": {"kind": "custom", "class": "./none.py:A"}}
    written["rules"]["GET /z"] = {"rule": "gather", "merge": {"kind": "list", "dialect": "d", "keys": {"name": "text"}}}
    found = "\n".join(mistakes(tmp_path, written))
    for place in ("listen", "locators.x[0].class", "dialects.d.class", "rules.GET /y.merge.class"):
        assert f": {place}: " in found
    assert "rules.GET /z.merge.keys: the sort key 'id' has no type" in found


def test_a_plug_in_of_an_operation_that_is_not_served_is_not_loaded(tmp_path: Path) -> None:
    written = merging(**{"class": "./none.py:A"}) | {"unserved": {"GET /x": "later"}}
    written["rules"]["GET /any"] = {"rule": "any"}
    assert len(loaded(tmp_path, written).routes.routes) == 2


@pytest.mark.parametrize("field", ["plugin", "named", "summary"])
def test_what_the_gateway_keeps_of_a_plug_in_cannot_be_written(tmp_path: Path, field: str) -> None:
    (found,) = mistakes(tmp_path, merging(**{"class": "./shop.py:Cheapest", "options": {"by": "a"}, field: "x"}))
    assert f"unknown field `{field}`" in found


def test_a_mistake_in_the_applications_document_is_told_with_its_file_and_line(tmp_path: Path) -> None:
    document = {
        "openapi": "3.1.0",
        "x-shardgate": {
            "locators": {"x": [{"kind": "custom", "class": "./shop.py:Other"}]},
            "dialects": {"d": {"kind": "custom", "class": "./shop.py:Paged"}},
        },
        "paths": {
            "/x": {"get": {"x-shardgate": {"rule": "gather", "merge": {"kind": "custom", "class": "./none.py:A"}}}},
            "/y": {
                "get": {
                    "x-shardgate": {
                        "rule": "gather",
                        "merge": {"kind": "list", "dialect": "d", "keys": {"id": "text"}},
                    }
                }
            },
        },
    }
    (tmp_path / "application").mkdir()
    text = json.dumps(document, indent=1)
    (tmp_path / "application/openapi.json").write_text(text)
    lines = [number for number, line in enumerate(text.splitlines(), 1) if ":Other" in line or ":A" in line]
    found = mistakes(tmp_path, config(openapi="application/openapi.json"))
    assert [line.partition(" → ")[0] for line in found] == [
        f"application/openapi.json:{lines[0]}: x-shardgate.locators.x[0].class: "
        "./shop.py:Other: locate has other parameters than it is called with",
        f"application/openapi.json:{lines[1]}: paths./x.get.x-shardgate.merge.class: none.py does not exist",
    ]


def test_a_file_is_read_anew_with_each_configuration_and_once_for_all_rules(tmp_path: Path) -> None:
    written = merging(**{"class": "./shop.py:Cheapest", "options": {"by": "a"}})
    written["rules"]["GET /y"] = written["rules"]["GET /x"]
    first, second = _classes(loaded(tmp_path, written))
    assert first is second
    (tmp_path / "shop.py").write_text(SHOP.replace("the least", "the LEAST"))  # as long as before, within a second
    again = loaded(tmp_path, written)
    assert _classes(again)[0] is not first
    assert [route.rule.describe(route) for route in again.routes.routes if route.rule is not None] == [
        "gather: every shard, merged as the LEAST a",
        "gather: every shard, merged as the LEAST a",
    ]


def _classes(configuration: Loaded) -> list[type]:
    found = []
    for route in configuration.routes.routes:
        assert isinstance(route.rule, Gather)
        assert isinstance(route.rule.merge, CustomMerge)
        found.append(type(route.rule.merge.plugin))
    return found


POINTS = {
    "shardgate.merges": {"cheapest": "shop_of:Cheapest", "count": "shop_of:Cheapest"},
    "shardgate.locators": {"ranges": "shop_of:Ranges"},
    "shardgate.dialects": {"paged": "shop_of:Paged", "mine": "shop_of:Mine"},
}


def test_a_word_that_is_no_built_in_kind_is_looked_up_among_the_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path, "shop_of", SHOP, POINTS)
    listed = {"kind": "list", "dialect": {"kind": "paged", "limit": "take"}, "keys": {"id": "text"}}
    written = config(
        locators={"x": [{"kind": "ranges", "up_to": {"north": 7}}]},
        rules={
            "GET /x": {"rule": "gather", "merge": {"kind": "cheapest", "by": "price"}},
            "GET /y": {"rule": "gather", "merge": listed},
            "GET /z/{id}": {"rule": "one", "key": "path.id", "locate": "x", "parts": {"kind": "cheapest", "by": "a"}},
            "GET /n": {"rule": "gather", "merge": {"kind": "count"}},  # a built-in wins
        },
        store="x.db",
        directory="x.db",
    )
    (tmp_path / "x.db").touch()
    routes = loaded(tmp_path, written).routes.routes
    assert [route.rule.describe(route) for route in routes if route.rule is not None] == [
        "gather: every shard, merged as the least price",
        "gather: every shard, merged as one list, sorted by id unless the request says otherwise",
        "one: the shard that owns path.id, found by x (shop_of:Ranges)",
        "gather: every shard, merged as the sum of the counts in the body",
    ]
    (locator,) = routes[2].locators
    assert isinstance(locator, CustomLocator)
    assert locator.pinned() == ("north",)


def test_an_unknown_word_names_the_built_ins_and_the_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = config(
        locators={"x": [{"kind": "rangs"}]},
        rules={
            "GET /x": {"rule": "gather", "merge": {"kind": "list", "dialect": {"kind": "pgd"}, "keys": {"id": "text"}}}
        },
    )
    (dialect, found) = mistakes(tmp_path, written)
    known = "directory, hash, learned, prefix, probe, custom"
    assert f"locators.x[0].kind: unknown word 'rangs' → take one of: {known}; installed plug-ins: none" in found
    install(monkeypatch, tmp_path, "shop_of", SHOP, POINTS)
    (dialect, found) = mistakes(tmp_path, written)
    assert found.endswith(f"→ did you mean `ranges`? There are: {known}; installed plug-ins: ranges")
    assert "rules.GET /x.merge.dialect.kind: unknown word 'pgd' → did you mean `paged`? There are: cont" in dialect
    assert dialect.endswith("; installed plug-ins: mine, paged")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            "twice",
            "kind: 'twice' is a name in several packages: breaks_first (breaks_first:Cheapest) and other_second (oth",
        ),
        ("absent", "kind: 'absent' of the package breaks_first cannot be imported: AttributeError: "),
        (
            "gone",
            "kind: 'gone' of the package breaks_first cannot be imported: ModuleNotFoundError: No module named 'g",
        ),
        ("ranges", "kind: breaks_first:Ranges is no merge: it has no begin and no describe → define `begin("),
        ("cheapest", "merge: it lacks the field `by` → breaks_first:Cheapest takes: by, ties"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, said: str
) -> None:
    first = {name: f"breaks_first:{name.capitalize()}" for name in ("absent", "ranges", "cheapest")}
    first |= {"twice": "breaks_first:Cheapest", "gone": "gone:Gone"}
    install(monkeypatch, tmp_path, "breaks_first", SHOP, {"shardgate.merges": first})
    install(monkeypatch, tmp_path, "other_second", SHOP, {"shardgate.merges": {"twice": "other_second:Cheapest"}})
    (found,) = mistakes(tmp_path, config(rules={"GET /x": {"rule": "gather", "merge": {"kind": word}}}))
    assert ": rules.GET /x.merge" in found
    assert said in found
