"""Whatever is written, each mistake in it is told, once, with its place and its cure; and the reading ends."""

from random import Random
from typing import Any

import msgspec
import pytest

from shardgate.config.schema import Config
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rules import Rule
from tests.core.rulebook.generated import make

JUNK: list[Any] = [7, None, [], {}, "x", {"kind": "list"}, {"rule": "one"}, [7, "x"], True, 1.5, {7: 7}, "é"]


def spoilt(value: Any, random: Random) -> Any:
    """The same data, with something in it that is not as it should be."""
    if isinstance(value, dict) and value and random.random() < 0.7:
        name = random.choice(sorted(value, key=str))
        what = random.random()
        if what < 0.15:
            return {**value, f"{name}x": value[name]}
        if what < 0.3:
            return {(f"{other}s" if other == name else other): inner for other, inner in value.items()}
        if what < 0.4:
            return {other: inner for other, inner in value.items() if other != name}
        return {**value, name: spoilt(value[name], random)}
    if isinstance(value, list) and value and random.random() < 0.7:
        number = random.randrange(len(value))
        return [spoilt(item, random) if n == number else item for n, item in enumerate(value)]
    return random.choice(JUNK)


@pytest.mark.parametrize("first", range(0, 1500, 500))
def test_every_spoilt_rule_is_read_to_its_end(first: int) -> None:
    for number in range(first, first + 500):
        random = Random(number)
        rule: Any = make(number).rule
        for _ in range(random.randrange(1, 5)):
            rule = spoilt(rule, random)
        found: list[Mistake] = []
        convert_all(rule, Rule, "rules.GET /x", found)
        try:
            msgspec.convert(rule, Rule)
        except msgspec.ValidationError:
            assert found, (number, rule)
        else:
            assert not found, (number, rule)
        assert len({(mistake.path, mistake.problem) for mistake in found}) == len(found), (number, found)
        assert all(mistake.problem and mistake.cure and "$" not in mistake.path for mistake in found), (number, found)


def test_each_field_that_is_missing_is_told() -> None:
    found: list[Mistake] = []
    convert_all({"rule": "one"}, Rule, "", found)
    assert [mistake.problem for mistake in found] == ["it lacks the field `key`", "it lacks the field `locate`"]


def test_a_name_that_is_no_text_is_told_and_the_rest_is_read() -> None:
    found: list[Mistake] = []
    config = convert_all({"shards": {}, 7: "x", "workers": "many"}, Config, "", found)
    assert config is not None
    assert [(mistake.problem, mistake.cure) for mistake in found] == [
        ("invalid name, it is no text", "put the name in quotes"),
        ("expected a whole number, got text", "write it as docs/reference/index.md says"),
    ]


def test_an_entry_of_a_mapping_is_named_also_where_its_name_has_dots() -> None:
    # Found: a name with a dot was read as two, and the mistake was told of nothing.
    found: list[Mistake] = []
    rule = {"rule": "gather", "merge": {"kind": "deep"}, "prune": {"path.a.b": "x", "v.w": {"locate": 7}}}
    convert_all(rule, Rule, "", found)
    assert [mistake.path for mistake in found] == ["prune.v.w.locate"]
