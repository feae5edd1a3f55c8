"""What is sealed comes back as it was, in time and by the right secret; nothing else does."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.clients.identity import ANONYMOUS
from shardgate.core.cursors.seal import MergedCursor, Seal, digest
from shardgate.core.errors import BadCursorError

SEAL = Seal((b"s" * 32,), 60)
PLACE = MergedCursor(1_000, digest("/rows"), digest("0", "north"), b'{"id":"7"}', (None, "x"))


@given(st.binary(max_size=40), st.lists(st.none() | st.text(max_size=20), max_size=9))
def test_what_is_sealed_is_opened(key: bytes, places: list[str | None]) -> None:
    composite = MergedCursor(1_000, b"scope", b"map", key, tuple(places))
    assert SEAL.open(SEAL.close(composite), 999.9) == composite


def test_a_cursor_ends_in_time() -> None:
    with pytest.raises(BadCursorError, match="has expired"):
        SEAL.open(SEAL.close(PLACE), 1_000.0)


@given(st.data())
def test_one_bit_makes_it_unusable(data: st.DataObject) -> None:
    whole = bytearray(base64.urlsafe_b64decode(SEAL.close(PLACE) + "=="))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BadCursorError):
        SEAL.open(base64.urlsafe_b64encode(whole).rstrip(b"=").decode(), 0)


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadCursorError):
        SEAL.open(text, 0)


def test_another_secret_does_not_open_it() -> None:
    with pytest.raises(BadCursorError):
        Seal((b"t" * 32, b"u" * 32), 60).open(SEAL.close(PLACE), 0)
    assert Seal((b"t" * 32, b"s" * 32), 60).open(SEAL.close(PLACE), 0) == PLACE


def test_a_clients_cursor_is_no_other_clients_and_nobodys() -> None:
    mine = SEAL.close(PLACE, b"m" * 32)
    assert SEAL.open(mine, 0, b"m" * 32) == PLACE
    for other in (b"t" * 32, ANONYMOUS):
        with pytest.raises(BadCursorError, match="for this client"):
            SEAL.open(mine, 0, other)
    with pytest.raises(BadCursorError):
        SEAL.open(SEAL.close(PLACE), 0, b"m" * 32)


def test_a_cursor_of_a_client_cannot_be_passed_off_as_one_for_anybody() -> None:
    whole = base64.urlsafe_b64decode(SEAL.close(PLACE, b"m" * 32) + "==")
    forged = b"\x01" + whole[1:17] + b"m" * 32 + whole[17:]
    with pytest.raises(BadCursorError):
        SEAL.open(base64.urlsafe_b64encode(forged).rstrip(b"=").decode(), 0)


def test_a_cursor_does_not_say_whose_it_is() -> None:
    assert b"mmmm" not in base64.urlsafe_b64decode(SEAL.close(PLACE, b"m" * 32) + "==")
