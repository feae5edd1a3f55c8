"""A line of COPY's text format, parsed into its fields."""

from shardgate.split.postgres.copy_format import parse_line


def test_a_line_is_parsed_into_its_fields() -> None:
    line = rb"plain	\N		a\tb\nc\\d	\\N" + b"\n"
    assert parse_line(line) == (b"plain", None, b"", b"a\tb\nc\\d", b"\\N")
