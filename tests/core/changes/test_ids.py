"""Ids by their forms."""

import re
from uuid import UUID

import pytest

from shardgate.core.changes.ids import bits_of, id_of


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ("hex", r"[0-9a-f]{32}"),
        ("uuid", r"[0-9a-f-]{36}"),
        ("BK-?????-?????", r"BK-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}"),
    ],
)
def test_an_id_has_its_form_and_every_bit_counts(form: str, pattern: str) -> None:
    every = [id_of(form, number) for number in (0, 1, 2 ** (bits_of(form) - 1), 2 ** bits_of(form) - 1)]
    assert [text for text in every if not re.fullmatch(pattern, text)] == []
    assert len(set(every)) == len(every)


def test_a_uuid_is_one_of_version_4() -> None:
    assert UUID(id_of("uuid", 0)).version == UUID(id_of("hex", 2**128 - 1)).version == 4


def test_no_letter_reads_like_a_digit() -> None:
    shown = {letter for number in range(32) for letter in id_of("?????", number)}
    assert shown & set("ILOU") == set()
