"""The values that bodies are made of, and what all bodies have in common.

Holds: a body says what it means, no text for a number, no property that nobody knows.
"""

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bookings.clock import parse_day


def _printable(text: str) -> str:
    # Half a surrogate pair is no text, and a control character is no name.
    if not text.strip() or any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise ValueError("must be printable text")
    return text


def _day(text: str) -> str:
    try:
        return parse_day(text)
    except ValueError:
        raise ValueError("must be a day, YYYY-MM-DD") from None


Id: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Reference: TypeAlias = Annotated[str, StringConstraints(max_length=64), AfterValidator(_printable)]
Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
LongText: TypeAlias = Annotated[str, StringConstraints(max_length=5000), AfterValidator(_printable)]
Slug: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Email: TypeAlias = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"),
    AfterValidator(_printable),
]
Code: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,40}$")]
Day: TypeAlias = Annotated[str, AfterValidator(_day), Field(examples=["2026-05-01"])]
TimeOfDay: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Money: TypeAlias = Annotated[int, Field(ge=0, le=10**12, description="In minor units (cents).")]
Seats: TypeAlias = Annotated[int, Field(ge=1, le=10_000)]
Quantity: TypeAlias = Annotated[int, Field(ge=1, le=100)]


class Body(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Change(Body):
    """A body that changes some properties: those that are there, and no others."""

    nullable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _some_change(cls, value: Any) -> Any:
        if isinstance(value, dict):
            if not value:
                raise ValueError("must change something")
            for name in value:
                if value[name] is None and name not in cls.nullable:
                    raise ValueError(f"{name} cannot be null")
        return value

    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


class Reply(BaseModel):
    """What a client receives."""


class Health(Reply):
    """All is well."""

    status: Literal["ok"]


class Failure(Reply):
    """The body of every error."""

    error_code: int
    error: str
    error_description: str
