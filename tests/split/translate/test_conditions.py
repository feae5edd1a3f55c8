"""Conditions of check constraints and partial indexes, in the other dialect of SQL."""

import pytest

from shardgate.split.translate.conditions import condition_for_postgres, condition_for_sqlite


@pytest.mark.parametrize(
    ("written", "translated"),
    [
        ("live = 1", "live = true"),
        ("live == 0 AND price > 1", "live = false AND price > 1"),
        ('"live" IN (0, 1)', '"live" IN (false, true)'),
        ("live IS NOT 1", "live IS NOT true"),
        ("alive = 1", "alive = 1"),
        ("note = 'live = 1'", "note = 'live = 1'"),
        ("price >= 0", "price >= 0"),
    ],
)
def test_one_and_zero_become_true_and_false_for_postgresql(written: str, translated: str) -> None:
    assert condition_for_postgres(written, ["live"]) == translated


@pytest.mark.parametrize(
    ("written", "translated"),
    [
        ("((price >= (0)::numeric))", "((price >= (0)))"),
        ("((kind)::text = 'a'::text)", "((kind) = 'a')"),
        (
            "((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            "((kind) IN ('a', 'b'))",
        ),
        ("(n <> ALL (ARRAY[1, 2]))", "(n NOT IN (1, 2))"),
        ("(rate > (0.5)::double precision)", "(rate > (0.5))"),
        ("(note <> 'a::text'::text)", "(note <> 'a::text')"),
    ],
)
def test_casts_are_removed_and_arrays_become_lists_for_sqlite(written: str, translated: str) -> None:
    assert condition_for_sqlite(written) == translated
