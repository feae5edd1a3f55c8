"""Relative references in a shard's reply: to pages of its own list, and to others."""

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.paging.links import check_begin
from shardgate.core.replies.fields import without_links_to


@pytest.mark.parametrize("url", ["?page=2", "events?page=2", "./events?page=2", "../v3/events?page=2", "/v3/events"])
def test_a_link_to_a_page_of_one_shards_list_is_left_out_in_whatever_form(url: str) -> None:
    """Found: one that began with neither a slash nor a question mark was passed on."""
    reply = Reply(200, [(b"Link", f'<{url}>; rel="next"'.encode())], b"")
    assert without_links_to(reply, "/v3/events").fields == []


@pytest.mark.parametrize("url", ["events/7", "../x", "/x", "https://h/x", "urn:events"])
def test_a_link_that_leads_elsewhere_stays(url: str) -> None:
    reply = Reply(200, [(b"Link", f"<{url}>; rel=help".encode())], b"")
    assert without_links_to(reply, "/v3/events").fields == reply.fields


@pytest.mark.parametrize("own", [b'"events?page=2"', b'"./events"', b'"../v3/events?a"', b'"/x"', b'"\\/x"', b'"?a"'])
def test_a_relative_address_of_a_page_needs_an_origin_in_whatever_form(own: bytes) -> None:
    """Found: one that began with a name or a dot became absolute."""
    with pytest.raises(BrokenReplyError):
        check_begin(None, own, "member next")


@pytest.mark.parametrize("own", [b'"https://h/x?a"', b'"//h/x?a"', b'"\\/\\/h/x?a"', b'""', b"null", b'"abc"'])
def test_what_is_not_relative_needs_none(own: bytes) -> None:
    check_begin(None, own, "member next")
