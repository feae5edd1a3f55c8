"""What a header section says, and which of its lines are passed on to shards."""

import pytest

from shardgate.core.errors import ClientError
from shardgate.core.http import RequestFields
from shardgate.core.wire.fields import FieldReader
from shardgate.core.wire.request_fields import interpret


def read(*lines: str) -> RequestFields:
    return interpret(FieldReader().read("\r\n".join(["Host: a", *lines]).encode()))


def test_lines_that_the_gateway_writes_itself_are_not_passed_on() -> None:
    fields = read("Accept: */*", "Content-Length: 5", "X-Real-IP: 1.2.3.4", "X_Forwarded_For: 1.2.3.4", "Via: 1.1 x")
    assert fields.end_to_end == b"Accept: */*\r\nVia: 1.1 x\r\n"
    assert (fields.content_length, fields.has_body) == (5, True)


def test_a_gather_sends_no_conditions() -> None:
    fields = read("Accept: */*", 'If-None-Match: "x"', "Range: bytes=0-9", "Accept-Encoding: gzip")
    assert fields.unconditional == b"Accept: */*\r\n"
    assert b"If-None-Match" in fields.end_to_end


def test_what_connection_names_is_not_passed_on() -> None:
    fields = read("Connection: close, X-Own", "X-Own: 1", "X-Other: 2")
    assert fields.end_to_end == b"X-Other: 2\r\n"
    assert not fields.keep_alive


def test_trailers_are_asked_for_where_the_client_takes_them() -> None:
    assert read("TE: trailers", "Connection: TE").end_to_end == b"TE: trailers\r\nConnection: TE\r\n"
    assert read("TE: trailers").end_to_end == b""


def test_a_header_that_names_another_method() -> None:
    assert read("X-HTTP-Method-Override: PUT").method_override == (b"x-http-method-override", b"PUT")
    assert read("X_HTTP_Method: PUT").method_override == (b"", b"")
    assert read().method_override is None


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("Content-Length: +5", "Content-Length is `+5`; one number of at most 18 digits is accepted"),
        ("Host: b", "exactly one valid Host field; found `a, b`"),
        ("Transfer-Encoding: gzip", "the transfer coding `gzip` is not known; `chunked` is"),
        ("Connection: cookie", "Connection names `cookie`, which is meant for all recipients"),
    ],
)
def test_what_two_parsers_could_read_differently_is_refused_and_shown(line: str, detail: str) -> None:
    with pytest.raises(ClientError) as caught:
        read(line)
    assert detail in caught.value.detail
