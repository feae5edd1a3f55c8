"""The law for changes, in small: `make equivalence-writes` runs more histories."""

from pathlib import Path
from typing import Any

import pytest

from proof.data import prepare
from proof.fleet import Fleet
from proof.writes.run import compare, run
from proof.writes.twins import Twins

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_histories_at_the_gateway_are_the_monoliths(tmp_path: Path) -> None:
    result = run(seeds=range(5), shards=3, workers=2, scale=0.01, folder=tmp_path)
    assert result.differences == []
    assert result.histories == 5
    assert result.statuses[200] > 30
    assert result.statuses[201] > 30


def test_orders_over_several_vendors_are_alike_where_one_shard_has_all(tmp_path: Path) -> None:
    settings = {"rules": {"POST /v3/orders": {"rule": "any"}}}
    with Fleet(prepare(0.01, 1).copy(tmp_path), tmp_path, settings=settings) as fleet:
        result = compare(fleet.monolith.url, fleet.gateway.url, range(5), across=True)
    assert result.differences == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"rules": {"PATCH /v3/categories/{category_id}": {"rule": "any"}}},
        {"idempotency": {"expires_s": 0.001}},
    ],
    ids=["not on every shard", "keys not kept"],
)
def test_the_proof_fails_where_a_change_is_not_served_as_it_must_be(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with Fleet(prepare(0.01, 3).copy(tmp_path), tmp_path, settings=wrong) as fleet:
        result = compare(fleet.monolith.url, fleet.gateway.url, range(5), across=False)
    assert result.differences


def test_what_the_sides_make_up_is_paired_once_and_one_to_one() -> None:
    twins = Twins()
    one, two, three, four = (letter * 32 for letter in (b"1", b"2", b"3", b"4"))
    assert twins.difference(b'{"id":"%b"}' % one, b'{"id":"%b"}' % two) is None
    assert twins.difference(b'["%b"]' % one, b'["%b"]' % two) is None
    assert twins.difference(b'["%b"]' % one, b'["%b"]' % three) is not None
    assert twins.difference(b'["%b"]' % three, b'["%b"]' % two) is not None
    assert twins.translated(f"/orders/{one.decode()}") == f"/orders/{two.decode()}"
    assert twins.translated(f"/orders/{four.decode()}") == f"/orders/{four.decode()}"
    assert twins.difference(b'{"at":"2026-01-01T00:00:59Z"}', b'{"at":"2026-01-01T00:01:00Z"}') is None
    assert twins.difference(b'{"at":"2026-01-01T00:00:59Z"}', b'{"at":"2026-01-01T01:01:00Z"}') is not None
    assert twins.difference(b'{"at":null}', b'{"at":"2026-01-01T00:00:59Z"}') is not None
    assert twins.difference(b'{"price":1}', b'{"price":1.0}') is not None


def test_rows_of_a_list_by_id_are_found_again_wherever_they_stand() -> None:
    twins = Twins()
    row = b'{"id":"%b","name":"%b"}'
    theirs = [row % (b"1" * 32, b"a"), row % (b"2" * 32, b"b")]
    ours = [row % (b"3" * 32, b"b"), row % (b"4" * 32, b"a")]
    assert twins.rows_difference(theirs, ours) is None
    assert twins.rows_difference(theirs[:1], ours[1:]) is None
    assert "no row is like" in str(twins.rows_difference(theirs[:1], ours[:1]))
    assert "too many" in str(twins.rows_difference(theirs[:1], ours))
