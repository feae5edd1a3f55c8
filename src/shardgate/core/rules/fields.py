"""The types of fields that several kinds of rules have."""

from typing import Annotated, Literal

import msgspec

IdForm = Annotated[str, msgspec.Meta(pattern=r"^(hex|uuid|.*\?{5}.*)$")]
"""The form of a value that the gateway assigns: `hex` (32 digits), `uuid` (RFC 9562), or a text in which each `?`
becomes a random letter or digit of Crockford's base 32: `BK-?????-?????`."""

WhenUnknown = Literal["ask", "refuse"]
"""What is done where no shard owns the key of a request."""

Sources = str | tuple[str, ...]
"""One source of a key, like `path.id`, or several."""


def sources_of(key: Sources | None) -> tuple[str, ...]:
    """The sources as a tuple."""
    if key is None:
        return ()
    return (key,) if isinstance(key, str) else key
