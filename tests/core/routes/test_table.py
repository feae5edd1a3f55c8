"""Which operation a request means; and which paths are refused because two servers might mean different ones."""

from typing import Any

import pytest

from shardgate.core.errors import AmbiguousPathError, MethodNotAllowedError, ShardgateError, UnknownOperationError
from shardgate.core.routes.route import Route, Routes
from shardgate.core.routes.table import RouteTable
from shardgate.core.rules.any_shard import AnyShard

OPERATIONS = [
    "GET /",
    "GET /events",
    "POST /events",
    "GET /events/{id}",
    "DELETE /events/{id}",
    "GET /events/export",
    "GET /events/{id}/dates/{date}",
    "GET /events/special/offers",
    "HEAD /heads",
    "GET /heads",
]


def table(*operations: str, **options: Any) -> RouteTable:
    routes = []
    for operation in operations or OPERATIONS:
        method, _, template = operation.partition(" ")
        routes.append(Route(method, template, operation, AnyShard()))
    return RouteTable(Routes(tuple(routes), **options))


@pytest.mark.parametrize(
    ("method", "path", "operation", "variables"),
    [
        ("GET", "/", "GET /", {}),
        ("GET", "/events", "GET /events", {}),
        ("GET", "/events/", "GET /events", {}),
        ("POST", "/events", "POST /events", {}),
        ("GET", "/events/7", "GET /events/{id}", {"id": "7"}),
        ("GET", "/events/7/", "GET /events/{id}", {"id": "7"}),
        ("GET", "/events/a-b_c.d~e!$&'()*+,=:@", "GET /events/{id}", {"id": "a-b_c.d~e!$&'()*+,=:@"}),
        ("GET", "/events/...", "GET /events/{id}", {"id": "..."}),
        ("GET", "/events/.hidden", "GET /events/{id}", {"id": ".hidden"}),
        ("GET", "/events/%C3%A9", "GET /events/{id}", {"id": "é"}),
        ("GET", "/events/a%20b%2Bc", "GET /events/{id}", {"id": "a b+c"}),
        ("GET", "/events/export", "GET /events/export", {}),
        ("GET", "/events/7/dates/8", "GET /events/{id}/dates/{date}", {"id": "7", "date": "8"}),
        ("GET", "/events/special/offers", "GET /events/special/offers", {}),
        ("HEAD", "/events/7", "GET /events/{id}", {"id": "7"}),
        ("HEAD", "/heads", "HEAD /heads", {}),
    ],
)
def test_a_path_finds_its_operation(method: str, path: str, operation: str, variables: dict[str, str]) -> None:
    route, found = table().match(method, path)
    assert (route.operation, found) == (operation, variables)


@pytest.mark.parametrize("trailing_slash", [True, False])
def test_the_short_way_to_a_path_leads_where_the_walk_does(trailing_slash: bool) -> None:
    operations = [
        *OPERATIONS, "GET /{any}", "GET /events/{id}/", "GET /a%20b/{id}", "GET /{any}/b", "GET /c/d/e", "GET /c/{d}",
    ]  # fmt: skip
    quick, walking = (
        table(*operations, trailing_slash=trailing_slash),
        table(*operations, trailing_slash=trailing_slash),
    )
    walking._parents.clear()
    parts = [
        "",
        "events",
        "special",
        "export",
        "offers",
        "7",
        "a b",
        "a%20b",
        "%65",
        "..",
        ".",
        "7.",
        "a;b",
        "b",
        "c",
        "d",
    ]
    short = 0
    for first in parts:
        for second in parts:
            for path in (f"/{first}", f"/{first}/{second}", f"/{first}/{second}/7", f"/{first}/"):
                short += path.rpartition("/")[0] in quick._parents
                assert matched(quick, path) == matched(walking, path), path
    assert short > 100


def matched(found: RouteTable, path: str) -> object:
    """What a GET leads to: the operation and its variables, or the kind of the refusal."""
    try:
        route, variables = found.match("GET", path)
    except ShardgateError as error:
        return type(error)
    return route.operation, variables


def test_a_fixed_segment_that_leads_nowhere_gives_way_to_a_variable() -> None:
    # Found: `special` was taken for the beginning of `/events/special/offers` alone.
    route, found = table().match("GET", "/events/special/dates/8")
    assert (route.operation, found["id"]) == ("GET /events/{id}/dates/{date}", "special")
    assert table().match("GET", "/events/special")[1] == {"id": "special"}


def test_an_encoded_letter_means_the_operation_that_the_application_would_read() -> None:
    # Found: `/events/%65xport` was taken for an event with the id `export`.
    assert table().match("GET", "/events/%65xport")[0].operation == "GET /events/export"
    assert table().match("GET", "/%65vents")[0].operation == "GET /events"


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "//events",
        "/events//",
        "/events//7",
        "/.",
        "/..",
        "/./events",
        "/../events",
        "/events/.",
        "/events/..",
        "/events/../events",
        "/events/7/./dates/8",
        "/events/7;x=1",
        "/events;x/7",
        "/events/a\\b",
        "/events/a%2Fb",
        "/events/a%2fb",
        "/events/a%5Cb",
        "/events/%2e",
        "/events/%2E%2e",
        "/%2e%2e/events",
        "/events/.%2e",
        "/events/a%3Bb",
        "/events/a%00b",
        "/events/a%252Fb",
        "/events/a%25b",
        "/events/%",
        "/events/%4",
        "/events/%zz",
        "/events/%C3",
        "/events/%ff",
        "/events/%C0%AF",
        "/events/%ED%A0%80",
        "/events/a|b",
        "/events/a^b",
        "/events/{id}",
        "/events/<x>",
        '/events/"x"',
        "/events/`x`",
        "/unknown/../events",
    ],
)
def test_a_path_that_servers_read_differently_is_refused(path: str) -> None:
    with pytest.raises(AmbiguousPathError):
        table().match("GET", path)


@pytest.mark.parametrize(
    "path", ["/nothing", "/event", "/eventsx", "/Events", "/events/7/dates", "/events/7/dates/8/9", "/events/7/x", "*"]
)
def test_a_path_of_no_operation_is_unknown(path: str) -> None:
    with pytest.raises(UnknownOperationError):
        table().match("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/events", "GET, POST"),
        ("POST", "/events/7", "DELETE, GET"),
        ("HEAD", "/only-post", "POST"),
        ("get", "/events", "GET, POST"),
        ("OPTIONS", "/", "GET"),
    ],
)
def test_another_method_is_told_which_ones_there_are(method: str, path: str, allow: str) -> None:
    with pytest.raises(MethodNotAllowedError) as caught:
        table(*OPERATIONS, "POST /only-post").match(method, path)
    assert caught.value.allow == allow


def test_where_slashes_are_distinct_a_trailing_one_is_another_path() -> None:
    distinct = table("GET /a", "GET /b/", trailing_slash=False)
    assert distinct.match("GET", "/a")[0].operation == "GET /a"
    assert distinct.match("GET", "/b/")[0].operation == "GET /b/"
    for path in ("/a/", "/b"):
        with pytest.raises(UnknownOperationError):
            distinct.match("GET", path)


@pytest.mark.parametrize("path", ["/b", "/b/"])
def test_where_slashes_are_optional_a_template_may_end_with_one(path: str) -> None:
    # Found: every path of an application whose templates end with a slash (Django REST framework) was a 404.
    assert table("GET /b/").match("GET", path)[0].operation == "GET /b/"


def test_deep_paths_are_walked_and_not_recursed_into() -> None:
    with pytest.raises(UnknownOperationError):
        table().match("GET", "/a" * 8000)
