"""Reads one field of a `multipart/form-data` body (RFC 7578) as every parser would read it, or refuses it.

Holds: the boundary stands where parts begin and end, and nowhere else in the body. What parsers read differently is
refused: text before the first part or after the last, lines that end with LF alone, a field that stands twice or in
another spelling, a field in the place of a file or with a coding of its own.
Never: reads the content of another part.
"""

import re
from collections.abc import Iterator

from shardgate.core.clients.masking import shown
from shardgate.core.errors import AmbiguousKeyError, TooComplexError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.key_value import too_long
from shardgate.core.limits import KEY_CHARACTERS_MAX, NAME_BYTES_MAX, PARAMETERS_MAX
from shardgate.core.twins import is_twin

TYPE = b"multipart/form-data"
_CHARSET = rb"(?:\s*;\s*charset=\"?[\w-]+\"?)?"
_CONTENT_TYPE = re.compile(
    # The characters are those of RFC 2046 section 5.1.1 without spaces; those that end a value somewhere need quotes.
    re.escape(TYPE) + _CHARSET + rb"\s*;\s*boundary=(?:\"([\w'()+,./:=?-]{1,70})\"|([\w+.-]{1,70}))" + _CHARSET,
    re.IGNORECASE,
)
_DISPOSITION = re.compile(
    # The name comes first, as every client writes it: some parsers find `name=` in `filename=`, too.
    rb"form-data\s*;\s*name=(?:\"([^\"\\]*)\"|([\w.\[\]-]+))((?:\s*;\s*filename\*?=(?:\"[^\"\\]*\"|[^\s\";,]+))*)",
    re.IGNORECASE,
)
_FIELD = re.compile(rb"([0-9A-Za-z-]+):([^\x00-\x08\x0a-\x1f\x7f]*)")
"""At other names some parsers end the header fields, or take them for others."""
_ENCODED_WORD = b"=?"
"""How a name of RFC 2047 begins: some servers decode it (Commons FileUpload)."""
_PLAIN_TYPE = re.compile(rb"text/plain(?:\s*;\s*charset\s*=\s*\"?(?:utf-8|us-ascii)\"?)?", re.IGNORECASE)
_PLAIN_CODING = frozenset({b"7bit", b"8bit", b"binary"})
_HEADERS_BYTES_MAX = 8 * NAME_BYTES_MAX
"""Of one part: as many as a name, a file's name and a few header fields have."""


def field_of_multipart(body: bytes, content_type: bytes, name: str) -> str | None:
    """The value of a field; None where there is none. Raises AmbiguousKeyError, TooComplexError."""
    found: str | None = None
    for head, content in _parts(body, _boundary(content_type)):
        given, is_field = _described(head)
        if given != name:
            if is_twin(given, name):
                detail = f"the field `{excerpt(given)}` can be read as `{excerpt(name)}`; only `{excerpt(name)}` is"
                raise AmbiguousKeyError(f"{detail} accepted", about={"parameter": given})
            if given == "_charset_" and content.lower() not in {b"utf-8", b"us-ascii"}:
                raise AmbiguousKeyError("the form says that it is not UTF-8, so that its key cannot be read")
            continue
        if not is_field:
            detail = f"the field `{excerpt(name)}` is sent as a file or in a coding of its own; a text is accepted"
            raise AmbiguousKeyError(detail, about={"parameter": name})
        value = _value(content, name)
        if found is not None:
            both = f"`{shown(name, found)}` and `{shown(name, value)}`"
            detail = f"the field `{excerpt(name)}` stands twice, as {both}: one is accepted"
            raise AmbiguousKeyError(detail, about={"parameter": name})
        found = value
    return found


def _boundary(content_type: bytes) -> bytes:
    found = _CONTENT_TYPE.fullmatch(content_type)
    if found is None:
        raise _odd("`Content-Type` has not one `boundary` that is written as RFC 2046 allows")
    return found[1] or found[2]


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The header lines and the content of each part."""
    opening, closing = b"--" + boundary + b"\r\n", b"\r\n--" + boundary + b"--"
    end = len(body) - 2 * body.endswith(b"\r\n")
    if not body.startswith(opening) or not body.endswith(closing, 0, end):
        raise _odd("it does not begin and end with its boundary")
    parts = body.count(b"--" + boundary) - 1
    if parts > PARAMETERS_MAX:
        raise TooComplexError(f"the form has more than {PARAMETERS_MAX} fields")
    pieces = body[len(opening) : end - len(closing)].split(b"\r\n" + opening)
    if len(pieces) != parts:
        raise _odd("its boundary stands where no part begins or ends")
    for piece in pieces:
        end = piece.find(b"\r\n\r\n", 0, _HEADERS_BYTES_MAX)
        if end < 0:
            raise _odd(f"a part has no header fields, or more than {_HEADERS_BYTES_MAX} bytes of them")
        yield piece[:end], piece[end + 4 :]


def _described(head: bytes) -> tuple[str, bool]:
    """The name of a part, and whether it is a field whose content is the plain text."""
    fields: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        field = _FIELD.fullmatch(line)
        if field is None or field[1].lower() in fields:
            raise _odd("a part has a header field that servers read differently")
        fields[field[1].lower()] = field[2].strip()
    said = _DISPOSITION.fullmatch(fields.get(b"content-disposition", b""))
    if said is None:
        raise _odd('the `Content-Disposition` of a part is not `form-data; name="…"`, with a file\'s name perhaps')
    is_plain = _PLAIN_TYPE.fullmatch(fields.get(b"content-type", b"text/plain")) is not None
    is_plain &= fields.get(b"content-transfer-encoding", b"8bit").lower() in _PLAIN_CODING
    return _name(said[1] if said[1] is not None else said[2]), is_plain and not said[3]


def _name(written: bytes) -> str:
    if len(written) > NAME_BYTES_MAX:
        raise TooComplexError(f"the name of a field of the form is longer than {NAME_BYTES_MAX} bytes")
    if _ENCODED_WORD in written:
        raise _odd("the name of a part is encoded, which some servers decode")
    try:
        return written.decode()
    except UnicodeDecodeError as error:
        raise _odd("the name of a part is not UTF-8") from error


def _value(content: bytes, name: str) -> str:
    if len(content) > 4 * KEY_CHARACTERS_MAX:
        raise too_long(name)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise AmbiguousKeyError("the key is not UTF-8") from error


def _odd(reason: str) -> AmbiguousKeyError:
    detail = f"the form is not read alike by all servers: {reason}"
    return AmbiguousKeyError(detail, about={"header": "Content-Type"})
