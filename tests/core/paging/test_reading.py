"""What an application does with a bad value of a paging parameter, as its rule says it (L9)."""

import json
from typing import Any

import pytest

from shardgate.core.contracts import UNKNOWN, Page
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.pages import Pages
from shardgate.core.errors import UnreadablePageError
from shardgate.core.http import Reply
from shardgate.core.merge.listed import Listed
from shardgate.core.paging.reading import LAST, Reading, read_number
from tests.core.requests import request

LENIENT = Pages(
    page="page",
    limit="size",
    limit_default=10,
    limit_max=50,
    limit_over="default",
    reads={
        "size": Reading(bad="default", below="default", words={"max": 50}),
        "page": Reading(bad="default", below="least"),
    },
)


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("size=0", Page(0, 10, (), None)),
        ("size=-5&page=2", Page(10, 10, (), None)),
        ("size=many", Page(0, 10, (), None)),
        ("size=500", Page(0, 10, (), None)),
        ("size=max&page=2", Page(50, 50, (), None)),
        ("size=&page=", Page(0, 10, (), None)),
        ("page=0", Page(0, 10, (), None)),
        ("page=-3", Page(0, 10, (), None)),
        ("page=x&size=5", Page(0, 5, (), None)),
        ("page=3&size=5", Page(10, 5, (), None)),
    ],
)
def test_a_bad_value_is_read_as_the_application_reads_it(query: str, page: Page) -> None:
    assert LENIENT.read_page(query) == page


@pytest.mark.parametrize("query", ["size=0", "page=0", "page=x", "size=-1"])
def test_a_bad_value_that_nothing_is_said_of_is_unknown(query: str) -> None:
    assert Pages(limit="size", limit_default=10, limit_max=50).read_page(query) is UNKNOWN


def test_a_shard_is_asked_for_what_the_value_means() -> None:
    merging = Listed(dialect=LENIENT, keys={"id": "text"}).begin(request("GET /events?size=0&q=a&page=x"), ["s0", "s1"])
    assert {ask.target for ask in merging.asks()} == {b"/events?q=a&size=10&page=1"}


def ids(query: str, bad: Any) -> list[str]:
    dialect = Offset(reads={"order": Reading(bad=bad)})
    rule = Listed(dialect=dialect, keys={"id": "text", "name": "text"}, default_order=("-id",))
    merging = rule.begin(request(f"GET /events?{query}"), ["s0", "s1"])
    rows = [[{"id": "b", "name": "x"}], [{"id": "a", "name": "y"}]]
    replies = {f"s{n}": Reply(200, [], json.dumps(body).encode()) for n, body in enumerate(rows)}
    assert {ask.target for ask in merging.asks()} == {f"/events?{query}".encode()}  # the shards read it themselves
    reply = merging.take(replies)
    assert isinstance(reply, Reply)
    return [row["id"] for row in json.loads(reply.body)]


def test_an_unknown_sort_key_is_left_out_or_means_the_default_order() -> None:
    assert ids("order=-name,colour", "ignore") == ["a", "b"]
    assert ids("order=-name,colour", "default") == ["b", "a"]
    assert ids("order=colour", "ignore") == ["b", "a"]


@pytest.mark.parametrize("order", ["price;", "-price(", "a%22b", "a'b", "price%00"])
def test_what_is_no_name_of_a_key_is_never_left_out(order: str) -> None:
    # Found: Parse ignores a key that no object has, and refuses `price;`; the gateway left out both, with a 200.
    dialect = Offset(states_order=True, reads={"order": Reading(bad="ignore")})
    rule = Listed(dialect=dialect, keys={"id": "text", "price": "number"})
    merging = rule.begin(request(f"GET /events?order={order}"), ["s0", "s1"])
    assert {ask.target for ask in merging.asks()} == {f"/events?order={order}".encode()}  # for them to refuse
    with pytest.raises(UnreadablePageError):
        merging.take({name: Reply(200, [], b"[]") for name in ("s0", "s1")})


def test_l9_what_a_number_is() -> None:
    javascript = Reading(number="leading", bad="default", below="least", zero="default")
    texts = {"": 10, "5x": 5, " 7": 7, "x": 10, "500": 500, "-3": 1, "2.5": 2, "+4": 4, "0": 10, "1_000": 1}
    assert {text: read_number(text, javascript, default=10, least=1) for text in texts} == texts
    for text in ("0x10", "1e3", "1.5e2", "-0x1"):  # other numbers to other parsers
        assert read_number(text, javascript, default=10, least=1) is UNKNOWN
    # Found: a no-break space before a number was read as no number, and JavaScript skips it.
    for text in ("\u00a05", "\ufeff5", " \u20285x", "\u3000-5"):
        assert read_number(text, javascript, default=10, least=1) is UNKNOWN
    go = Reading(bad="zero", least=1, below="all")
    assert [read_number(text, go, default=10, least=0) for text in ("x", "", "0", "-1", "5")] == [None] * 4 + [5]
    words = Reading(words={"none": 0, "all": "all", "last": "last", "": "default"})
    assert [read_number(text, words, default=10, least=0) for text in words.words] == [0, None, LAST, 10]


