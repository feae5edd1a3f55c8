"""The checksum of rows."""

from hypothesis import given
from hypothesis import strategies as st

from shardgate.split.database.rows import TableDigest, digest_of

rows = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.text(), st.none() | st.floats() | st.binary()))


@given(rows, st.randoms(use_true_random=False))
def test_the_checksum_does_not_depend_on_order_or_batches(found, chance) -> None:
    mixed = chance.sample(found, len(found))
    cut = chance.randint(0, len(found))
    assert digest_of(found) == digest_of(mixed[:cut]) + digest_of(mixed[cut:])


@given(rows.filter(bool), st.data())
def test_the_checksum_shows_a_row_lost_or_doubled(found, data) -> None:
    which = data.draw(st.integers(0, len(found) - 1))
    assert digest_of(found[:which] + found[which + 1 :]).checksum != digest_of(found).checksum
    assert digest_of([*found, found[which]]).checksum != digest_of(found).checksum


def test_values_of_different_types_have_different_checksums() -> None:
    values = [(1,), (1.0,), ("1",), (b"1",), (None,), ("",), (b"",)]
    assert len({digest_of([value]).checksum for value in values}) == len(values)
    assert digest_of([]) == TableDigest()
