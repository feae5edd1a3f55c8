"""The time, and how this platform writes it down.

Holds: an instant is text `YYYY-MM-DDThh:mm:ssZ`, so that text order is time order everywhere.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]

INSTANT = "%Y-%m-%dT%H:%M:%SZ"


def utc_now() -> datetime:
    return datetime.now(UTC)


def instant(moment: datetime) -> str:
    return moment.strftime(INSTANT)


def later(moment: str, minutes: int) -> str:
    """The instant so many minutes after this one."""
    return instant(datetime.strptime(moment, INSTANT).replace(tzinfo=UTC) + timedelta(minutes=minutes))


def parse_instant(text: str) -> str:
    """The text itself, if it is an instant written the one allowed way."""
    moment = datetime.strptime(text, INSTANT).replace(tzinfo=UTC)
    if instant(moment) != text:
        raise ValueError(text)
    return text


def parse_day(text: str) -> str:
    """The text itself, if it is a day written YYYY-MM-DD."""
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError(text)
    return text
