"""Credentials in a query are not shown."""

import pytest

from shardgate.core.clients.masking import masked


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/a", "/a"),
        ("/a?b=1&c", "/a?b=1&c"),
        ("/a?access_token=x&b=1", "/a?access_token=***&b=1"),
        ("/a?b=1&access%5Ftoken=x", "/a?b=1&access%5Ftoken=***"),
        ("/a?ACCESS_TOKEN=x=y", "/a?ACCESS_TOKEN=***"),
        ("/a?access-token=x", "/a?access-token=***"),
        ("/a?+client_secret=x&client_secret[]=y", "/a?+client_secret=***&client_secret[]=***"),
        ("/a?token=x?y&tokens=2", "/a?token=***&tokens=2"),
        ("/a?access_token", "/a?access_token"),
        ("/a?", "/a?"),
    ],
)
def test_credentials_in_a_query_are_not_shown(target: str, shown: str) -> None:
    assert masked(target) == shown
