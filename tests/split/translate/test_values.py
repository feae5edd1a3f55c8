"""The same value in SQLite and in PostgreSQL has one plain form."""

import pytest

from shardgate.split.database.rows import digest_of
from shardgate.split.database.schema import ColumnKind
from shardgate.split.translate.values import plain_rows

SAME = [
    (ColumnKind.BOOLEAN, 1, b"t"),
    (ColumnKind.BOOLEAN, 0, b"f"),
    (ColumnKind.INTEGER, -(2**63), b"-9223372036854775808"),
    (ColumnKind.FLOAT, 0.1, b"0.1"),
    (ColumnKind.FLOAT, 5, b"5"),
    (ColumnKind.FLOAT, -0.0, b"-0"),
    (ColumnKind.DECIMAL, 1.5, b"1.50"),
    (ColumnKind.DECIMAL, 12, b"12.00"),
    (ColumnKind.DECIMAL, "0.10", b"0.1"),
    (ColumnKind.TEXT, "tab\tand\\", rb"tab\tand\\"),
    (ColumnKind.BYTES, b"\x00\xff", rb"\\x00ff"),
    (ColumnKind.INSTANT, "2024-02-29 12:00:00", b"2024-02-29 12:00:00"),
    (ColumnKind.INSTANT, "2024-02-29T12:00:00.500", b"2024-02-29 12:00:00.5"),
    (ColumnKind.INSTANT, "2024-02-29T12:00:00Z", b"2024-02-29 12:00:00+00"),
    (ColumnKind.INSTANT, "2024-02-29T13:00:00+01:00", b"2024-02-29 12:00:00+00"),
    (ColumnKind.DATE, "2024-02-29", b"2024-02-29"),
    (ColumnKind.TIME, "09:30:00", b"09:30:00"),
    (ColumnKind.JSON, '{"a": 1}', b'{"a": 1}'),
    (ColumnKind.JSON, 7, b"7"),
    (ColumnKind.JSON, 1.5, b"1.50"),
    (ColumnKind.UUID, "00000000000000000000000000000001", b"00000000-0000-0000-0000-000000000001"),
    (ColumnKind.TEXT, None, rb"\N"),
]


@pytest.mark.parametrize(("kind", "stored", "printed"), SAME)
def test_the_same_value_has_one_plain_form(kind: ColumnKind, stored: object, printed: bytes) -> None:
    kinds = {"x": kind}
    from_sqlite = plain_rows([(stored,)], kinds)  # type: ignore[list-item]
    from_postgres = plain_rows([printed + b"\n"], kinds)
    assert from_sqlite == from_postgres
    assert digest_of(from_sqlite) == digest_of(from_postgres)


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (ColumnKind.INTEGER, "many"),
        (ColumnKind.BOOLEAN, 2),
        (ColumnKind.TEXT, 5),
        (ColumnKind.INSTANT, "yesterday"),
        (ColumnKind.DATE, 20240229),
        (ColumnKind.DECIMAL, "NaN"),
        (ColumnKind.BYTES, "text"),
    ],
)
def test_a_value_that_does_not_fit_its_column_is_named(kind: ColumnKind, stored: object) -> None:
    with pytest.raises(ValueError, match=f"column b holds .*, which is not a valid {kind.value}"):
        plain_rows([(1, None), (2, stored)], {"a": ColumnKind.INTEGER, "b": kind})  # type: ignore[list-item]
