"""The offset dialect, where an application breaks ties by what it does not show or reads parameters as qs does."""

import pytest

from shardgate.core.contracts import Ask, Page
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import UnreadablePageError
from shardgate.core.merge.listed import Listed
from shardgate.core.wire.request_head import RequestHeadParser

ORDER = (("title", False), ("year", True), ("id", False))
DIALECT = Offset(limit="_limit", offset="_start", order="_sort", direction="_order", states_order=True)


def test_a_stated_order_takes_the_place_of_the_clients_and_ends_with_the_tie_breaker() -> None:
    query = "_sort=title%2Cyear&_order=asc,desc&q=a%20b&_limit=2&_start=4"
    written = DIALECT.write_query(query, page=Page(0, 6, ORDER, None), fields=None)
    assert written == "q=a%20b&_limit=6&_sort=title,year,id&_order=asc,desc,asc"


def test_a_stated_order_is_signed_where_there_is_no_parameter_of_directions() -> None:
    written = Offset(states_order=True).write_query("order=title", page=Page(0, None, ORDER, None), fields=None)
    assert written == "order=title,-year,id"


def test_an_order_is_not_stated_unless_the_rule_says_so() -> None:
    assert Offset().write_query("order=title", page=Page(0, 3, ORDER, None), fields=None) == "order=title&limit=3"


@pytest.mark.parametrize("query", ["_page=2", "q=a&_pa%67e=2&_limit=5", "_page[]=2", "_limit[]=5", "_limit%5B0%5D=5"])
def test_a_parameter_that_changes_the_list_in_an_unknown_way_is_refused(query: str) -> None:
    with pytest.raises(UnreadablePageError):
        Offset(limit="_limit", refuse=("_page",)).read_page(query)


@pytest.mark.parametrize("query", ["limit[]=5&page=2", "tags[]=5"])
def test_what_the_rule_does_not_refuse_is_left_to_the_application(query: str) -> None:
    assert Offset(names="exact").read_page(query) == Page(0, None, (), None)


def test_a_list_asks_its_shards_for_the_whole_order() -> None:
    listed = Listed(dialect=DIALECT, keys={"id": "text", "title": "text"})
    request = RequestHeadParser().parse(b"GET /books?_sort=title&_order=desc&_limit=2 HTTP/1.1\r\nHost: x\r\n")
    asked = listed.begin(request, ["north"]).asks()
    assert asked == [Ask("north", b"/books?_limit=2&_sort=title,id&_order=desc,asc")]
