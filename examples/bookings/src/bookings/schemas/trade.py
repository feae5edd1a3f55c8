"""Bodies of the trade: orders, tickets, payments, coupons, vouchers, users, the sales report."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bookings.schemas.catalogue import Wanted
from bookings.schemas.values import (
    Body,
    Change,
    Code,
    Day,
    Email,
    Id,
    Money,
    Name,
    Reference,
    Reply,
)

Status = Literal["reserved", "open", "paid", "cancelled", "expired"]
Method = Literal["card", "transfer", "cash", "voucher"]
Role = Literal["owner", "manager", "agent", "guide"]
Percent = Annotated[int, Field(ge=1, le=100)]
ReserveMinutes = Annotated[
    int, Field(ge=1, le=1440, description="Only hold the seats, for so long; the order is then to be confirmed.")
]
Amount = Annotated[int, Field(ge=1, le=10**12, description="In minor units (cents).")]


class Customer(Reply):
    """Who ordered."""

    name: str | None
    email: str | None


class OrderItem(Reply):
    """Seats on one date; the price is the line's, coupon included."""

    id: str
    event_id: str
    date_id: str
    start_date: str
    quantity: int
    price: int


class Order(Reply):
    """An order with its items, as they take place. One over several vendors has no `vendor_id`."""

    id: str
    vendor_id: str | None
    code: str
    status: Status
    customer: Customer | None
    price: int
    paid: int
    currency: str
    coupon_code: str | None
    cancelled_at: str | None
    expires_at: str | None
    created_at: str
    updated_at: str
    items: list[OrderItem]


class NewCustomer(Body):
    """Who orders."""

    name: Name | None = None
    email: Email | None = None


class NewOrder(Body):
    """An order to place. With a `vendor_id`, all its items are of that vendor; without, they may be of several.

    Whoever keeps several systems alike chooses the id and the code.
    """

    id: Id | None = None
    code: Code | None = None
    vendor_id: Reference | None = None
    customer: NewCustomer | None = None
    items: Annotated[list[Wanted], Field(min_length=1, max_length=50)]
    coupon_code: Code | None = None
    reserve_minutes: ReserveMinutes | None = None


class OrderChange(Change):
    """What may change in an order; null takes the customer away."""

    nullable: ClassVar[frozenset[str]] = frozenset({"customer"})

    customer: NewCustomer | None = None


class Ticket(Reply):
    """Lets one person in."""

    id: str
    order_id: str
    item_id: str
    event_id: str
    date_id: str
    code: str
    valid: bool
    created_at: str
    updated_at: str


class Payment(Reply):
    """Money received for an order."""

    id: str
    order_id: str
    amount: int
    currency: str
    method: Method
    voucher_code: str | None
    created_at: str
    updated_at: str


class NewPayment(Body):
    """Money to receive; a voucher's code goes with the method `voucher` and no other."""

    id: Id | None = None
    amount: Amount
    method: Method
    voucher_code: Code | None = None


class Coupon(Reply):
    """A discount that a vendor gives."""

    id: str
    vendor_id: str
    code: str
    percent: int
    active: bool
    created_at: str
    updated_at: str


class NewCoupon(Body):
    """A coupon to create."""

    code: Code
    percent: Percent


class CouponChange(Change):
    """What may change in a coupon."""

    percent: Percent | SkipJsonSchema[None] = None
    active: bool | SkipJsonSchema[None] = None


class Voucher(Reply):
    """Money paid ahead, to be spent with one vendor."""

    id: str
    vendor_id: str
    code: str
    value: int
    balance: int
    currency: str
    expires_on: str | None
    created_at: str
    updated_at: str


class NewVoucher(Body):
    """A voucher to create; its balance is its value."""

    code: Code
    value: Amount
    expires_on: Day | None = None


class VoucherChange(Change):
    """What may change in a voucher; null takes its end away."""

    nullable: ClassVar[frozenset[str]] = frozenset({"expires_on"})

    balance: Money | SkipJsonSchema[None] = None
    expires_on: Day | None = None


class User(Reply):
    """Somebody who works for a vendor."""

    id: str
    vendor_id: str
    name: str
    email: str
    role: Role
    active: bool
    created_at: str
    updated_at: str


class NewUser(Body):
    """A user to create."""

    name: Name
    email: Email
    role: Role


class UserChange(Change):
    """What may change in a user."""

    name: Name | SkipJsonSchema[None] = None
    role: Role | SkipJsonSchema[None] = None
    active: bool | SkipJsonSchema[None] = None


class SalesRow(Reply):
    """What was sold under one key, cancelled orders left out."""

    key: str
    orders: int
    tickets: int
    revenue: int
    average: float


class TokenReply(Reply):
    """An access token."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
