r"""The text format of COPY: fields are separated by tabs, backslash escapes a character, and \N is NULL."""

from typing import Final

from shardgate.split.database.rows import ColumnValue, ColumnValues

_ESCAPES: Final = {
    b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v", b"\\": b"\\",
}  # fmt: skip


def parse_line(line: bytes) -> ColumnValues:
    """The fields of a line, each as the server printed it."""
    return tuple(map(parse_field, line.rstrip(b"\n").split(b"\t")))


def parse_field(field: bytes) -> ColumnValue:
    if b"\\" not in field:
        return field
    if field == rb"\N":
        return None
    first, *rest = field.replace(rb"\\", b"\0").split(b"\\")  # PostgreSQL's text cannot contain \0
    return b"".join([first, *(_ESCAPES[part[:1]] + part[1:] for part in rest)]).replace(b"\0", b"\\")
