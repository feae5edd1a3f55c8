"""The names by which widespread applications page: with a number they are refused where nothing is said of them."""

import pytest

from shardgate.core.contracts import Page
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.whole import Whole
from shardgate.core.errors import UnreadablePageError
from shardgate.core.paging.known_names import may_page
from tests.core.requests import request


@pytest.mark.parametrize(
    "query",
    [
        *("page=2", "per_page=5", "pageSize=5", "$top=3", "_start=4", "page[number]=2", "page%5Bsize%5D=2", "skip=1"),
        *("Page=2", "page-number=2", "cursor=abc", "starting_after=x", "pageToken=x", "size=+3", "count=20", "rows=5x"),
    ],
)
def test_l10_another_way_of_paging_is_refused_where_nothing_is_said(query: str) -> None:
    # Found: `page=2` reached every shard, and the second pages of all were merged into one, with 200.
    name = query.partition("=")[0].replace("%5B", "[").replace("%5D", "]")
    with pytest.raises(UnreadablePageError) as caught:
        Offset().read_page(query)
    assert f"`{name}` is not accepted" in caught.value.detail
    assert Offset(passes=(name,)).read_page(query) == Page(0, None, (), None)
    with pytest.raises(UnreadablePageError, match="this list has no pages"):
        Whole().read(request(f"GET /rows?{query}"))
    assert Whole(passes=(name,)).read(request(f"GET /rows?{query}")) == Page(0, None, (), None)


@pytest.mark.parametrize(
    "query",
    ["size=XL", "start=x", "page=", "first=Ana", "cursor=", "filter[page]=2", "paged=1", "year=26", "top_id=3"],
)
def test_filters_pass(query: str) -> None:
    assert Offset().read_page(query) == Page(0, None, (), None)
    Whole().read(request(f"GET /rows?{query}"))


def test_names_that_are_read_exactly_and_an_application_without_sizes() -> None:
    assert Offset(names="exact").read_page("PAGE=2&per_page=3&limit[]=5") == Page(0, None, (), None)
    fixed = Offset(limit=None, limit_default=20)
    assert fixed.read_page("page_size=5&offset=3") == Page(3, 20, (), None)
    with pytest.raises(UnreadablePageError):
        fixed.read_page("page=5")


def test_a_long_name_is_no_page() -> None:
    assert not may_page("page" + "_" * 100, "2")


def test_names_of_jira_arcgis_ag_grid_jpa_algolia_and_dynamodb_page() -> None:
    # Found: they reached every shard, and the second pages of all were merged into one, with 200.
    names = ("startAt", "resultOffset", "resultRecordCount", "startRow", "firstResult", "hitsPerPage")
    assert all(may_page(name, "20") for name in names)
    assert may_page("exclusiveStartKey", "a")
    assert not may_page("startAt", "noon")
