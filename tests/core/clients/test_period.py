"""Periods of a quota are those of the calendar."""

from datetime import datetime

import pytest

from shardgate.core.clients.period import Window, period_of


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("window", "at", "name", "ends"),
    [
        ("month", "2026-11-27T06:00:00Z", "2026-11", "2026-12-01T00:00:00Z"),
        ("month", "2026-12-31T23:59:59.999Z", "2026-12", "2027-01-01T00:00:00Z"),
        ("month", "2027-01-01T00:00:00Z", "2027-01", "2027-02-01T00:00:00Z"),
        ("month", "2028-02-29T12:00:00Z", "2028-02", "2028-03-01T00:00:00Z"),
        ("month", "2026-12-01T00:30:00+01:00", "2026-11", "2026-12-01T00:00:00Z"),
        ("day", "2026-12-31T23:59:59Z", "2026-12-31", "2027-01-01T00:00:00Z"),
        ("hour", "2026-12-31T23:59:59Z", "2026-12-31T23", "2027-01-01T00:00:00Z"),
    ],
)
def test_periods_are_those_of_the_calendar_in_utc(window: Window, at: str, name: str, ends: str) -> None:
    period = period_of(window, instant(at))
    assert (period.name, period.ends_at) == (name, instant(ends))
    assert period_of(window, period.begins_at) == period
    assert period_of(window, period.ends_at).begins_at == period.ends_at
