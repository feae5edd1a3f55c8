"""Checks a reply that a plug-in made, before it is sent to a client.

Holds: a reply that passes can be written as one HTTP message: its parts have the right types, no field can end the head
early, and the fields that frame a message are left out, since the gateway writes them itself (RFC 9112 section 6).
"""

import re
from typing import Any

from shardgate.core.guard import misfit
from shardgate.core.http import Reply
from shardgate.core.wire.fields import HOP_BY_HOP, TOKEN

_NAME = re.compile(TOKEN)
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_FRAMING = HOP_BY_HOP | {b"content-length"}


def checked(named: str, method: str, reply: object) -> Reply:
    """The reply without fields that frame a message. Raises PluginError where it cannot be sent."""
    if not isinstance(reply, Reply):
        raise misfit(named, method, reply, "a Reply")
    if type(reply.status) is not int or not 200 <= reply.status <= 599:
        raise misfit(named, method, reply, "a Reply with a status from 200 to 599")
    if not isinstance(reply.body, bytes):
        raise misfit(named, method, reply, "a Reply with a body in bytes")
    if not isinstance(reply.fields, list | tuple) or not all(_is_field(field) for field in reply.fields):
        raise misfit(named, method, reply, "a Reply whose fields are pairs of bytes, without line breaks")
    if reply.reason is not None and not (isinstance(reply.reason, bytes) and _VALUE.fullmatch(reply.reason)):
        raise misfit(named, method, reply, "a Reply with a reason in bytes, without line breaks")
    reply.fields = [field for field in reply.fields if field[0].lower() not in _FRAMING]
    return reply


def _is_field(field: Any) -> bool:
    if not isinstance(field, tuple) or len(field) != 2:
        return False
    name, value = field
    is_bytes = isinstance(name, bytes) and isinstance(value, bytes)
    return is_bytes and _NAME.fullmatch(name) is not None and _VALUE.fullmatch(value) is not None
