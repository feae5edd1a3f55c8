"""What may become of an order: `reserved` → `open` when it is confirmed, → `expired` when nobody does in time; `open` →
`paid` when nothing is due any more; → `cancelled` by request from any of them but `expired`.

Holds: every step is one conditional UPDATE, so that of two callers at once one is refused. An order over several
vendors is paid in one payment, so that each vendor's part is paid or is not.
Never: gives money back; what was paid for a cancelled order stays written in it.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from bookings import tables as t
from bookings.errors import conflict, invalid
from bookings.rows import add_row, unique
from bookings.schemas.trade import NewPayment
from bookings.trade.placing import CURRENCY

ENDED = ("cancelled", "expired")


def confirm_order(connection: Connection, order_id: str, now: str) -> bool:
    """Turns a reserved order into a real one; False: it was one already, and stays as it is. It is known to exist."""
    orders = t.orders.c
    confirmed = connection.execute(
        update(t.orders)
        .where(orders.id == order_id, orders.status == "reserved", orders.expires_at > now)
        .values(status=case((orders.price == 0, "paid"), else_="open"), expires_at=None, updated_at=now)
    )
    if confirmed.rowcount:
        _validate_tickets(connection, order_id, now, valid=True)
        return True
    # Locked, so that what is confirmed already is not cancelled before its reply is read.
    status = connection.scalar(select(orders.status).where(orders.id == order_id).with_for_update())
    if status not in {"open", "paid"}:
        raise conflict("the order is cancelled, or its reservation has ended")
    return False


def extend_order(connection: Connection, order_id: str, expires_at: str, now: str) -> None:
    """Holds the seats of a reserved order for another while. The order is known to exist."""
    orders = t.orders.c
    extended = connection.execute(
        update(t.orders)
        .where(orders.id == order_id, orders.status == "reserved", orders.expires_at > now)
        .values(expires_at=expires_at, updated_at=now)
    )
    if not extended.rowcount:
        raise conflict("the order is not reserved, or its reservation has ended")


def cancel_order(connection: Connection, order_id: str, now: str) -> None:
    """Frees the seats and voids the tickets. The order is known to exist."""
    going = t.orders.c.status.not_in(ENDED)
    if not _end(connection, order_id, [going], now, status="cancelled", cancelled_at=now, expires_at=None):
        raise conflict("the order is cancelled already, or its reservation has ended")


def expire_order(connection: Connection, order_id: str, now: str) -> None:
    """Frees the seats of a reservation whose time is over; nothing, if it was confirmed meanwhile."""
    over = (t.orders.c.status == "reserved", t.orders.c.expires_at <= now)
    _end(connection, order_id, over, now, status="expired")


def _end(connection: Connection, order_id: str, conditions: Any, now: str, **values: Any) -> bool:
    ended = connection.execute(
        update(t.orders).where(t.orders.c.id == order_id, *conditions).values(updated_at=now, **values)
    )
    if not ended.rowcount:
        return False
    _free_seats(connection, order_id, now)
    _validate_tickets(connection, order_id, now, valid=False)
    return True


def _free_seats(connection: Connection, order_id: str, now: str) -> None:
    items = t.order_items.c
    seats = connection.execute(
        select(items.date_id, func.sum(items.quantity))
        .where(items.order_id == order_id)
        .group_by(items.date_id)
        .order_by(items.date_id)  # the order in which placing takes them
    ).all()
    for date_id, quantity in seats:
        connection.execute(
            update(t.dates)
            .where(t.dates.c.id == date_id)
            .values(booked=t.dates.c.booked - int(quantity), updated_at=now)
        )


def _validate_tickets(connection: Connection, order_id: str, now: str, *, valid: bool) -> None:
    of_order = select(t.order_items.c.id).where(t.order_items.c.order_id == order_id)
    changed = update(t.tickets).where(t.tickets.c.item_id.in_(of_order), t.tickets.c.valid.is_not(valid))
    connection.execute(changed.values(valid=valid, updated_at=now))


def pay_order(connection: Connection, order_id: str, payment: NewPayment, now: str) -> str:
    """Writes the payment and returns its id. The order is known to exist."""
    if (payment.method == "voucher") != (payment.voucher_code is not None):
        raise invalid("voucher_code", "goes with the method 'voucher', and only with it")
    orders, paid = t.orders.c, t.orders.c.paid + payment.amount
    received = connection.execute(
        update(t.orders)
        .where(orders.id == order_id, orders.status == "open", _payable(payment))
        .values(
            paid=paid,
            status=case((paid == orders.price, "paid"), else_=orders.status),
            updated_at=now,
        )
    )
    if not received.rowcount:
        raise conflict("the order is not open, or less than this is due, or it is of several vendors and more is due")
    if payment.voucher_code is not None:
        _spend(connection, order_id, payment, now)
    values: dict[str, Any] = {**payment.model_dump(), "order_id": order_id, "currency": CURRENCY}
    with unique("the id is taken"):
        return add_row(connection, t.payments, values, now)


def _payable(payment: NewPayment) -> ColumnElement[bool]:
    """Not more than is due; of an order over several vendors all of it."""
    orders, paid = t.orders.c, t.orders.c.paid + payment.amount
    return case((orders.vendor_count == 1, paid <= orders.price), else_=paid == orders.price)


def _spend(connection: Connection, order_id: str, payment: NewPayment, now: str) -> None:
    vouchers = t.vouchers.c
    one_vendor = (t.orders.c.id == order_id, t.orders.c.vendor_count == 1)
    vendor = select(t.orders.c.vendor_id).where(*one_vendor).scalar_subquery()
    mine = (vouchers.vendor_id == vendor, vouchers.code == payment.voucher_code)
    spent = connection.execute(
        update(t.vouchers)
        .where(*mine, vouchers.balance >= payment.amount)
        .values(balance=vouchers.balance - payment.amount, updated_at=now)
    )
    if spent.rowcount:
        return
    if connection.scalar(select(vouchers.id).where(*mine)) is None:
        raise invalid("voucher_code", "is not a voucher of the order's vendor")
    raise conflict("the voucher has not this much left")
