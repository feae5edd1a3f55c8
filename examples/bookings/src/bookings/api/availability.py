"""The availability check: are there seats on these dates? A read, though it is a POST."""

from fastapi import APIRouter, Response
from sqlalchemy import select

from bookings import tables as t
from bookings.api.answers import ANSWERED
from bookings.api.filters import owned
from bookings.api.operation import CALENDAR_READ, Caller, Data, GuardedRoute, needs
from bookings.api.replies import json_reply
from bookings.errors import not_found
from bookings.resources import DATES
from bookings.schemas.catalogue import AvailabilityAnswer, AvailabilityQuestion

router = APIRouter(prefix="/v3/availability", tags=["dates"], route_class=GuardedRoute)


@router.post(
    "/check",
    operation_id="check_availability",
    response_model=AvailabilityAnswer,
    responses=ANSWERED,
    openapi_extra=needs(*CALENDAR_READ),
)
def check_availability(database: Data, client: Caller, body: AvailabilityQuestion) -> Response:
    wanted = sorted({item.date_id for item in body.items})
    statement = (
        select(t.dates.c.id, t.dates.c.capacity - t.dates.c.booked, t.events.c.active)
        .select_from(DATES.source)
        .where(t.dates.c.id.in_(wanted), *owned(DATES, client))
    )
    with database.read() as connection:
        found = {id_: (remaining, active) for id_, remaining, active in connection.execute(statement)}
    answers = []
    for item in body.items:
        if item.date_id not in found:
            raise not_found("date", item.date_id)
        remaining, active = found[item.date_id]
        answers.append(
            {
                "date_id": item.date_id,
                "quantity": item.quantity,
                "available": bool(active) and remaining >= item.quantity,
                "remaining": remaining,
            }
        )
    return json_reply({"items": answers})
