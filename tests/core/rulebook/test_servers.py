"""The base path of a document is what all of its servers have, or a mistake."""

from typing import Any

import pytest

from shardgate.core.routes.mistakes import Mistake
from shardgate.core.rulebook.references import DocumentPlace
from shardgate.core.rulebook.servers import base_of_document, base_of_servers


@pytest.mark.parametrize(
    ("servers", "base"),
    [
        (None, None),
        ([], None),
        ([{}], ""),
        ([{"url": "https://h:8/a/b/"}], "/a/b"),
        ([{"url": "/a"}, {"url": "http://{x}/a", "variables": {"x": {"enum": ["1", "2"]}}}], "/a"),
        ([{"url": "/{x}/{x}", "variables": {"x": {"default": 2}}}], "/2/2"),
        ([{"url": "{x}", "variables": {"x": {"default": "a"}}}], "/a"),
        (
            # Found: the variables were filled in behind the URL's parts, and the base was `/https:/api.test/v2`.
            [
                {
                    "url": "{s}://{host}/{b}",
                    "variables": {"s": {"default": "https"}, "host": {"default": "api.test"}, "b": {"default": "v2"}},
                }
            ],
            "/v2",
        ),
        ([{"url": "{origin}/v2", "variables": {"origin": {"enum": ["https://a.test", "http://b.test:81"]}}}], "/v2"),
        ([{"url": "{root}", "variables": {"root": {"default": "https://a.test/x/y"}}}], "/x/y"),
    ],
)
def test_the_base_path_of_servers(servers: Any, base: str | None) -> None:
    mistakes: list[Mistake] = []
    assert (base_of_servers(servers, DocumentPlace("", ()), mistakes), mistakes) == (base, [])


@pytest.mark.parametrize(
    "servers", [[{"url": "/a"}, {"url": "/b"}], [{"url": "../a"}], {"url": "/a"}, [{"url": 7}], ["/a"]]
)
def test_servers_that_leave_it_open_are_a_mistake(servers: Any) -> None:
    mistakes: list[Mistake] = []
    base_of_servers(servers, DocumentPlace("", ("servers",)), mistakes)
    assert len(mistakes) == 1
    assert mistakes[0].path.startswith("openapi: servers")


def test_many_values_of_variables_are_not_all_tried() -> None:
    variables = {name: {"enum": [str(n) for n in range(100)]} for name in "abcdefgh"}
    mistakes: list[Mistake] = []
    url = "/".join(f"{{{name}}}" for name in variables)
    base_of_servers([{"url": url, "variables": variables}], DocumentPlace("", ()), mistakes)
    assert len(mistakes) == 1
    assert len(mistakes[0].problem) < 500


def test_swagger_2_has_a_base_path_and_no_servers() -> None:
    given = {"swagger": "2.0", "basePath": "/v3/", "servers": [{"url": "/v4"}]}
    assert base_of_document(given, DocumentPlace("", ()), []) == "/v3"
