"""The ways in which a query says what a list is sorted by."""

import pytest

from shardgate.core.contracts import UNKNOWN
from shardgate.core.paging.sort_parameters import SortParameters

NAME_DOWN = (("name", True), ("id", False))


@pytest.mark.parametrize(
    ("sorting", "values", "stated"),
    [
        (SortParameters(), {"order": "-name,id"}, ["order=-name,id"]),
        (SortParameters(suffix="."), {"order": "name.desc,id.asc"}, ["order=name.desc,id.asc"]),
        (
            SortParameters(order="sort", suffix=",", order_repeats=True),
            {"sort": "name,desc&id,asc"},
            ["sort=name,desc", "sort=id,asc"],
        ),
        (SortParameters(direction="dir"), {"order": "name,id", "dir": "DESC"}, ["order=name,id", "dir=desc,asc"]),
    ],
)
def test_an_order_is_read_and_stated_again(sorting: SortParameters, values: dict[str, str], stated: list[str]) -> None:
    assert sorting.read_order(values) == NAME_DOWN
    assert sorting.stated(NAME_DOWN) == stated


def test_no_order_is_the_lists_default() -> None:
    assert SortParameters().read_order({}) == ()


@pytest.mark.parametrize("directions", ["up", "asc,desc,asc", "asc,"])
def test_directions_that_cannot_be_read_are_unknown_and_named(directions: str) -> None:
    sorting, values = SortParameters(direction="dir"), {"order": "name,id", "dir": directions}
    assert sorting.read_order(values) is UNKNOWN
    assert f"`dir={directions}`" in sorting.direction_problem(values)


def test_a_key_without_a_direction_behind_it_is_a_name_as_a_whole() -> None:
    assert SortParameters(suffix=".").read_order({"order": "vendor.name"}) == (("vendor.name", False),)
    assert SortParameters(suffix=".").read_order({"order": "vendor.name.desc"}) == (("vendor.name", True),)


def test_one_direction_may_follow_several_keys() -> None:
    # Found: Spring reads `sort=title,author,desc` as two keys that descend.
    spring = SortParameters(order="sort", suffix=",", order_repeats=True)
    read = spring.read_order({"sort": "title,author,desc&id"})
    assert read == (("title", True), ("author", True), ("id", False))
    assert spring.stated(read) == ["sort=title,desc", "sort=author,desc", "sort=id,asc"]
    assert spring.stated(read, folded=True) == ["sort=title,author,desc", "sort=id,asc"]


@pytest.mark.parametrize(
    ("sorting", "order", "read"),
    [
        # Found: ` price` was taken for an unknown key and left out, so that the list came in another order.
        (SortParameters(), " price", UNKNOWN),
        (SortParameters(), "price ,id", UNKNOWN),
        (SortParameters(spaces="trim"), " -price , id ", (("price", True), ("id", False))),
        (SortParameters(spaces="keep"), " price", ((" price", False),)),
        (SortParameters(suffix="."), " price.desc", UNKNOWN),
        (SortParameters(suffix=".", spaces="trim"), " price.desc", (("price", True),)),
        (SortParameters(), "+price", UNKNOWN),
        (SortParameters(), "--price", UNKNOWN),
        (SortParameters(plus="ascends"), "+price,-id", (("price", False), ("id", True))),
        (SortParameters(plus="keep"), "+price", (("+price", False),)),
        (SortParameters(suffix=","), "+price", (("+price", False),)),
    ],
)
def test_spaces_and_signs_around_a_key(sorting: SortParameters, order: str, read: object) -> None:
    assert sorting.read_order({"order": order}) == read
    if read is UNKNOWN:
        assert "without spaces and signs" in sorting.direction_problem({"order": order})
