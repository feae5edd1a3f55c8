"""What OCTO clients send.

Holds: a property that nobody knows is ignored, since the standard grows by new ones; the wrong type of a known one is
refused. An id may be missing here: to be missing is to be invalid, and has the same answer.
"""

from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from bookings.clock import parse_day
from bookings.octo.refusals import bad_request, invalid_booking
from bookings.schemas.values import Email


def _storable(text: str) -> str:
    # PostgreSQL cannot keep the one, and nobody the other.
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must be text")
    return text


Text: TypeAlias = Annotated[str, Field(max_length=1000), AfterValidator(_storable)]
OptionalText: TypeAlias = Text | None
Minutes: TypeAlias = Annotated[int, Field(ge=1)]


class OctoBody(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(strict=True, extra="ignore", alias_generator=to_camel)


class OctoUnits(OctoBody):
    """So many of a unit."""

    id: Text
    quantity: Annotated[int, Field(ge=0, le=10_000)]


class OctoCalendarQuestion(OctoBody):
    """A product's days, from one to another."""

    product_id: Text = ""
    option_id: Text = ""
    local_date_start: OptionalText = None
    local_date_end: OptionalText = None
    units: list[OctoUnits] | SkipJsonSchema[None] = None


class OctoAvailabilityQuestion(OctoCalendarQuestion):
    """A product's dates: of a day, of several days, or those named."""

    local_date: OptionalText = None
    availability_ids: Annotated[list[Text], Field(max_length=1000)] | SkipJsonSchema[None] = None


class OctoContact(OctoBody):
    """A guest; whatever is known."""

    full_name: OptionalText = None
    first_name: OptionalText = None
    last_name: OptionalText = None
    email_address: Email | None = None
    phone_number: OptionalText = None
    locales: Annotated[list[Text], Field(max_length=50)] = []
    postal_code: OptionalText = None
    country: OptionalText = None
    notes: OptionalText = None


class OctoUnitItem(OctoBody):
    """One guest's ticket."""

    uuid: OptionalText = None
    unit_id: Text = ""
    reseller_reference: OptionalText = None
    contact: OctoContact | None = None


UnitItems: TypeAlias = Annotated[list[OctoUnitItem], Field(max_length=1000)]


class OctoReservation(OctoBody):
    """A booking to hold. Its uuid makes sending it again harmless."""

    uuid: OptionalText = None
    product_id: Text = ""
    option_id: Text = ""
    availability_id: Text = ""
    expiration_minutes: Minutes | SkipJsonSchema[None] = None
    notes: OptionalText = None
    unit_items: UnitItems
    reseller_reference: OptionalText = None
    contact: OctoContact | None = None


class OctoChange(OctoBody):
    """What may change in a booking; whose seats they are stays."""

    reseller_reference: OptionalText = None
    product_id: OptionalText = None
    option_id: OptionalText = None
    availability_id: OptionalText = None
    expiration_minutes: Minutes | SkipJsonSchema[None] = None
    notes: OptionalText = None
    unit_items: UnitItems | SkipJsonSchema[None] = None
    contact: OctoContact | SkipJsonSchema[None] = None


class OctoConfirmation(OctoBody):
    """The guest, now known."""

    reseller_reference: OptionalText = None
    contact: OctoContact
    unit_items: UnitItems | SkipJsonSchema[None] = None


class OctoExtension(OctoBody):
    """Hold it longer."""

    expiration_minutes: Minutes | SkipJsonSchema[None] = None


class OctoCancellation(OctoBody):
    """Why it is cancelled."""

    reason: OptionalText = None


def plain_uuid(text: str) -> str:
    """A uuid as it is written here, however a client writes it."""
    try:
        return str(UUID(text))
    except ValueError:
        raise invalid_booking(text) from None


def plain_day(name: str, text: str | None) -> str:
    """A day, if it is one, written YYYY-MM-DD."""
    try:
        return parse_day(text or "")
    except ValueError:
        raise bad_request(f"{name} must be a day, YYYY-MM-DD") from None
