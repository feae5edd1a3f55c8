"""When a table counts as verified."""

from shardgate.split.database.rows import TableDigest
from shardgate.split.verify import VerifiedTable

SENT = (TableDigest(2, 20), TableDigest(1, 10))


def table(found: tuple[TableDigest, ...], *, source_rows: int = 3, divided: bool = True) -> VerifiedTable:
    return VerifiedTable("events", divided, source_rows, SENT, found)


def test_a_table_is_sound_if_the_shards_have_what_was_sent() -> None:
    assert table(SENT).sound


def test_another_checksum_is_not_sound() -> None:
    found = table((TableDigest(2, 21), SENT[1]))
    assert found.complete
    assert not found.sound


def test_a_divided_table_must_add_up_to_the_source() -> None:
    assert not table(SENT, source_rows=4).complete
    assert not table(SENT, source_rows=4).sound


def test_a_reference_table_must_be_whole_on_every_shard() -> None:
    whole = (TableDigest(3, 30), TableDigest(3, 30))
    assert VerifiedTable("countries", divided=False, source_rows=3, sent=whole, found=whole).sound
    assert not table(SENT, divided=False).complete
