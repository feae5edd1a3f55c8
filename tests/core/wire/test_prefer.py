"""The field `Prefer` (RFC 7240)."""

import time

import pytest

from shardgate.core.wire.prefer import preference


@pytest.mark.parametrize(
    ("field", "value", "parameters"),
    [
        ("shards=partial", "partial", {}),
        ("Shards = Partial", "partial", {}),
        ('return=minimal, shards="partial" , wait=10', "partial", {}),
        ("shards=quorum; count=2", "quorum", {"count": "2"}),
        ('shards=required;names="a b,c;d";x', "required", {"names": "a b,c;d", "x": ""}),
        ('shards=required;names="a \\"b\\""', "required", {"names": 'a "b"'}),
        ('other="shards=strict, x", shards=partial', "partial", {}),
        ("shards=strict, shards=partial", "strict", {}),
        ("shards=quorum;count=2;count=3", "quorum", {"count": "2"}),
        ("shards;", "", {}),
        ("shards=", "", {}),
    ],
)
def test_the_first_one_of_its_name_counts(field: str, value: str, parameters: dict[str, str]) -> None:
    found = preference(field.encode(), "shards")
    assert found is not None
    assert (found.value, found.parameters) == (value, parameters)


@pytest.mark.parametrize(
    "field", [None, b"", b"wait=10", b"shards=par tial", b'shards="partial', b"shards=a;b c", b"xshards=a"]
)
def test_what_cannot_be_read_is_no_preference(field: bytes | None) -> None:
    assert preference(field, "shards") is None


def test_a_client_repeats_only_what_it_wrote() -> None:
    found = preference(b"wait=10,  shards=quorum; count=2 , x", "shards")
    assert found is not None
    assert found.text == b"shards=quorum; count=2"


@pytest.mark.parametrize("field", [b'"\\' * 16_000, b'"' * 32_001, b'a="x",' * 5_000 + b'"', b"a;" * 16_000])
def test_it_is_read_in_one_pass(field: bytes) -> None:
    began_at = time.process_time()
    assert preference(field, "shards") is None
    assert time.process_time() - began_at < 0.5
