"""What may become of an order: `open` → `paid` when nothing is due any more, → `cancelled` by request.

Holds: every step is one conditional UPDATE, so that of two callers at once one is refused.
Never: gives money back; what was paid for a cancelled order stays written in it.
"""

from typing import Any

from sqlalchemy import Connection, case, func, select, update

from bookings import tables as t
from bookings.errors import conflict, invalid
from bookings.rows import add_row
from bookings.schemas.trade import NewPayment
from bookings.trade.placing import CURRENCY


def cancel_order(connection: Connection, order_id: str, now: str) -> None:
    """Frees the seats and voids the tickets. The order is known to exist."""
    cancelled = connection.execute(
        update(t.orders)
        .where(t.orders.c.id == order_id, t.orders.c.status != "cancelled")
        .values(status="cancelled", cancelled_at=now, updated_at=now)
    )
    if not cancelled.rowcount:
        raise conflict("the order is cancelled already")
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
    of_order = select(items.id).where(items.order_id == order_id)
    connection.execute(update(t.tickets).where(t.tickets.c.item_id.in_(of_order)).values(valid=False, updated_at=now))


def pay_order(connection: Connection, order_id: str, payment: NewPayment, now: str) -> str:
    """Writes the payment and returns its id. The order is known to exist."""
    if (payment.method == "voucher") != (payment.voucher_code is not None):
        raise invalid("voucher_code", "goes with the method 'voucher', and only with it")
    orders, paid = t.orders.c, t.orders.c.paid + payment.amount
    received = connection.execute(
        update(t.orders)
        .where(orders.id == order_id, orders.status == "open", paid <= orders.price)
        .values(
            paid=paid,
            status=case((paid == orders.price, "paid"), else_=orders.status),
            updated_at=now,
        )
    )
    if not received.rowcount:
        raise conflict("the order is not open, or less than this is due")
    if payment.voucher_code is not None:
        _spend(connection, order_id, payment, now)
    values: dict[str, Any] = {**payment.model_dump(), "order_id": order_id, "currency": CURRENCY}
    return add_row(connection, t.payments, values, now)


def _spend(connection: Connection, order_id: str, payment: NewPayment, now: str) -> None:
    vouchers = t.vouchers.c
    vendor = select(t.orders.c.vendor_id).where(t.orders.c.id == order_id).scalar_subquery()
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
