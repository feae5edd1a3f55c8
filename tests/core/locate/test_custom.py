"""A locator that is a plug-in: what it returns is checked before the gateway acts on it."""

from typing import Any

import pytest

from shardgate.core.contracts import UNKNOWN, AskAll
from shardgate.core.guard import PluginError
from shardgate.core.locate.custom import CustomLocator
from tests.core.locate.test_every_locator import known


class Says:
    """A Locator that returns what a test says; an exception is raised."""

    def __init__(self, place: Any) -> None:
        self._place = place

    def locate(self, *_: Any) -> Any:
        if isinstance(self._place, BaseException):
            raise self._place
        return self._place


def located(place: Any, key: str = "7") -> Any:
    return CustomLocator(named="a:B", plugin=Says(place)).locate("space", key, known())


@pytest.mark.parametrize("place", ["north", "nowhere", UNKNOWN, AskAll("/x/7"), AskAll("/x/a%20b/?c=d")])
def test_an_answer_passes(place: Any) -> None:
    assert located(place) == place


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "a\\b", "a;b", "a%2Fb", "\0"])
def test_a_key_that_is_no_segment_of_a_path_is_never_asked_for(key: str) -> None:
    assert located(AskAll(f"/x/{key}"), key) is UNKNOWN
    assert located("north", key) == "north"


@pytest.mark.parametrize(
    "place",
    [
        None,
        7,
        ["north"],
        AskAll(b"/x"),
        AskAll("x/7"),
        AskAll("/x/a b"),
        AskAll("/x/é"),
        AskAll("/x\r\nA: b"),
        AskAll("/#"),
    ],
)
def test_what_is_no_answer_is_an_error_of_the_plug_in(place: Any) -> None:
    with pytest.raises(PluginError, match="plug-in a:B: locate returned"):
        located(place)


@pytest.mark.parametrize("error", [KeyError("7"), SystemExit(0)])
def test_what_a_plug_in_raises_becomes_an_error_with_its_name_and_its_cause(error: BaseException) -> None:
    with pytest.raises(PluginError, match="plug-in a:B: locate raised") as caught:
        located(error)
    assert caught.value.__cause__ is error
