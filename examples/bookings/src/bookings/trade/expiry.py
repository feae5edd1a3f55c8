"""Ends the reservations whose time is over, and frees their seats.

Holds: each in a transaction of its own, so that it waits for nobody who takes seats; of several processes on one
database one ends it.
"""

from sqlalchemy import select

from bookings import tables as t
from bookings.clock import Clock, instant
from bookings.database import Database
from bookings.trade.settling import expire_order


class Expiry:
    """The broom that the running app moves every second."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def sweep(self) -> None:
        now = instant(self._clock())
        over = select(t.orders.c.id).where(t.orders.c.status == "reserved", t.orders.c.expires_at <= now)
        with self._database.read() as connection:
            ids = connection.scalars(over.order_by(t.orders.c.expires_at)).all()
        for order_id in ids:
            with self._database.write() as connection:
                expire_order(connection, order_id, now)
