"""Column defaults for the other database."""

import pytest

from shardgate.split.database.schema import ColumnKind
from shardgate.split.translate.types import default_of


@pytest.mark.parametrize(
    ("default", "kind", "to_postgres", "expected"),
    [
        (None, ColumnKind.TEXT, True, ""),
        ("'a''b'", ColumnKind.TEXT, True, "'a''b'"),
        ("'x'::character varying", ColumnKind.TEXT, False, "'x'"),
        ("1", ColumnKind.BOOLEAN, True, "true"),
        ("false", ColumnKind.BOOLEAN, False, "0"),
        ("now()", ColumnKind.INSTANT, False, "CURRENT_TIMESTAMP"),
        ("CURRENT_TIMESTAMP", ColumnKind.INSTANT, True, "CURRENT_TIMESTAMP"),
        ("gen_random_uuid()", ColumnKind.UUID, False, None),
    ],
)
def test_a_default_is_translated_or_known_to_be_untranslatable(default, kind, to_postgres, expected) -> None:
    assert default_of(default, kind, to_postgres=to_postgres) == expected
