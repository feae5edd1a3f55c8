"""Periods of a quota: calendar hours, days and months in UTC, as applications count them."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

Window = Literal["hour", "day", "month"]


class Period(msgspec.Struct, frozen=True):
    """One hour, day or month."""

    name: str
    """`2026-11`, `2026-11-27` or `2026-11-27T06`."""
    begins_at: float
    """Its first instant, in seconds since 1970."""
    ends_at: float
    """The first instant behind it, in seconds since 1970."""


def period_of(window: Window, at: float) -> Period:
    """The period that a time, in seconds since 1970, is in."""
    instant = datetime.fromtimestamp(at, UTC).replace(minute=0, second=0, microsecond=0)
    if window == "hour":
        return _period(instant, instant + timedelta(hours=1), "%Y-%m-%dT%H")
    day = instant.replace(hour=0)
    if window == "day":
        return _period(day, day + timedelta(days=1), "%Y-%m-%d")
    first = day.replace(day=1)
    return _period(first, (first + timedelta(days=31)).replace(day=1), "%Y-%m")


def _period(begins: datetime, ends: datetime, form: str) -> Period:
    return Period(begins.strftime(form), begins.timestamp(), ends.timestamp())
