"""Links begin as the client's own request did."""

import pytest

from shardgate.core.paging.links import address
from tests.core.requests import request


@pytest.mark.parametrize(
    ("scheme", "origin", "begins"),
    [
        ("http", None, "http://gateway"),
        ("https", None, "https://gateway"),
        ("https", "http://api.example.com/", "http://api.example.com"),
        ("https", "", ""),
    ],
)
def test_an_address_begins_with_what_the_client_spoke_unless_the_rule_says_otherwise(
    scheme: str, origin: str | None, begins: str
) -> None:
    asked = request("GET /rows?cursor=a")
    asked.scheme = scheme
    begins = begins.replace("gateway", asked.fields.host.decode())
    assert address(asked, origin, "cursor=b") == f"{begins}/rows?cursor=b"
    assert address(asked, origin, "") == f"{begins}/rows"
