"""What an application may take for one value."""

import pytest

from shardgate.core.order.alike import alike


@pytest.mark.parametrize(
    ("one", "other"),
    [("Bern", "BERN"), ("Zürich", "Zurich"), ("Zürich", "ZU\u0308RICH"), ("Bern", "Bern  "), ("Straße", "STRASSE")],
)
def test_case_accents_and_spaces_at_the_end_make_no_difference(one: str, other: str) -> None:
    assert alike(one) == alike(other)
    assert alike((1, one)) == alike((1, other))


@pytest.mark.parametrize(("one", "other"), [("Bern", " Bern"), ("Bern", "Berne"), ("कु", "क"), (1, "1"), (None, "")])
def test_what_else_differs_does(one: object, other: object) -> None:
    assert alike(one) != alike(other)
