"""A reply is held against the document: its status, its body, and rows of which a client wanted a part."""

from typing import Any

import pytest

from api_tests.document import Document

ROW = {"type": "object", "required": ["id", "name"], "properties": {"id": {"type": "string"}, "name": {}}}


@pytest.fixture
def document() -> Document:
    def answer(schema: dict[str, Any]) -> dict[str, Any]:
        return {"content": {"application/json": {"schema": schema}}}

    row = {"$ref": "#/components/schemas/Row"}
    listed = {"200": answer({"type": "array", "items": row}), "default": answer({"type": "object"})}
    paths = {
        "/rows": {"get": {"operationId": "list", "responses": listed, "security": [{"oauth2": ["read"]}]}},
        "/rows/{row_id}": {"delete": {"operationId": "delete", "responses": {"204": {}}}},
    }
    return Document({"paths": paths, "components": {"schemas": {"Row": ROW}}})


def test_a_body_is_held_against_its_schema(document: Document) -> None:
    listed = document.operations["list"]
    assert document.mistakes(listed, 200, [{"id": "a", "name": 1}]) == []
    [mistake] = document.mistakes(listed, 200, [{"id": 7, "name": 1}])
    assert mistake.startswith("$[0].id")
    assert document.mistakes(listed, 200, [{"id": "a"}])
    assert document.mistakes(listed, 200, None)


def test_rows_may_lack_what_was_not_asked_for_and_nothing_else(document: Document) -> None:
    listed = document.operations["list"]
    assert document.mistakes(listed, 200, [{"id": "a"}], partial=True) == []
    assert document.mistakes(listed, 200, [{"id": 7}], partial=True)


def test_a_status_that_is_not_documented_is_a_mistake(document: Document) -> None:
    deleted = document.operations["delete"]
    assert document.mistakes(deleted, 204, None) == []
    assert document.mistakes(deleted, 204, {}) == ["there is a body, and none is documented"]
    assert document.mistakes(deleted, 500, {}) == ["status 500 is not documented"]


def test_an_address_is_filled_as_one_segment_each(document: Document) -> None:
    assert document.operations["delete"].address({"row_id": "a/b"}) == "/rows/a%2Fb"
    with pytest.raises(KeyError):
        document.operations["delete"].address({})


def test_operations_are_chosen_by_status_and_scope(document: Document) -> None:
    assert document.select(204) == ["delete"]
    assert document.select("default", scoped=True) == ["list"]
    assert document.select("default", besides=["list"]) == []
