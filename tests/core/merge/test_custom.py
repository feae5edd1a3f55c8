"""A merge that is a plug-in: what it returns is checked before the gateway acts on it."""

from collections.abc import Sequence
from typing import Any

import pytest

from shardgate.core.contracts import Ask
from shardgate.core.errors import BrokenReplyError
from shardgate.core.guard import PluginError
from shardgate.core.http import Reply
from shardgate.core.merge.custom import ROUNDS_MAX, CustomMerge, CustomMerging
from tests.core.merge.merging import merged, ok
from tests.core.requests import request

ASK = Ask("s0", b"/x")


class Scripted:
    """A Merger, and its own Merging, that returns what a test says; an exception is raised."""

    def __init__(self, asks: Any = (ASK,), take: Any = None, learned: Any = (), explain: Any = ()) -> None:
        self._results = {"asks": asks, "take": take, "learned": learned, "explain": explain}

    def begin(self, *_: Any) -> "Scripted":
        return self

    def _result(self, method: str) -> Any:
        result = self._results[method]
        if isinstance(result, BaseException):
            raise result
        return result

    def asks(self) -> Any:
        return self._result("asks")

    def take(self, _: Any) -> Any:
        return self._result("take")

    def learned(self) -> Any:
        return self._result("learned")

    def explain(self) -> Any:
        return self._result("explain")


class First:
    """A Merger of one round."""

    def begin(self, asked: Any, shards: Sequence[str], moment: Any) -> Scripted:
        return Scripted([Ask(shard, asked.target) for shard in shards], ok("first"))


def begun(**results: Any) -> CustomMerging:
    merging = CustomMerge(named="a:B", plugin=Scripted(**results), summary="").begin(request(), ["s0", "s1"])
    assert isinstance(merging, CustomMerging)
    return merging


def test_what_is_right_passes() -> None:
    assert merged(CustomMerge(named="a:B", plugin=First(), summary="the first"), "x", "y").body == b"first"
    merging = begun(take=[Ask("s1", b"/y?z=1", b"{}", b"POST")], learned=[("k", "s1")], explain=["so"])
    assert merging.asks() == (ASK,)
    assert merging.take({}) == [Ask("s1", b"/y?z=1", b"{}", b"POST")]
    assert (merging.learned(), merging.explain()) == ([("k", "s1")], ["so"])


@pytest.mark.parametrize(
    "asks",
    [
        None,
        "s0",
        [],
        [None],
        [Ask("s2", b"/x")],
        [Ask("s0", "/x")],  # type: ignore[arg-type]
        [Ask("s0", b"x")],
        [Ask("s0", b"/x y")],
        [Ask("s0", b"/x HTTP/1.1\r\nHost: b")],
        [Ask("s0", b"/x", "text")],  # type: ignore[arg-type]
        [Ask("s0", b"/x", method=b"DELETE")],
        [Ask(["s0"], b"/x")],  # type: ignore[arg-type]
        [ASK, ASK],
    ],
)
def test_calls_that_cannot_be_made_are_an_error_of_the_plug_in(asks: Any) -> None:
    with pytest.raises(PluginError, match="plug-in a:B"):
        begun(asks=asks).asks()
    if isinstance(asks, list):
        with pytest.raises(PluginError, match="plug-in a:B"):
            begun(take=asks).take({})


def test_a_merge_that_never_ends_is_ended() -> None:
    merging = begun(take=[ASK])
    merging.asks()
    for _ in range(ROUNDS_MAX - 1):
        merging.take({})
    with pytest.raises(PluginError, match="no reply after 1000 rounds"):
        merging.take({})


@pytest.mark.parametrize("result", [{}, [("k",)], [("k", "s2")], [(1, "s0")], "ks", [["k", "s0"]], [("k", ["s0"])]])
def test_what_is_learned_is_keys_of_shards_that_take_part(result: Any) -> None:
    with pytest.raises(PluginError, match="learned returned"):
        begun(learned=result).learned()


@pytest.mark.parametrize("result", [None, "so", [1]])
def test_explanations_are_texts(result: Any) -> None:
    with pytest.raises(PluginError, match="explain returned"):
        begun(explain=result).explain()


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(1), KeyboardInterrupt(), GeneratorExit(), MemoryError()])
def test_what_a_plug_in_raises_becomes_an_error_with_its_name_and_its_cause(error: BaseException) -> None:
    with pytest.raises(PluginError, match=f"plug-in a:B: take raised {type(error).__name__}") as caught:
        begun(take=error).take({})
    assert caught.value.__cause__ is error


def test_a_broken_reply_stays_one() -> None:
    error = BrokenReplyError("a shard's offer has no price")
    with pytest.raises(BrokenReplyError) as caught:
        begun(take=error).take({})
    assert caught.value is error


def test_a_plug_in_that_begins_nothing_is_an_error() -> None:
    class Nothing:
        def begin(self, *_: Any) -> None:
            return None

    with pytest.raises(PluginError, match="asks raised AttributeError"):
        CustomMerge(named="a:B", plugin=Nothing(), summary="").begin(request(), ["s0"]).asks()


def test_a_reply_is_checked() -> None:
    assert begun(take=Reply(201, [(b"X", b"1")], b"{}")).take({}) == Reply(201, [(b"X", b"1")], b"{}")
    with pytest.raises(PluginError, match="take returned NoneType; expected: a Reply"):
        begun(take=None).take({})
