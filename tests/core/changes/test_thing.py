"""What a change is about, as the laxest application compares it."""

import pytest

from shardgate.core.changes.entry import Branch, Entry, Sent, Terms
from shardgate.core.changes.thing import folded, thing_of


def entry(target: bytes, check: str | None, **variables: str) -> Entry:
    sent = Sent("POST", target, b"h", b"", b"", has_body=True, request_id=b"r")
    terms = Terms(patient=False, check=check, repeat=False, already=())
    return Entry("t", "every", "create", sent, terms, variables, [Branch("north")])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/orders/A", "/orders/a"),
        ("/orders/%41", "/orders/a"),
        ("/orders/a/", "/orders/a"),
        ("/orders/caf%C3%A9", "/orders/CAFE"),
        ("/orders/a?x=1", "/orders/a"),
        ("/orders/a%20", "/orders/a"),
    ],
)
def test_what_an_application_may_take_for_one_thing_is_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_a_separator_in_a_segment_is_none_between_two() -> None:
    assert folded("/a%2Fb") != folded("/a/b")


def test_a_change_is_about_what_check_shows_or_about_its_own_path() -> None:
    assert thing_of(entry(b"/orders", "/orders/{id}", id="7")) == "/orders/7"
    assert thing_of(entry(b"/orders/8?x=1", None)) == "/orders/8"
    assert thing_of(entry(b"/orders", "/orders/{id}")) == "/orders"
    assert thing_of(entry(b"/", None)) == ""
