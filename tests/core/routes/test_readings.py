"""A path that servers read differently is served where every reading of it leads to the same."""

import pytest

from shardgate.core.errors import AmbiguousPathError
from shardgate.core.routes.readings import readings, why
from shardgate.core.routes.route import PathReading
from tests.core.routes.test_table import table

OPERATIONS = ["GET /items", "GET /items/{id}", "ANY /files/**", "GET /files/{id}/meta", "ANY /t/{id}/**"]


@pytest.mark.parametrize(
    "path",
    [
        "/files/a%2Fb",
        "/files/a%5Cb",
        "/files/a\\b",
        "/files/a//b",
        "/files//",
        "/files/a;v=1",
        "/files/a;v=1/b%3Bc",
        "/files/a%252Fb",
        "/files/100%25",
        "/files/./a",
        "/files/a/../b",
        "/files/a.",
        "/files/a...",
        "/files/x[1]",
    ],
)
def test_below_a_subtree_it_does_not_matter_how_a_path_is_read(path: str) -> None:
    assert table(*OPERATIONS).match("GET", path)[0].template == "/files/**"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/items/a%2Fb", "`%2F`, which some servers read as a slash"),
        ("/items/a%5cb", "`%5c`, which some servers read as a slash"),
        ("/items/a;v=1", "`;`, and some servers cut a segment off there"),
        ("/items//a", "an empty segment (`//`), which some servers leave out; send one slash"),
        ("/items/a%252e", "an encoded percent sign (`%25`), which some servers decode a second time"),
        ("/items/..", "the segment `.` or `..`, which some servers resolve"),
        ("/items/%2e", "the segment `.` or `..`, which some servers resolve"),
        ("/items/a.", "a segment that ends with a dot"),
        ("/items/a|b", "`|`, which must be percent-encoded"),
        ("/items/a%zz", "a `%` that begins none; send `%25` for a percent sign"),
        ("/items/a%0A%2F", "an escape of a control character"),
        ("/files/../items", "the segment `.` or `..`"),
        ("/files%2Fitems", "`%2F`, which some servers read as a slash"),
        ("/files/a%2Fmeta", "`%2F`, which some servers read as a slash"),
        ("/files/a/b%2F..%2Fmeta", "`%2F`, which some servers read as a slash"),
        ("/files/x/..%2f..%2fitems", "`%2f`, which some servers read as a slash"),
        ("//files/a", "two slashes, behind which some servers read a host"),
        ("/t/1/..%2F2/x", "`%2F`, which some servers read as a slash"),
        ("/t/a;b/x", "`;`, and some servers cut a segment off there"),
        ("/t/100%25/x%2Fy", "`%2F`, which some servers read as a slash"),
    ],
)
def test_where_readings_differ_the_refusal_says_in_what(path: str, said: str) -> None:
    with pytest.raises(AmbiguousPathError) as caught:
        table(*OPERATIONS).match("GET", path)
    assert said in caught.value.detail


@pytest.mark.parametrize(
    "path", ["/..", "/files/../..", "/%2e%2e/files", "/files/a%2F..%2F..%2F..%2Fx", "/..;/files/x"]
)
def test_a_path_that_climbs_above_the_root_is_refused_everywhere(path: str) -> None:
    with pytest.raises(AmbiguousPathError):
        table("ANY /**").match("GET", path)


def test_a_subtree_in_which_a_part_has_another_rule_is_not_entered_by_another_reading() -> None:
    inner = table("ANY /**", "ANY /internal/**")
    for path in ("/x/../internal/a", "/x%2F..%2Finternal", "//internal/a", "/internal;x/a", "/x/..;/internal/a"):
        with pytest.raises(AmbiguousPathError):
            inner.match("GET", path)


@pytest.mark.parametrize(
    ("path", "value"),
    [("/items/a%2Fb", "a/b"), ("/items/a%2fb%2Fc/", "a/b/c"), ("/items/%2Fa", "/a"), ("/items/..%2Fa", "../a")],
)
def test_where_an_encoded_slash_is_a_value_it_is_one(path: str, value: str) -> None:
    said = table(*OPERATIONS, "GET /items/{id}/{x}", paths=PathReading(encoded_slash="value"))
    assert said.match("GET", path)[1] == {"id": value}
    assert said.match("GET", "/files/a%2Fb;c")[0].template == "/files/**"
    for other in ("/items/a%5Cb", "/items/a%2Fb;v", "/items/..", "/items/a%252Fb", "/items/a%2Fb."):
        with pytest.raises(AmbiguousPathError):
            said.match("GET", other)


def test_readings_are_few_and_a_long_path_has_none() -> None:
    assert len(readings("/a%252F..%2Fb;c//d./../e.")) <= 64
    with pytest.raises(AmbiguousPathError):
        readings("/" + "a;/" * 1000)


def test_a_reason_is_given_for_any_path() -> None:
    assert why("/plain").startswith("the path has a character")
