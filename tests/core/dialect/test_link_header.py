"""A bare array with links to other pages in a header."""

import msgspec
import pytest

from shardgate.core.dialect.link_header import LinkHeader
from shardgate.core.http import Reply
from tests.core.dialect.pages_of import header, written

DIALECT = LinkHeader(limit_default=2, limit_max=9, count_header="X-Total", pages_header="X-Pages")
SHARD = Reply(200, [(b"Link", b'<http://10.0.0.7/rows?page=2>; rel="next"'), (b"X-Total", b"3")], b"[]")


def test_a_shard_says_whether_there_is_more_and_how_many_there_are() -> None:
    listing = DIALECT.open(SHARD)
    assert (listing.more, listing.total) == (True, 3)
    assert DIALECT.open(Reply(200, [], b"[]")).more is False


@pytest.mark.parametrize(
    "links",
    [
        [b'</rows?page=1>; rel="first"', b'</rows?page=2>; rel="next"'],
        [b'</rows?page=2>; rel="last next"'],
        [b"</rows?page=2>;REL=NEXT"],
        [b'</rows?page=2>; title="a, b"; type="text/plain"; rel=next'],
        [b'</rows?ids=1,2&page=1>; rel="prev", </rows?ids=1,2&page=3>; rel = "next"'],
    ],
)
def test_links_are_read_as_rfc_8288_says(links: list[bytes]) -> None:
    # Found: only the first field was read, and only `rel="next"`; a page that one shard filled was said to be the last.
    reply = Reply(200, [(b"Link", link) for link in links], b"[]")
    assert msgspec.structs.replace(DIALECT, origin="").open(reply).more is True
    title = Reply(200, [(b"Link", b"""</rows>; title='rel="next"'; rel="help"; also="rel=next" """)], b"[]")
    assert DIALECT.open(title).more is False


def test_links_and_counts_are_those_of_the_whole_list_and_name_no_shard() -> None:
    reply = written(DIALECT, SHARD, target="/rows?q=a&page=2")
    api = "http://a/rows?q=a"
    pages = {"first": 1, "prev": 1, "next": 3, "last": 5}
    assert header(reply, "Link") == ", ".join(f'<{api}&page={page}>; rel="{rel}"' for rel, page in pages.items())
    assert (header(reply, "X-Total"), header(reply, "X-Pages")) == ("9", "5")