@pytest.mark.parametrize(
    ("number", "read", "bad"),
    [
        ("signed", {"+5": 5, "005": 5}, [" 5", "5_0", "5.0", "", "+", "++5"]),
        ("python", {"+5": 5, " 5 ": 5, "5_0": 50, "\n5": 5}, ["-5", "5__0", "_5", "5_", "5.0", "", "1e2"]),
        ("pydantic", {"+5": 5, " 5": 5, "5_0": 50, "5.0": 5, "5.": 5}, ["5.5", ".5", ""]),
    ],
)
def test_l9_how_a_number_is_spelled(number: Any, read: dict[str, int], bad: list[str]) -> None:
    # Found: `page=+2` is the second page in Go, Java and Python, and was refused.
    reading = Reading(number=number)
    assert {text: read_number(text, reading, default=10, least=1) for text in read} == read
    assert [read_number(text, reading, default=10, least=1) for text in bad] == [UNKNOWN] * len(bad)
    assert read_number("٣", reading, default=10, least=1) is UNKNOWN  # digits of another script, which Python reads
    assert read_number("٣", Reading(number=number, bad="default"), default=10, least=1) in {10, UNKNOWN}


def test_l9_a_number_beyond_the_greatest_is_as_bad_as_a_text() -> None:
    # Found: Spring reads 32 bits, so that `page=99999999999` is its first page.
    java = Reading(most=2**31 - 1, bad="default")
    assert read_number("99999999999", java, default=10, least=1) == 10
    assert read_number("2147483647", java, default=10, least=1) == 2**31 - 1
    assert read_number("2147483648", Reading(most=2**31 - 1), default=10, least=1) is UNKNOWN


def test_l9_all_rows_are_asked_for_by_a_word_of_the_application() -> None:
    for reading, asked in [
        (Reading(words={"every thing": "all"}), "every+thing"),
        (Reading(zero="all"), "0"),
        (Reading(below="all", least=1), "0"),
        (Reading(below="all"), "-1"),
    ]:
        dialect = Offset(limit_default=20, reads={"limit": reading})
        everything = Page(0, None, (), None)
        assert dialect.read_page(f"limit={asked}&q=1") == everything
        assert dialect.write_query("q=1&limit=x", page=everything, fields=None) == f"q=1&limit={asked}"


def test_l9_words_of_an_order() -> None:
    dialect = Offset(direction="dir", reads={"order": Reading(words={"newest": "-price,id", "any": "default"})})
    assert dialect.read_page("order=newest") == Page(0, None, (("price", True), ("id", False)), None)
    assert dialect.read_page("order=any") == Page(0, None, (), None)
    assert dialect.read_page("order=newest&dir=asc") is UNKNOWN
    with pytest.raises(ValueError, match="a word of the order stands for 'price'"):
        Listed(dialect=dialect, keys={"id": "text"})


@pytest.mark.parametrize(
    ("name", "reading", "problem"),
    [
        ("limit", {"words": {"x": "last"}}, "stand for numbers, all or default, not 'last'"),
        ("limit", {"below": "last"}, "`last` is for a page or an offset"),
        ("offset", {"below": "all"}, "`all` for a limit"),
        ("offset", {"zero": "all"}, "`all` for a limit"),
        ("limit", {"bad": "ignore"}, "`bad: ignore` is for an order"),
        ("order", {"bad": "zero"}, "is no number"),
        ("order", {"words": {"x": 5}}, "is no number"),
        ("dir", {"words": {"up": "asc"}}, "only `bad: default` can be said"),
        ("fields", {"bad": "default"}, "only a word for the default"),
    ],
)
def test_l9_what_cannot_be_said_of_a_parameter_is_a_mistake(name: str, reading: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Offset(direction="dir", fields="fields", reads={name: Reading(**reading)})


def test_l9_pages_of_a_fixed_size() -> None:
    dialect = Pages(limit=None, limit_default=10)
    assert dialect.read_page("page=3&page_size=5") == Page(20, 10, (), None)
    assert dialect.cover(25, 3) == (20, 10)
    assert dialect.write_query("page=3&page_size=5", page=Page(20, 10, (), None), fields=None) == "page_size=5&page=3"
    with pytest.raises(ValueError, match="each page has limit_default rows"):
        Pages(limit=None)


def test_a_parameter_that_the_dialect_does_not_have_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="`reads` names 'page'"):
        Offset(reads={"page": Reading()})
    with pytest.raises(ValueError, match="the word '7' is a number"):
        Reading(words={"7": 7})
    with pytest.raises(ValueError, match="are 0 or more"):
        Reading(words={"none": -1})


@pytest.mark.parametrize(
    ("number", "read", "bad"),
    [
        ("spaced", {" 5 ": 5, "+5": 5}, ["1_0", "5x", "5.0", ""]),
        ("ruby", {"1_0": 10, " 5x": 5, "0x10": 0, "1e3": 1, "5.9": 5, "1__0": 1}, ["x", "", "_1"]),
        (
            "javascript",
            {" 5 ": 5, "5.0": 5, "5.": 5, "": 0, " ": 0, "+7": 7, "007": 7},
            ["5x", "x", "1_0", "3,5", "null"],
        ),
    ],
)
def test_l9_numbers_of_further_languages(number: Any, read: dict[str, int], bad: list[str]) -> None:
    # Found: `1_0` was 1 row for an application in Ruby, which reads 10, and 10 for one in .NET, which refuses it.
    reading = Reading(number=number, bad="default")
    assert {text: read_number(text, reading, default=-9, least=0) for text in read} == read
    assert {read_number(text, reading, default=-9, least=0) for text in bad} == {-9}


@pytest.mark.parametrize("text", ["0x10", "1e1", "5.7", "Infinity", "\uff15"])
def test_l9_what_number_reads_and_lists_differ_in_is_unknown(text: str) -> None:
    assert read_number(text, Reading(number="javascript", bad="default"), default=20, least=0) is UNKNOWN
