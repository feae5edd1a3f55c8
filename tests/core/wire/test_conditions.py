"""A request with the conditions of a cache in the place of the client's."""

from shardgate.core.wire.conditions import conditional
from tests.core.requests import request


def test_the_clients_conditions_are_replaced_and_nothing_else() -> None:
    asked = request("GET /a", 'If-None-Match: "x"', "Accept: b", "If-Modified-Since: y", "If-Modified-Since: z")
    fields = conditional(asked, b'If-None-Match: "a"\r\n').fields
    assert fields.end_to_end == b'Accept: b\r\nIf-None-Match: "a"\r\n'
    assert fields.values[b"if-none-match"] == b'"a"'
    assert b"if-modified-since" not in fields.values
    assert not fields.repeated
    assert asked.fields.values[b"if-none-match"] == b'"x"', "the client's own stay known"
