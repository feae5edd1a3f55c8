"""A line of the access log: what has no value is left out, and the order is fixed."""

import msgspec

from shardgate.observe.log_line import Line


def test_members_without_a_value_are_left_out() -> None:
    line = Line("2026-11-27T06:00:00.000Z", "id", "127.0.0.1", 200, 5, 10, 20)
    assert msgspec.to_builtins(line) == {
        "time": "2026-11-27T06:00:00.000Z",
        "request_id": "id",
        "client": "127.0.0.1",
        "status": 200,
        "duration_us": 5,
        "bytes_in": 10,
        "bytes_out": 20,
    }


def test_a_status_of_0_is_a_value() -> None:
    """A client that left before the reply: its line says so."""
    assert b'"status":0' in msgspec.json.encode(Line("", "id", "127.0.0.1", 0, 5, 10, 20, cut_off="client_gone"))
