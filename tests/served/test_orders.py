"""Sort orders: each way to configure one, and a shard that sorts otherwise is detected."""

from typing import Any

import pytest

from tests.cluster import rows

KEYS = {
    "id": "text",
    "vendor.name": {"collation": "case_insensitive", "nulls": "last"},
    "starts": {"type": "time", "path": "starts_at"},
    "price": "decimal",
}
RULE = {"rule": "gather", "merge": {"kind": "list", "dialect": {"kind": "offset"}, "keys": KEYS}}


def row(id_: str, vendor: str | None, starts_at: str, price: str) -> dict[str, Any]:
    return {"id": id_, "vendor": None if vendor is None else {"name": vendor}, "starts_at": starts_at, "price": price}


A = row("a", "Zoo", "2026-05-01T10:00:00+02:00", "9.90")
B = row("b", "aqua", "2026-05-01T08:00:00.5Z", "10.10")
C = row("c", None, "2026-05-01T07:00:00Z", "9.900")


@pytest.fixture
async def two(start_shard: Any, start_gateway: Any) -> Any:
    class Two:
        north: list[Any] = []  # noqa: RUF012
        south: list[Any] = []  # noqa: RUF012

    shards = {
        "north": (await start_shard(lambda _: rows(*Two.north))).url,
        "south": (await start_shard(lambda _: rows(*Two.south))).url,
    }
    Two.gateway = await start_gateway({"shards": shards, "rules": {"GET /rows": RULE}})  # type: ignore[attr-defined]
    return Two


@pytest.mark.parametrize(
    ("order", "north", "south", "expected"),
    [
        ("vendor.name", [A, C], [B], "bac"),
        ("-vendor.name", [C, A], [B], "cab"),
        ("starts", [C, A], [B], "cab"),
        ("-price,-id", [B], [C, A], "bca"),
    ],
)
async def test_rows_are_merged_in_the_order_that_the_rule_says(
    two: Any, order: str, north: list[Any], south: list[Any], expected: str
) -> None:
    two.north, two.south = north, south
    answer = await two.gateway.get(f"/rows?order={order}")
    assert "".join(each["id"] for each in answer.json()) == expected


@pytest.mark.parametrize(
    ("order", "north", "said"),
    [
        ("vendor.name", [A, B], "vendor.name by case_insensitive, id"),
        ("starts,-id", [B, A], "starts as a time, -id"),
        ("price", [B, A], "price, id"),
    ],
)
async def test_a_shard_in_another_order_is_a_502_that_names_the_order(
    two: Any, order: str, north: list[Any], said: str
) -> None:
    two.north, two.south = north, [C]
    answer = await two.gateway.get(f"/rows?order={order}")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2007")
    assert answer.json()["detail"] == f"a shard's rows are not in the order {said} that the rule declares"
