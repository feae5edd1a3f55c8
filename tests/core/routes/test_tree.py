"""Of several templates that a path matches, the nearest one with the method is taken."""

import pytest

from shardgate.core.errors import MethodNotAllowedError, UnknownOperationError
from tests.core.routes.test_table import table

OPERATIONS = [
    "GET /items",
    "DELETE /items/{id}",
    "GET /items/export",
    "ANY /items/{id}/files/**",
    "GET /items/{id}/files/{name}",
    "ANY /admin/**",
    "GET|PUT /both",
    "POST /**",
]


@pytest.mark.parametrize(
    ("method", "path", "operation", "variables"),
    [
        ("DELETE", "/items/export", "DELETE /items/{id}", {"id": "export"}),
        ("HEAD", "/items/export", "GET /items/export", {}),
        ("POST", "/items/export", "POST /**", {}),
        ("POST", "/", "POST /**", {}),
        ("GET", "/items/7/files/a", "GET /items/{id}/files/{name}", {"id": "7", "name": "a"}),
        ("PUT", "/items/7/files/a", "ANY /items/{id}/files/**", {"id": "7"}),
        ("GET", "/items/7/files", "ANY /items/{id}/files/**", {"id": "7"}),
        ("GET", "/items/7/files/", "ANY /items/{id}/files/**", {"id": "7"}),
        ("GET", "/items/a%20b/files/c/d/e", "ANY /items/{id}/files/**", {"id": "a b"}),
        ("REPORT", "/admin", "ANY /admin/**", {}),
        ("POST", "/admin/x", "ANY /admin/**", {}),
    ],
)
def test_the_nearest_template_with_the_method_is_taken(
    method: str, path: str, operation: str, variables: dict[str, str]
) -> None:
    route, found = table(*OPERATIONS).match(method, path)
    assert (route.operation, found) == (operation, variables)


@pytest.mark.parametrize(("method", "path"), [("GET", "/items/7"), ("PUT", "/admins"), ("GET", "/")])
def test_a_subtree_of_another_method_allows_its_own(method: str, path: str) -> None:
    with pytest.raises(MethodNotAllowedError) as caught:
        table(*OPERATIONS).match(method, path)
    assert "POST" in caught.value.allow


def test_without_a_default_rule_a_path_beside_the_subtrees_is_unknown() -> None:
    with pytest.raises(UnknownOperationError):
        table("ANY /admin/**").match("GET", "/administrators")


def test_where_slashes_are_distinct_a_subtree_has_both() -> None:
    distinct = table("GET /a/", "ANY /a/**", trailing_slash=False)
    assert distinct.match("GET", "/a/")[0].template == "/a/"
    assert distinct.match("GET", "/a")[0].template == "/a/**"
    assert distinct.match("GET", "/a/b/")[0].template == "/a/**"


def test_where_case_is_ignored_values_keep_theirs() -> None:
    ignored = table("GET /Items/{id}", "GET /Items/Export", path_case="ignored")
    assert ignored.match("GET", "/ITEMS/aB")[1] == {"id": "aB"}
    assert ignored.match("GET", "/items/EXPORT")[0].template == "/Items/Export"


def test_a_deep_path_below_a_subtree_is_walked_and_not_recursed_into() -> None:
    assert table("ANY /{a}/**").match("GET", "/a" * 8000)[0].template == "/{a}/**"
