"""Where the head of a request ends in the bytes that have come, and when it is too long.

Never: reads what a head says: core/wire does.
"""

import re
from typing import Final

from shardgate.core.errors import ClientError, HeadTooLargeError, TargetTooLongError
from shardgate.core.limits import HEAD_BYTES_MAX, TARGET_BYTES_MAX

_EMPTY_LINES: Final = re.compile(rb"(?:\r\n)+")


def without_empty_lines(data: bytes) -> bytes:
    """RFC 9112 section 2.2: empty lines before a request are ignored."""
    return _EMPTY_LINES.sub(b"", data, 1)


def head_too_large(data: bytes) -> ClientError:
    """The refusal of a head that is longer than the gateway reads."""
    if b"\r\n" not in data[: TARGET_BYTES_MAX + 2]:
        return TargetTooLongError(f"the request line is longer than {TARGET_BYTES_MAX} bytes")
    return HeadTooLargeError(f"the header section is larger than {HEAD_BYTES_MAX} bytes")
