"""What could not be followed to its end is told before anything is sent."""

from typing import Any

import pytest

from shardgate.core.changes.entry import Action, Branch, Entry, Sent, Terms
from shardgate.core.changes.followable import require_followable
from shardgate.core.errors import MissingKeyError

UNDO = Action(method="DELETE", path="/things/{id}")


def entry(variables: dict[str, str], **terms: Any) -> Entry:
    sent = Sent("POST", b"/things", b"h", b"", b"", has_body=True, request_id=b"r")
    given = {"patient": False, "check": "/things/{id}", "repeat": False, "already": (), "undo": UNDO}
    return Entry("t", "every", "create", sent, Terms(**{**given, **terms}), variables, [Branch("north")])


@pytest.mark.parametrize("variables", [{}, {"id": ""}, {"id": ".."}, {"id": "a/b"}, {"other": "1"}])
def test_a_check_that_cannot_be_asked_is_named(variables: dict[str, str]) -> None:
    with pytest.raises(MissingKeyError) as caught:
        require_followable(entry(variables), ())
    assert caught.value.about == {"member": "id"}


def test_an_undo_may_wait_for_the_reply_but_not_have_a_value_that_fills_no_path() -> None:
    require_followable(entry({}, check=None), ())
    with pytest.raises(MissingKeyError):
        require_followable(entry({"id": ".."}, check=None), ())


def test_what_must_be_the_same_on_all_shards_must_have_been_assigned() -> None:
    with pytest.raises(MissingKeyError) as caught:
        require_followable(entry({"id": "7"}), {"code"})
    assert caught.value.about == {"member": "code"}
    require_followable(entry({"id": "7"}), set())
