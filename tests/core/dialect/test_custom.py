"""A dialect that is a plug-in: what it returns is checked before the gateway acts on it."""

from typing import Any

import pytest

from shardgate.core.contracts import UNKNOWN, Listing, Merged, Page
from shardgate.core.dialect.custom import CustomDialect
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.guard import PluginError
from shardgate.core.http import Reply
from shardgate.core.merge.listed import Listed
from shardgate.core.paging.parameters import Parameters
from tests.core.requests import request

REPLY = Reply(200, [], b"[]")
PAGE = Page(0, 10, (("name", True),), ("id",))
MERGED = Merged(request(), PAGE, b"[]", 0, None, more=False, reply=REPLY)
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "read": (request(),),
    "problem": (request(),),
    "unpaged": (request(),),
    "cover": (10, 5),
    "ask": (request(), PAGE, None),
    "open": (REPLY,),
    "refused": (REPLY, 7),
    "close": (MERGED,),
}


def called(method: str, result: Any, *arguments: Any) -> Any:
    """What the gateway gets of a plug-in whose method returns, or raises, this."""

    def answer(*_: Any) -> Any:
        if isinstance(result, BaseException):
            raise result
        return result

    plugin = type("Scripted", (Parameters,), {method: answer}, frozen=True)()
    return getattr(CustomDialect(named="a:B", plugin=plugin), method)(*(arguments or ARGUMENTS[method]))


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("read", PAGE),
        ("read", Page(0, None, (), None)),
        ("read", UNKNOWN),
        ("problem", "`a=b`: a number is accepted"),
        ("unpaged", "/x"),
        ("cover", (10, 5)),
        ("cover", (8, 4)),
        ("cover", (0, None)),
        ("ask", (b"/x?a=b", b"")),
        ("open", Listing(b"[]", 7, more=True)),
        ("refused", REPLY),
        ("close", REPLY),
    ],
)
def test_what_is_right_passes(method: str, result: Any) -> None:
    assert called(method, result) == result


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("read", None),
        ("read", (0, 10)),
        ("read", Page(-1, 10, (), None)),
        ("read", Page(0, -1, (), None)),
        ("read", Page("0", 10, (), None)),  # type: ignore[arg-type]
        ("read", Page(0, 10, (("name", "desc"),), None)),  # type: ignore[arg-type]
        ("read", Page(0, 10, (), (1,))),  # type: ignore[arg-type]
        ("read", Page(0, 10, None, None)),  # type: ignore[arg-type]
        ("read", Page(0, 10, (), 7)),  # type: ignore[arg-type]
        ("problem", None),
        ("unpaged", b"/x"),
        ("cover", 10),
        ("cover", (11, 5)),
        ("cover", (0, 5)),
        ("cover", (0, 10)),
        ("cover", (-1, None)),
        ("cover", (0.0, None)),
        ("cover", (10, -1)),
        ("ask", b"/x"),
        ("ask", ("/x", b"")),
        ("ask", (b"/x y", b"")),
        ("ask", (b"/x\r\nA: b", b"")),
        ("ask", (b"x", b"")),
        ("ask", (b"/x", None)),
        ("open", None),
        ("open", Listing("[]")),  # type: ignore[arg-type]
        ("open", Listing(b"[]", -1)),
        ("open", Listing(b"[]", "7")),  # type: ignore[arg-type]
        ("open", Listing(b"[]", extra=None)),  # type: ignore[arg-type]
        ("refused", None),
        ("close", None),
        ("close", Reply(200, [(b"a", b"b\r\n")])),
    ],
)
def test_what_is_wrong_is_an_error_of_the_plug_in(method: str, result: Any) -> None:
    with pytest.raises(PluginError, match=f"plug-in a:B: {method} returned"):
        called(method, result)


@pytest.mark.parametrize("method", ARGUMENTS)
def test_what_a_plug_in_raises_becomes_an_error_with_its_name_and_its_cause(method: str) -> None:
    error = SystemExit(1)
    with pytest.raises(PluginError, match=f"plug-in a:B: {method} raised SystemExit") as caught:
        called(method, error)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [ValueError("x"), TypeError("x"), KeyError("x"), ZeroDivisionError("x")])
def test_a_shards_reply_that_cannot_be_opened_is_a_broken_one(error: Exception) -> None:
    with pytest.raises(BrokenReplyError, match="not what its dialect says") as caught:
        called("open", error)
    assert "plug-in a:B: open raised" in caught.value.log
    with pytest.raises(PluginError):
        called("close", error)


def test_a_refusal_of_the_clients_page_stays_one() -> None:
    with pytest.raises(UnreadablePageError):
        called("read", UnreadablePageError("the parameter stands twice"))


def test_its_own_parameters_are_those_of_the_plug_in() -> None:
    dialect = CustomDialect(named="a:B", plugin=Parameters(limit_default=7, limit_max=9, past_end=404))
    assert (dialect.limit_default, dialect.limit_max, dialect.past_end, dialect.accepted) == (7, 9, 404, (200,))
    assert (dialect.posted, dialect.streamable) == (False, "never")


def test_a_plug_in_that_derives_from_a_bare_list_is_asked_by_its_own_open() -> None:
    class Wrapped(Offset, frozen=True):
        def open(self, reply: Reply) -> Listing:
            return Listing(reply.body.removeprefix(b")]}'"), reply.body.count(b"id"))

    rule = Listed(dialect=CustomDialect(named="a:B", plugin=Wrapped()), keys={"id": "number"})
    merging = rule.begin(request("GET /rows?limit=5"), ("north", "south"))
    assert merging.asks()
    replies = {"north": Reply(200, [], b')]}\'[{"id":1}]'), "south": Reply(200, [], b')]}\'[{"id":2},{"id":3}]')}
    merged = merging.take(replies)
    assert isinstance(merged, Reply)
    assert merged.body == b'[{"id":1},{"id":2},{"id":3}]'
