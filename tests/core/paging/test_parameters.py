"""A client's page is read strictly, and written for a shard; what cannot be read is named."""

from typing import Literal

import pytest

from shardgate.core.contracts import UNKNOWN, Page
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import UnreadablePageError
from shardgate.core.paging.parameters import Parameters
from shardgate.core.paging.reading import Reading
from tests.core.requests import request

NUMBERED = Parameters(page="page", limit="size", limit_default=10, limit_max=50)


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", Page(0, None, (), None)),
        ("limit=20&offset=40", Page(40, 20, (), None)),
        ("order=-name,id", Page(0, None, (("name", True), ("id", False)), None)),
        ("q=a%26b&limit=5", Page(0, 5, (), None)),
    ],
)
def test_a_page_is_read_from_the_query(query: str, page: Page) -> None:
    assert Offset().read_page(query) == page


@pytest.mark.parametrize("value", ["+5", "%205", "5_0", "-1", "5.0", "", "five", "\u0665"])
def test_a_number_that_servers_could_read_differently_is_unknown(value: str) -> None:
    assert Offset().read_page(f"limit={value}") is UNKNOWN


def test_a_limit_above_the_greatest_is_cut_or_refused_as_the_application_does() -> None:
    assert Offset(limit_max=50).read_page("limit=80") == Page(0, 50, (), None)
    assert Offset(limit_max=50, limit_over="refuse").read_page("limit=80") is UNKNOWN


def test_a_numbered_page_is_rows_too() -> None:
    assert NUMBERED.read_page("page=3&size=20") == Page(40, 20, (), None)
    assert NUMBERED.read_page("") == Page(0, 10, (), None)
    assert NUMBERED.read_page("page=0") is UNKNOWN


def test_properties_with_spaces_are_unknown() -> None:
    assert Offset(fields="fields").read_page("fields=id,name") == Page(0, None, (), ("id", "name"))
    assert Offset(fields="fields").read_page("fields=id,%20name") is UNKNOWN


@pytest.mark.parametrize(
    ("dialect", "query", "problem"),
    [
        (Offset(), "limit=many", "`limit=many`: a whole number is accepted"),
        (Offset(limit_max=50, limit_over="refuse"), "limit=80", "`limit=80`: a whole number up to 50 is accepted"),
        (Offset(), "limit=2&offset=x", "`offset=x`: a whole number from 0 on is accepted"),
        (NUMBERED, "page=0", "`page=0`: a whole number from 1 on is accepted"),
        (
            Offset(direction="dir"),
            "order=name&dir=up",
            "`dir=up`: `asc` or `desc` for each key of `order` is accepted",
        ),
        (
            Offset(fields="fields"),
            "fields=id,,name",
            "`fields=id,,name`: names of properties, with commas and no spaces",
        ),
        (Offset(), "limit=" + "9x" * 200, "..."),
    ],
)
def test_what_cannot_be_read_is_named_with_what_would_be_accepted(
    dialect: Parameters, query: str, problem: str
) -> None:
    asked = request(f"GET /events?{query}")
    assert dialect.read(asked) is UNKNOWN
    assert problem in dialect.problem(asked)
    assert len(dialect.problem(asked)) < 200


def test_a_parameter_that_stands_twice() -> None:
    with pytest.raises(UnreadablePageError, match="`limit` stands twice, as `2` and as `3`: one is accepted"):
        Offset().read_page("limit=2&limit=3")
    assert Offset(repeated="first").read_page("limit=2&limit=3") == Page(0, 2, (), None)
    assert Offset(repeated="last").read_page("limit=2&limit=3") == Page(0, 3, (), None)


def test_a_parameter_of_those_to_refuse_and_one_in_brackets() -> None:
    with pytest.raises(UnreadablePageError, match="`group_by` is not accepted"):
        Offset(refuse=("group_by",)).read_page("group_by=city")
    with pytest.raises(UnreadablePageError, match=r"`limit\[\]` can be read as `limit`; only `limit` is accepted"):
        Offset().read_page("limit[]=5")
    assert Offset(names="exact").read_page("limit[]=5") == Page(0, None, (), None)


@pytest.mark.parametrize(
    "query", ["Limit=3&Offset=10", "LIMIT=3", "%4cimit=3", "limit%00=3", "limit.x=3", "limit%5B0%5D=3", "Group-By=city"]
)
def test_a_name_that_some_parser_reads_as_another_is_refused_where_nothing_is_said(query: str) -> None:
    # Found (L2): an application that reads names without case gave 20 other rows than the page said, with 200.
    with pytest.raises(UnreadablePageError):
        Offset(refuse=("group_by",)).read_page(query)
    assert Offset(names="exact", refuse=("group_by",)).read_page(query) == Page(0, None, (), None)


