"""Bodies of the catalogue: categories, vendors, events, dates, availability."""

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bookings.schemas.values import (
    Body,
    Change,
    Day,
    Email,
    Id,
    LongText,
    Money,
    Name,
    Quantity,
    Reference,
    Reply,
    Seats,
    Slug,
    TimeOfDay,
)

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Minutes = Annotated[int, Field(ge=1, le=100_000)]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")]


class Category(Reply):
    """A kind of event."""

    id: str
    slug: str
    name: str
    created_at: str
    updated_at: str


class NewCategory(Body):
    """A category to create; whoever keeps several systems alike chooses the id."""

    id: Id | None = None
    slug: Slug
    name: Name


class CategoryChange(Change):
    """What may change in a category."""

    slug: Slug | SkipJsonSchema[None] = None
    name: Name | SkipJsonSchema[None] = None


class Vendor(Reply):
    """Who offers events."""

    id: str
    name: str
    email: str
    city: str
    country: str
    rating: float | None
    active: bool
    created_at: str
    updated_at: str


class NewVendor(Body):
    """A vendor to create; whoever keeps several systems alike chooses the id."""

    id: Id | None = None
    name: Name
    email: Email
    city: Name
    country: Country


class VendorChange(Change):
    """What may change in a vendor."""

    name: Name | SkipJsonSchema[None] = None
    email: Email | SkipJsonSchema[None] = None
    city: Name | SkipJsonSchema[None] = None
    country: Country | SkipJsonSchema[None] = None
    active: bool | SkipJsonSchema[None] = None


class Event(Reply):
    """A tour or activity that can be booked."""

    id: str
    vendor_id: str
    category_id: str
    name: str
    description: str
    city: str
    country: str
    latitude: float
    longitude: float
    price: int
    currency: str
    duration_minutes: int
    capacity: int
    rating: float | None
    reviews: int
    active: bool
    created_at: str
    updated_at: str


class NewEvent(Body):
    """An event to create."""

    vendor_id: Reference
    category_id: Reference
    name: Name
    description: LongText
    city: Name
    country: Country
    latitude: Latitude
    longitude: Longitude
    price: Money
    duration_minutes: Minutes
    capacity: Seats


class EventChange(Change):
    """What may change in an event."""

    category_id: Reference | SkipJsonSchema[None] = None
    name: Name | SkipJsonSchema[None] = None
    description: LongText | SkipJsonSchema[None] = None
    city: Name | SkipJsonSchema[None] = None
    country: Country | SkipJsonSchema[None] = None
    latitude: Latitude | SkipJsonSchema[None] = None
    longitude: Longitude | SkipJsonSchema[None] = None
    price: Money | SkipJsonSchema[None] = None
    duration_minutes: Minutes | SkipJsonSchema[None] = None
    capacity: Seats | SkipJsonSchema[None] = None
    active: bool | SkipJsonSchema[None] = None


class Date(Reply):
    """A slot of an event, with its seats."""

    id: str
    event_id: str
    vendor_id: str
    start_date: str
    start_time: str
    capacity: int
    booked: int
    price: int
    currency: str
    created_at: str
    updated_at: str


class NewDate(Body):
    """A date to create; capacity and price are the event's unless given."""

    start_date: Day
    start_time: TimeOfDay
    capacity: Seats | None = None
    price: Money | None = None


class DateChange(Change):
    """What may change in a date."""

    capacity: Seats | SkipJsonSchema[None] = None
    price: Money | SkipJsonSchema[None] = None


class Wanted(Body):
    """Seats that somebody would like."""

    date_id: Reference
    quantity: Quantity


class AvailabilityQuestion(Body):
    """Are there seats on these dates?"""

    items: Annotated[list[Wanted], Field(min_length=1, max_length=1000)]


class Availability(Reply):
    """Whether the seats are there, and how many are left."""

    date_id: str
    quantity: int
    available: bool
    remaining: int


class AvailabilityAnswer(Reply):
    """One answer an item, in the order of the question."""

    items: list[Availability]
