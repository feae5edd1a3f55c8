"""A request's body is read as strictly as the strictest application would."""

import pytest

from shardgate.core.body.reading import read_member, read_object
from shardgate.core.errors import AmbiguousKeyError, TooComplexError
from shardgate.core.limits import MEMBERS_MAX


def test_an_object_is_read() -> None:
    body = read_object(b' {"vendor": 7} ')
    assert body is not None
    assert body.raw("vendor") == b"7"


@pytest.mark.parametrize("body", [b"", b"[1]", b"7", b'"text"', b"null"])
def test_another_json_value_is_left_for_the_application_to_refuse(body: bytes) -> None:
    assert read_object(body) is None


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"vendor":7,"vendor":8}', "byte 12"),
        (b'{"vendor":7,}', "byte 11"),
        (b'{"vendor":"\xff"}', "byte 11"),
        (b"{'vendor':7}", "byte 1"),
        (b'{"vendor":7} // why', "byte 13"),
        (b'{"vendor":', "byte 10"),
    ],
)
def test_a_body_that_another_reader_could_read_differently_is_refused_and_says_where(body: bytes, where: str) -> None:
    with pytest.raises(AmbiguousKeyError) as caught:
        read_object(body)
    assert caught.value.where == where
    assert caught.value.detail.startswith(f"the body cannot be read at {where}; JSON in UTF-8 is accepted")


def test_a_body_that_is_nested_too_deep_is_refused() -> None:
    with pytest.raises(TooComplexError, match="nested too deeply"):
        read_object(b'{"a":' * 100_000)


def test_an_object_of_too_many_members_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooComplexError, match="more than 1000 members"):
        read_object(b"{%s}" % b",".join(b'"%d":1' % number for number in range(MEMBERS_MAX + 1)))
    body = read_object(b'{"a":[%s{}],"b":7}' % (b'{"x":1,"y":2},' * MEMBERS_MAX))
    assert body is not None
    assert body.raw("b") == b"7"


def test_a_member_in_two_spellings_is_refused() -> None:
    body = read_object(b'{"vendorId": 7}')
    assert body is not None
    with pytest.raises(AmbiguousKeyError, match="`vendor_id` also stands in the body in another spelling"):
        read_member(body, "vendor_id")
