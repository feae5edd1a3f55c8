"""The tag of an entity in parts: compared with what the parts have later."""

import pytest

from shardgate.core.replies.part_tags import is_joined, is_of, joined, tags_in


def test_the_tag_is_of_these_parts_in_any_order_and_of_no_others() -> None:
    tag = joined({"north": b'"1"', "south": b'"2"'}, [b"/orders/7"])
    assert is_joined(tag)
    assert is_of(tag, {"south": b'"2"', "north": b'"1"'})
    for other in ({"north": b'"2"', "south": b'"1"'}, {"north": b'"1"'}, {"north": b'"1"', "south": None}):
        assert not is_of(tag, other)
    assert joined({"north": b'"1"', "south": b'"2"'}, [b"/orders/8"]) != tag


def test_it_is_strong_where_all_parts_are() -> None:
    assert joined({"north": b'"1"', "south": b'"2"'}, []).startswith(b'"')
    weak = joined({"north": b'"1"', "south": b'W/"2"'}, [])
    assert weak.startswith(b'W/"')
    assert is_of(weak, {"north": b'"1"', "south": b'W/"2"'})


@pytest.mark.parametrize("tag", [b'"1"', b'"sg-parts-"', b'W/"sg-parts-0-0"', b""])
def test_an_applications_tag_is_none_of_ours(tag: bytes) -> None:
    assert not is_joined(tag)
    assert not is_of(tag, {})


def test_a_field_has_several_tags() -> None:
    assert tags_in(b'"a", W/"b,c" ,"d"') == [b'"a"', b'W/"b,c"', b'"d"']
