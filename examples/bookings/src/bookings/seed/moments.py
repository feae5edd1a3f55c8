"""The calendar of the reference data.

Holds: it is fixed, so that the same seed gives the same rows on any day.
"""

from datetime import UTC, date, datetime, timedelta
from random import Random

from bookings.clock import instant

CATALOGUE = datetime(2023, 1, 1, tzinfo=UTC)
ORDERS = datetime(2025, 1, 1, tzinfo=UTC)
SEASON = date(2026, 1, 1)

_YEAR_S = 365 * 24 * 3600


def in_years(random: Random, start: datetime, years: int = 1) -> datetime:
    return start + timedelta(seconds=random.randrange(years * _YEAR_S))


def stamps(random: Random, start: datetime, years: int = 1) -> tuple[str, str]:
    """Created and updated: the same for half of all rows, later for the others."""
    created = in_years(random, start, years)
    later = random.randrange(_YEAR_S // 2) if random.random() < 0.5 else 0
    return instant(created), instant(created + timedelta(seconds=later))


def day(random: Random) -> str:
    return (SEASON + timedelta(days=random.randrange(365))).isoformat()
