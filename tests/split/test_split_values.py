"""Values, types and conditions between SQLite and PostgreSQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.split.postgres_read import parse_line
from shardgate.split.rows import Content, content_of
from shardgate.split.schema import Kind
from shardgate.split.translate_conditions import condition_for_postgres, condition_for_sqlite
from shardgate.split.translate_types import default_of
from shardgate.split.values import plain_rows

SAME = [
    (Kind.BOOLEAN, 1, b"t"),
    (Kind.BOOLEAN, 0, b"f"),
    (Kind.INTEGER, -(2**63), b"-9223372036854775808"),
    (Kind.FLOAT, 0.1, b"0.1"),
    (Kind.FLOAT, 5, b"5"),
    (Kind.FLOAT, -0.0, b"-0"),
    (Kind.DECIMAL, 1.5, b"1.50"),
    (Kind.DECIMAL, 12, b"12.00"),
    (Kind.DECIMAL, "0.10", b"0.1"),
    (Kind.TEXT, "tab\tand\\", rb"tab\tand\\"),
    (Kind.BYTES, b"\x00\xff", rb"\\x00ff"),
    (Kind.INSTANT, "2024-02-29 12:00:00", b"2024-02-29 12:00:00"),
    (Kind.INSTANT, "2024-02-29T12:00:00.500", b"2024-02-29 12:00:00.5"),
    (Kind.INSTANT, "2024-02-29T12:00:00Z", b"2024-02-29 12:00:00+00"),
    (Kind.INSTANT, "2024-02-29T13:00:00+01:00", b"2024-02-29 12:00:00+00"),
    (Kind.DATE, "2024-02-29", b"2024-02-29"),
    (Kind.TIME, "09:30:00", b"09:30:00"),
    (Kind.JSON, '{"a": 1}', b'{"a": 1}'),
    (Kind.JSON, 7, b"7"),
    (Kind.JSON, 1.5, b"1.50"),
    (Kind.UUID, "00000000000000000000000000000001", b"00000000-0000-0000-0000-000000000001"),
    (Kind.TEXT, None, rb"\N"),
]


@pytest.mark.parametrize(("kind", "stored", "printed"), SAME)
def test_the_same_value_has_one_plain_form(kind: Kind, stored: object, printed: bytes) -> None:
    kinds = {"x": kind}
    from_sqlite = plain_rows([(stored,)], kinds)  # type: ignore[list-item]
    from_postgres = plain_rows([printed + b"\n"], kinds)
    assert from_sqlite == from_postgres
    assert content_of(from_sqlite) == content_of(from_postgres)


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (Kind.INTEGER, "many"),
        (Kind.BOOLEAN, 2),
        (Kind.TEXT, 5),
        (Kind.INSTANT, "yesterday"),
        (Kind.DATE, 20240229),
        (Kind.DECIMAL, "NaN"),
        (Kind.BYTES, "text"),
    ],
)
def test_a_value_that_does_not_fit_is_named(kind: Kind, stored: object) -> None:
    with pytest.raises(ValueError, match=f"column b holds .*, which is no {kind.value}"):
        plain_rows([(1, None), (2, stored)], {"a": Kind.INTEGER, "b": kind})  # type: ignore[list-item]


def test_a_printed_line_is_taken_apart() -> None:
    line = rb"plain	\N		a\tb\nc\\d	\\N" + b"\n"
    assert parse_line(line) == (b"plain", None, b"", b"a\tb\nc\\d", b"\\N")


rows = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.text(), st.none() | st.floats() | st.binary()))


@given(rows, st.randoms(use_true_random=False))
def test_the_checksum_does_not_depend_on_order_or_batches(found, chance) -> None:
    mixed = chance.sample(found, len(found))
    cut = chance.randint(0, len(found))
    assert content_of(found) == content_of(mixed[:cut]) + content_of(mixed[cut:])


@given(rows.filter(bool), st.data())
def test_the_checksum_shows_a_row_lost_or_doubled(found, data) -> None:
    which = data.draw(st.integers(0, len(found) - 1))
    assert content_of(found[:which] + found[which + 1 :]).checksum != content_of(found).checksum
    assert content_of([*found, found[which]]).checksum != content_of(found).checksum


def test_kinds_of_values_are_told_apart() -> None:
    values = [(1,), (1.0,), ("1",), (b"1",), (None,), ("",), (b"",)]
    assert len({content_of([value]).checksum for value in values}) == len(values)
    assert content_of([]) == Content()


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
def test_truth_is_spelled_as_postgresql_does(written: str, translated: str) -> None:
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
def test_casts_and_arrays_are_spelled_as_sqlite_does(written: str, translated: str) -> None:
    assert condition_for_sqlite(written) == translated


@pytest.mark.parametrize(
    ("default", "kind", "to_postgres", "expected"),
    [
        (None, Kind.TEXT, True, ""),
        ("'a''b'", Kind.TEXT, True, "'a''b'"),
        ("'x'::character varying", Kind.TEXT, False, "'x'"),
        ("1", Kind.BOOLEAN, True, "true"),
        ("false", Kind.BOOLEAN, False, "0"),
        ("now()", Kind.INSTANT, False, "CURRENT_TIMESTAMP"),
        ("CURRENT_TIMESTAMP", Kind.INSTANT, True, "CURRENT_TIMESTAMP"),
        ("gen_random_uuid()", Kind.UUID, False, None),
    ],
)
def test_defaults(default, kind, to_postgres, expected) -> None:
    assert default_of(default, kind, to_postgres=to_postgres) == expected
