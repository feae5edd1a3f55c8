"""What resellers do by OCTO: reserve, also again with one uuid; extend, change, confirm, cancel; races for seats."""

import uuid
from typing import Any

from proof.writes.history import MARKETPLACE, Booking, Date, History
from proof.writes.trade import BUYERS

# Longer than a run: each side ends a reservation at a sweep of its own, up to a second after the other, and what both
# hold would differ until then. That reservations end is for the platform's own tests.
_LONGER = (45, 60, 300)
_CONTACT = {"fullName": "Ana Guest", "emailAddress": "ana@example.com", "country": "PT"}


def reserve(h: History) -> None:
    """With a uuid that the reseller has made, or none."""
    if not h.dates:
        return
    body = _reservation(h, h.one(h.dates))
    answer = h.send("POST", "/octo/bookings", h.spoiled(body, but=["uuid", "resellerReference"]), MARKETPLACE)
    if answer.status_code == 200:
        h.bookings.append(Booking(answer.json()["uuid"], {**body, "uuid": answer.json()["uuid"]}, "uuid" in body))


def reserve_again(h: History) -> None:
    """The first reply was lost: the same uuid, also several times at once, is the same booking."""
    if not h.bookings:
        return
    booking = h.one(h.bookings)
    asked = h.change("POST", "/octo/bookings", booking.reserved, MARKETPLACE)
    if asked.key is None and h.maybe(0.3):
        h.both.crowd([asked] * 3, alike=True)
    else:
        h.both.ask(asked)


def reserve_other_with_its_uuid(h: History) -> None:
    """One uuid for two different bookings is a mistake of the reseller."""
    if h.bookings:
        booking = h.one(h.bookings)
        units = [{"unitId": "adult"}] * (len(booking.reserved["unitItems"]) + 1)
        h.send("POST", "/octo/bookings", {**booking.reserved, "unitItems": units}, MARKETPLACE)


def reserve_elsewhere_with_its_uuid(h: History) -> None:
    """The same, for another product, which may be on another shard."""
    named = [booking for booking in h.bookings if booking.named]
    if named and h.dates:
        booking, date = h.one(named), h.one(h.dates)
        other = {"productId": date.event.id, "availabilityId": date.id}
        answer = h.send("POST", "/octo/bookings", {**booking.reserved, **other}, MARKETPLACE)
        if answer.status_code == 200:
            booking.reserved |= other


def extend(h: History) -> None:
    """Hold it longer."""
    _step(h, "POST", "/extend", {"expirationMinutes": h.one(_LONGER)})


def confirm(h: History) -> None:
    """Sell what is held."""
    _step(h, "POST", "/confirm", {"contact": _CONTACT, "resellerReference": h.slug("R")})


def cancel(h: History) -> None:
    """Give it back; a second time is refused."""
    _step(h, "POST", "/cancel", {"reason": "rain"})


def change(h: History) -> None:
    """What is said of it may change, its seats may not."""
    _step(h, "PATCH", "", h.one([{"notes": h.name("Note")}, {"optionId": "other"}, {"contact": _CONTACT}]))


def look(h: History) -> None:
    """A booking, by its uuid, and in the list of its product."""
    if h.bookings:
        booking = h.one(h.bookings)
        h.read(f"/octo/bookings/{booking.uuid}")
        product, days = booking.reserved["productId"], "localDateStart=2026-01-01&localDateEnd=2040-01-01"
        h.rows(f"/octo/bookings?{days}&productId={product}", order="any")


def availability(h: History) -> None:
    """What is left of a product."""
    if not h.dates:
        return
    date = h.one(h.dates)
    body = {"productId": date.event.id, "optionId": "DEFAULT", "availabilityIds": [date.id]}
    h.send("POST", "/octo/availability", body, MARKETPLACE)
    h.read(f"/octo/products/{date.event.id}")


def race_for_seats(h: History) -> None:
    """More resellers than seats, all at once."""
    if not h.dates:
        return
    event = h.one(h.dates).event
    reference, seats = h.slug("R"), h.random.randint(1, BUYERS - 2)
    body = {"start_date": h.day(), "start_time": "08:00", "capacity": seats}
    answer = h.send("POST", f"/v3/events/{event.id}/dates", body, client=MARKETPLACE)
    if answer.status_code != 201:
        return
    date = Date(answer.json()["id"], event, seats, 0)
    wanted = {**_reservation(h, date), "resellerReference": reference, "unitItems": [{"unitId": "adult"}]}
    wanted.pop("uuid", None)
    h.both.crowd([h.change("POST", "/octo/bookings", wanted, MARKETPLACE) for _ in range(BUYERS)], alike=False)
    h.read(f"/v3/dates/{date.id}")
    h.rows(f"/octo/bookings?resellerReference={reference}", order="any")


def _reservation(h: History, date: Date) -> dict[str, Any]:
    units = [{"unitId": h.one(["adult", "child"])} for _ in range(h.one([1, 1, 2]))]
    made = {"uuid": str(uuid.UUID(int=h.random.getrandbits(128), version=4))} if h.maybe(0.8) else {}
    return made | {
        "productId": date.event.id,
        "optionId": "DEFAULT",
        "availabilityId": date.id,
        "unitItems": units,
        "resellerReference": h.slug("R"),
    }


def _step(h: History, method: str, action: str, body: dict[str, Any]) -> None:
    booking = h.one(h.bookings).uuid if h.bookings and not h.maybe(0.04) else str(uuid.UUID(int=h.seed))
    h.send(method, f"/octo/bookings/{booking}{action}", h.spoiled(body))


STEPS = {
    reserve: 7,
    reserve_again: 3,
    reserve_other_with_its_uuid: 1,
    reserve_elsewhere_with_its_uuid: 2,
    extend: 2,
    confirm: 4,
    cancel: 3,
    change: 3,
    look: 4,
    availability: 3,
    race_for_seats: 1,
}