def test_names_in_any_case_are_read_and_written_as_one_name() -> None:
    loose = Offset(names="any_case")
    assert loose.read_page("Limit=3&OFFSET=10") == Page(10, 3, (), None)
    assert loose.write_query("Limit=3&q=a&OFFSET=10", page=Page(0, 13, (), None), fields=None) == "q=a&limit=13"
    assert loose.unpaged(request("GET /e?Limit=3&q=a")) == loose.unpaged(request("GET /e?q=a&limit=9"))
    with pytest.raises(UnreadablePageError, match="stands twice"):
        loose.read_page("Limit=3&limit=4")
    with pytest.raises(UnreadablePageError, match=r"`limit\[\]` can be read as `limit`"):
        loose.read_page("limit[]=4")


def test_a_shards_query_keeps_what_is_not_about_the_page() -> None:
    written = Offset().write_query("q=a%20b&limit=5&offset=10", page=Page(0, 15, (), None), fields=None)
    assert written == "q=a%20b&limit=15"
    assert NUMBERED.write_query("page=2&x=1", page=Page(40, 20, (), None), fields=None) == "x=1&size=20&page=3"


def test_an_order_is_stated_where_the_application_needs_it() -> None:
    dialect = Offset(states_order=True)
    page = Page(0, 5, (("name", True), ("id", False)), None)
    assert dialect.write_query("order=-name", page=page, fields=None) == "limit=5&order=-name,id"


@pytest.mark.parametrize(
    ("start", "count", "covered"),
    [
        (0, 10, (0, 10)),
        (20, 10, (20, 10)),
        (5, 10, (0, 15)),
        (45, 10, (44, 11)),
        (0, None, (0, 50)),
        (30, 80, (30, 30)),
    ],
)
def test_a_whole_page_covers_the_wanted_rows(start: int, count: int | None, covered: tuple[int, int]) -> None:
    first, many = NUMBERED.cover(start, count)
    assert many is not None
    assert first % many == 0
    assert first <= start < first + many
    assert (first, many) == covered


def test_the_list_without_its_page() -> None:
    one, two = request("GET /events?limit=5&q=a"), request("GET /events?offset=5&q=a")
    assert Offset().unpaged(one) == Offset().unpaged(two) == "/events?q=a"


def test_pages_have_a_size() -> None:
    with pytest.raises(ValueError, match="limit_default and limit_max"):
        Parameters(page="page")
    with pytest.raises(ValueError, match="at least 1"):
        Parameters(limit_max=0)


@pytest.mark.parametrize(
    ("repeated", "query", "written"),
    [
        ("last", "fields=%00&x=1&fields=id&limit=3", "fields=%00&x=1&limit=3&fields=id,name"),
        ("first", "fields=id&x=1&fields=%00&limit=3", "limit=3&fields=id,name&x=1&fields=%00"),
        ("last", "offset=%00&offset=0&limit=3&fields=id", "offset=%00&limit=3&fields=id,name&offset=0"),
        ("last", "limit=x&limit=3&fields=id", "limit=x&limit=3&fields=id,name"),
    ],
)
def test_a_copy_of_a_parameter_that_does_not_count_reaches_the_application_which_may_refuse_it(
    repeated: Literal["first", "last"], query: str, written: str
) -> None:
    dialect = Offset(fields="fields", repeated=repeated)
    assert dialect.write_query(query, page=Page(0, 3, (), ("id",)), fields=("id", "name")) == written
    assert dialect.read_page(written) == Page(0, 3, (), ("id", "name"))


def test_an_order_of_several_parameters_is_read_whole_where_the_first_of_others_counts() -> None:
    # Found: with `repeated: first` the second sort key was dropped, and the list came in another order with a 200.
    spring = Parameters(order="sort", suffix=",", order_repeats=True, repeated="first")
    assert spring.read_page("sort=price,desc&limit=5&sort=id&limit=6") == Page(
        0, 5, (("price", True), ("id", False)), None
    )


@pytest.mark.parametrize(
    "names", ["*", "id,*", "shop.*", "title:excerpt(3,true)", "-title", "id, title", "a[b]", "{id}", ""]
)
def test_names_in_fields_that_applications_read_in_ways_of_their_own_are_unknown(names: str) -> None:
    # Found: `fields=*` lost the id, which was asked for to sort by and taken out of each row again.
    assert Parameters(fields="fields").read_page(f"fields={names}") is UNKNOWN


def test_what_is_said_of_names_in_fields() -> None:
    dialect = Parameters(
        fields="fields", fields_all="*", spaces="trim", reads={"fields": Reading(words={"": "default"})}
    )
    assert dialect.read_page("fields=id,%20title") == Page(0, None, (), ("id", "title"))
    assert dialect.read_page("fields=id,expand.shop.name") == Page(0, None, (), ("id", "expand.shop.name"))
    for names in ("*", "id,*", ""):
        everything = dialect.read_page(f"fields={names}")
        assert everything == Page(0, None, (), None)
        assert dialect.write_query(f"fields={names}", page=everything, fields=None) == f"fields={names}"
        assert dialect.write_query(f"fields={names}", page=everything, fields=("id",)) == "fields=id"
