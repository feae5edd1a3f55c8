"""The OpenAPI document says what is so."""

import typing
from typing import Any

import pytest
from bookings_running import Platform
from fastapi.routing import iter_route_contexts
from typer.testing import CliRunner

from bookings import resources
from bookings.app import create_app
from bookings.cli import app as cli
from bookings.document import pretty
from bookings.schemas import catalogue, trade
from bookings.settings import Settings


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings(database="sqlite://")).openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_is_in_it(document: dict[str, Any]) -> None:
    app = create_app(Settings(database="sqlite://"))
    served = {
        (method.lower(), route.path)
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if route.path != "/openapi.json"
    }
    assert served == {(method, path) for method, path, _ in operations(document)}


def test_every_operation_has_a_name_replies_and_described_parameters(
    document: dict[str, Any],
) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for method, path, operation in operations(document):
        assert "default" in operation["responses"]
        assert ("security" in operation) == path.startswith(("/v3/", "/octo/")), (method, path)
        for parameter in operation.get("parameters", []):
            assert parameter["in"] == "path" or parameter["description"], (path, parameter)


@pytest.mark.parametrize("resource", resources.ALL, ids=lambda each: each.name)
def test_what_it_says_of_a_reply_is_what_a_reply_is(platform: Platform, resource: resources.Resource) -> None:
    name = resource.name.capitalize()
    model = getattr(catalogue, name, None) or getattr(trade, name)
    assert list(model.model_fields) == list(resource.by_name)
    order = platform.get("/v3/orders", status="paid")[0]["id"]
    plural = {"category": "categories"}.get(resource.name, f"{resource.name}s")
    below = f"orders/{order}/" if resource.name in {"ticket", "payment"} else ""
    rows = platform.get(f"/v3/{below}{plural}")
    assert rows
    for row in rows:
        model.model_validate(row, strict=True)
        assert list(row) == list(model.model_fields)
    for each in resource.properties:
        optional = type(None) in typing.get_args(model.model_fields[each.name].annotation)
        assert each.sort is None or each.nullable == optional


def test_it_is_printed_and_served_alike(platform: Platform, document: dict[str, Any]) -> None:
    printed = CliRunner().invoke(cli, ["openapi"])
    assert printed.output == f"{pretty(document)}\n"
    assert platform.anonymous().get("/openapi.json").json() == document
