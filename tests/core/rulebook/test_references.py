"""A reference is followed in its own file or in another one, and never out of the document's folder."""

from typing import Any

import pytest

from shardgate.core.routes.mistakes import Mistake
from shardgate.core.rulebook.references import IN_DOCUMENT, DocumentPlace, References

FILES: dict[str, Any] = {
    "": {"a": {"$ref": "b/c.yaml#/x~1y/0", "own": 1}, "d": {"e~f": {"plain": 2}}, "g": {"$ref": "#/d/e~0f"}},
    "b/c.yaml": {"x/y": [{"$ref": "../h.yaml"}]},
    "h.yaml": {"far": 3, "own": 4},
}


def follow(name: str) -> tuple[Any, list[Mistake]]:
    mistakes: list[Mistake] = []
    references = References(FILES[""], lambda file: (FILES.get(file), []), mistakes)
    return references.follow(FILES[""][name], DocumentPlace("", (name,))), mistakes


def test_a_chain_of_references_ends_at_what_it_names() -> None:
    found, mistakes = follow("a")
    assert (found.value, mistakes) == ({"far": 3, "own": 1}, [])
    assert str(found.place_of("far")) == f"{IN_DOCUMENT}h.yaml\0far"
    assert str(found.place_of("own")) == f"{IN_DOCUMENT}a.own"


def test_a_pointer_is_unescaped() -> None:
    assert follow("g")[0].value == {"plain": 2}


@pytest.mark.parametrize("reference", ["#/d/none", "#/d/e~0f/plain/1", "none.yaml", "../h.yaml", "#d", None, ["x"]])
def test_a_reference_to_nothing_is_a_mistake(reference: object) -> None:
    mistakes: list[Mistake] = []
    references = References(FILES[""], lambda file: (None, [Mistake(file, "it cannot be read", "write it")]), mistakes)
    assert references.follow({"$ref": reference}, DocumentPlace("", ("a",))) is None
    assert [mistake.path for mistake in mistakes] == [f"{IN_DOCUMENT}a.$ref"]
