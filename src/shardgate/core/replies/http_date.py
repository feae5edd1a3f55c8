"""Times of header fields (RFC 9110 section 5.6.7)."""

from email.utils import parsedate_to_datetime


def http_time(text: bytes | None) -> float | None:
    """The time that an HTTP date (RFC 9110 section 5.6.7, any form) says, in seconds since 1970; None: it is no
    date."""
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text.decode("ascii")).timestamp()
    except (ValueError, OverflowError):
        return None
