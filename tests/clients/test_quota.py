"""Quotas, counted without a gateway; the test says what time it is."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shardgate.clients.quota import Quota
from shardgate.core.clients.terms import QuotaTerms, Wording
from shardgate.store.sqlite import SqliteStore
from shardgate.store.tally import NAME_BYTES_MAX, Tally
from shardgate.store.usage import Usage
from shardgate.store.writer import Writer

LAST_SECOND = datetime(2026, 11, 27, 5, 59, 59, tzinfo=UTC).timestamp()


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = LAST_SECOND

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "store.db")
    yield writer
    writer.close()


@pytest.fixture
def start(writer: Writer, clock: Clock) -> Iterator[Any]:
    """Make the quota of one worker: `start(calls=3, tally=…)`."""
    made: list[Quota] = []

    def start(calls: int = 3, tally: Tally | None = None, *, headers: bool = True) -> Quota:
        terms = QuotaTerms(calls, "hour", headers, 5.0, Wording())
        made.append(Quota(terms, tally or Tally(), writer, clock))
        return made[-1]

    yield start
    for quota in made:
        quota.close()


def spent(quota: Quota, client: str, times: int) -> list[bool]:
    return [quota.count(client, "/")[1] is not None for _ in range(times)]


def test_calls_beyond_the_quota_are_refused_until_the_period_ends(start: Any, clock: Clock) -> None:
    quota = start(calls=2)
    assert spent(quota, "one", 4) == [False, False, True, True]
    assert spent(quota, "other", 1) == [False]
    clock.at += 1
    assert spent(quota, "one", 3) == [False, False, True]


def test_the_refusal_says_when_to_come_again(start: Any) -> None:
    quota = start(calls=1)
    quota.count("one", "/")
    lines, refusal = quota.count("one", "/")
    assert refusal.retry_after_s == 2  # the second that is left, and one that makes up for rounding
    assert "1 calls per hour" in refusal.detail
    assert b'"hour";r=0;t=2' in lines


def test_header_lines_are_left_out_where_they_are_not_wanted(start: Any) -> None:
    assert start(headers=False).count("one", "/")[0] == b""


async def test_what_was_counted_is_stored_and_read_by_the_next_gateway(start: Any, writer: Writer) -> None:
    first = start(calls=3)
    spent(first, "one", 2)
    await first.store_counts()
    with SqliteStore(writer.place) as store:
        assert Usage(store).calls("2026-11-27T05", "one") == 2
    assert spent(start(calls=3), "one", 2) == [False, True]


async def test_counts_that_cannot_be_stored_are_stored_later(
    start: Any, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    quota = start(calls=9)
    spent(quota, "one", 2)
    with sqlite3.connect(writer.place) as connection:
        connection.execute("ALTER TABLE usage RENAME TO away")
    await quota.store_counts()
    assert "they stay in memory and are stored later" in caplog.text
    with sqlite3.connect(writer.place) as connection:
        connection.execute("ALTER TABLE away RENAME TO usage")
    await quota.store_counts()
    with SqliteStore(writer.place) as store:
        assert Usage(store).calls("2026-11-27T05", "one") == 2


def test_workers_that_share_a_tally_share_the_quota(start: Any) -> None:
    tally = Tally()
    first, second = start(calls=3, tally=tally), start(calls=3, tally=tally)
    assert spent(first, "one", 2) + spent(second, "one", 2) == [False, False, False, True]


@pytest.mark.parametrize("name", ["x" * NAME_BYTES_MAX, "two\nlines", "\ud800"], ids=["long", "lines", "surrogate"])
def test_a_name_that_does_not_fit_a_row_is_counted_by_its_digest(start: Any, name: str) -> None:
    quota = start(calls=2)
    assert spent(quota, name, 3) == [False, False, True]
    assert spent(quota, name + "x", 1) == [False]
