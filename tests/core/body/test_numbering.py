"""A refusal of a part tells the client which item of its whole request is meant."""

import pytest

from shardgate.core.body.numbering import position_of, renumbered, says_the_same
from shardgate.core.http import Reply

FORM = "items.{n}"


def refusal(text: str) -> Reply:
    return Reply(422, [], text.encode())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("items.0.date_id: is not a date", "items.2.date_id: is not a date"),
        ("items.1.quantity", "items.5.quantity"),
        ("items.0 and items.1", "items.2 and items.5"),
        ("items.7: there are not so many", "items.7: there are not so many"),
        ("all.items.0, myitems.0, items.x", "all.items.0, myitems.0, items.x"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_the_numbers_of_a_part_become_those_of_the_whole(said: str, told: str) -> None:
    assert renumbered(refusal(said), FORM, [2, 5]).body.decode() == told


def test_other_forms_are_told_by_the_rule() -> None:
    assert renumbered(refusal('"items[1]"'), "items[{n}]", [3, 4]).body == b'"items[4]"'
    assert renumbered(refusal("/items/1/date"), "/items/{n}", [3, 4]).body == b"/items/4/date"


def test_what_is_no_refusal_is_left_as_it_is() -> None:
    made = Reply(201, [], b"items.0")
    assert renumbered(made, FORM, [4]) is made
    assert renumbered(refusal("items.0"), None, [4]).body == b"items.0"


def test_the_item_that_is_meant() -> None:
    assert position_of(refusal("items.3.date_id and items.4"), FORM) == 3
    assert position_of(refusal("items"), FORM) is None


def test_two_refusals_are_alike_but_for_the_item() -> None:
    assert says_the_same(refusal("items.0.x: no"), refusal("items.12.x: no"), FORM)
    assert not says_the_same(refusal("items.0.x: no"), refusal("items.0.y: no"), FORM)
