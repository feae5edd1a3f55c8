"""The availability of a product: its dates with the seats that are left, and its calendar.

Holds: `vacancies` are the platform's own seats, so that all doors sell from one stock.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from bookings import tables as t
from bookings.clock import instant
from bookings.octo.bodies import OctoAvailabilityQuestion, OctoCalendarQuestion, plain_day
from bookings.octo.products import UNIT_IDS
from bookings.octo.refusals import bad_request
from bookings.rows import AnyRow

DAYS_MAX = 366

COLUMNS = (
    t.dates.c.id,
    t.dates.c.start_date,
    t.dates.c.start_time,
    t.dates.c.capacity,
    t.dates.c.booked,
    t.events.c.duration_minutes,
)


def dates_wanted(question: OctoAvailabilityQuestion) -> list[ColumnElement[bool]]:
    """Which dates are asked for: by day, by a range of days, or by their ids."""
    dates = t.dates.c
    wanted: list[ColumnElement[bool]] = []
    if question.availability_ids is not None:
        wanted.append(dates.id.in_(question.availability_ids))
    if question.local_date is not None:
        wanted.append(dates.start_date == plain_day("localDate", question.local_date))
    if question.local_date_start is not None or question.local_date_end is not None:
        wanted += on_days(*days_wanted(question))
    if not wanted:
        raise bad_request("localDate, localDateStart and localDateEnd, or availabilityIds is needed")
    return wanted


def days_wanted(question: OctoCalendarQuestion) -> tuple[str, str]:
    """The first and the last day that are asked for."""
    first = plain_day("localDateStart", question.local_date_start)
    last = plain_day("localDateEnd", question.local_date_end)
    if (date.fromisoformat(last) - date.fromisoformat(first)).days > DAYS_MAX:
        raise bad_request("cannot request more than 1 year of availability")
    return first, last


def on_days(first: str, last: str) -> list[ColumnElement[bool]]:
    """Dates from one day to another."""
    return [t.dates.c.start_date >= first, t.dates.c.start_date <= last]


def seats_wanted(question: OctoCalendarQuestion) -> int:
    """How many seats must be left for a date to be available."""
    units = question.units or ()
    for unit in units:
        if unit.id not in UNIT_IDS:
            raise bad_request(f"units: there is no unit {unit.id!r}")
    return max(1, sum(unit.quantity for unit in units))


def read_availability(
    connection: Connection, product_id: str, conditions: Sequence[ColumnElement[bool]], seats: int
) -> list[dict[str, Any]]:
    """One object a date, in the order of time."""
    return [availability(row, seats) for row in _dates_of(connection, product_id, conditions)]


def read_calendar(connection: Connection, product_id: str, days: tuple[str, str], seats: int) -> list[dict[str, Any]]:
    """One object a day; a day without dates is closed."""
    of_day: dict[str, list[AnyRow]] = defaultdict(list)
    for row in _dates_of(connection, product_id, on_days(*days)):
        of_day[row.start_date].append(row)
    first, last = map(date.fromisoformat, days)
    every = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
    return [_calendar_day(day, of_day[day], seats) for day in every]


def availability(row: AnyRow, seats: int = 1) -> dict[str, Any]:
    """A date as OCTO has it. The row has COLUMNS."""
    start = datetime.fromisoformat(f"{row.start_date}T{row.start_time}:00+00:00")
    vacancies = row.capacity - row.booked
    return {
        "id": row.id,
        "localDateTimeStart": start.isoformat(),
        "localDateTimeEnd": (start + timedelta(minutes=row.duration_minutes)).isoformat(),
        "utcCutoffAt": instant(start),
        "allDay": False,
        "available": vacancies >= seats,
        "status": _status(vacancies, row.capacity, seats),
        "vacancies": vacancies,
        "capacity": row.capacity,
        "maxUnits": None,
        "openingHours": [],
    }


def _dates_of(connection: Connection, product_id: str, conditions: Sequence[ColumnElement[bool]]) -> Sequence[AnyRow]:
    statement = select(*COLUMNS).join_from(t.dates, t.events).where(t.dates.c.event_id == product_id, *conditions)
    return connection.execute(statement.order_by(t.dates.c.start_date, t.dates.c.start_time, t.dates.c.id)).all()


def _calendar_day(day: str, rows: Sequence[AnyRow], seats: int) -> dict[str, Any]:
    vacancies = max((row.capacity - row.booked for row in rows), default=0)
    capacity = sum(row.capacity for row in rows)
    return {
        "localDate": day,
        "available": vacancies >= seats,
        "status": _status(vacancies, max((row.capacity for row in rows), default=0), seats) if rows else "CLOSED",
        "vacancies": vacancies,
        "capacity": capacity,
        "openingHours": [],
    }


def _status(vacancies: int, capacity: int, seats: int) -> str:
    if vacancies < seats:
        return "SOLD_OUT"
    return "AVAILABLE" if 2 * vacancies >= capacity else "LIMITED"
