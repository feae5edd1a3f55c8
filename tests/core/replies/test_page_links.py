"""Pages in the field `Link`: as applications write it, and as it is written anew."""

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.replies.page_links import linked_pages, with_links


def linking(*values: bytes) -> Reply:
    return Reply(200, [(b"Link", value) for value in values], b"")


@pytest.mark.parametrize(
    ("values", "pages"),
    [
        ([b'<https://a/x?c=1>; rel="next"'], {"next": "https://a/x?c=1"}),
        ([b'<?c=1>;title="a, b";REL=next, </x>; rel=first'], {"next": "?c=1", "first": "/x"}),
        ([b'</x?c=1,2>; rel="next alternate"', b'</docs>; rel="help"'], {"next": "/x?c=1,2"}),
        ([b'</x>; rel="Next"; rel="prev"', b'</y>; rel="next"'], {"next": "/x"}),
        ([b"</x>", b"nothing"], {}),
        # Found: of 32 KB of `<`, or of texts that do not end, the rest was read again from each; that took 13 s.
        ([b'<<</x>; rel="next"'], {"next": "/x"}),
        ([b'</x>; rel="next", </y>; a="\\"<>, </z>; rel="first"'], {"next": "/x"}),
        ([b"""</x>; title="; rel=first"; Rel = next"""], {"next": "/x"}),
        ([b'</x>; rel=next; anchor="#of-another", </y>; rel="first"; anchor=""'], {"first": "/y"}),
    ],
)
def test_pages_are_found_by_their_first_relation(values: list[bytes], pages: dict[str, str]) -> None:
    assert linked_pages(linking(*values), ("next", "first")) == pages


def test_a_page_that_is_not_named_is_a_broken_reply() -> None:
    with pytest.raises(BrokenReplyError) as caught:
        linked_pages(linking(b'</x>; rel="last", </y>; rel="next"'), ("next",))
    assert "found the relation `last`" in caught.value.log


def test_pages_stand_behind_links_that_lead_elsewhere() -> None:
    reply = linking(b'</docs>; rel="help"')
    with_links(reply, [("prev", None), ("next", "/x?c=2")])
    assert reply.fields == [(b"Link", b'</docs>; rel="help", </x?c=2>; rel="next"')]
    bare = Reply(200, [], b"")
    with_links(bare, [("next", None)])
    assert bare.fields == []
