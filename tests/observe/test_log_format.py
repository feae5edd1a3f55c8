"""The log as lines of JSON: one record a line, whose failures can be searched by their members."""

import json
import logging
import sys

from shardgate.core.errors import ShardDownError
from shardgate.core.failures.line import line_of, parsed
from shardgate.observe.log_format import JsonFormatter, as_text
from shardgate.observe.story import story


def record(message: str, *arguments: object, level: int = logging.WARNING, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("shardgate", level, "", 1, message, arguments, None, **more)  # type: ignore[arg-type]
    made.created, made.msecs, made.process = 1_772_357_400.123, 123.0, 7
    return made


def failure() -> str:
    error = ShardDownError("it refuses connections")
    error.shard = "north"
    return line_of(error, "r-1", "GET /events").text()


def test_a_record_is_one_line_with_its_time_in_utc() -> None:
    line = JsonFormatter().format(record("two\nlines of %s", "it"))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-03-01T09:30:00.123Z",
        "level": "WARNING",
        "pid": 7,
        "message": "two\nlines of it",
    }


def test_a_failure_says_its_request_and_shard_in_members() -> None:
    said = json.loads(JsonFormatter().format(record("%s", failure())))
    assert {name: said[name] for name in ("request_id", "operation", "shard", "code", "status")} == {
        "request_id": "r-1",
        "operation": "GET /events",
        "shard": "north",
        "code": ShardDownError.code,
        "status": ShardDownError.status,
    }


def test_a_defect_has_its_traceback() -> None:
    try:
        raise ValueError("what")
    except ValueError:
        made = record("it failed", level=logging.ERROR)
        made.exc_info = sys.exc_info()
    line = JsonFormatter().format(made)
    assert "\n" not in line
    assert "ValueError: what" in json.loads(line)["traceback"]


def test_a_line_is_read_again_as_text_and_told_by_why() -> None:
    line = JsonFormatter().format(record("%s", failure()))
    text = as_text(line)
    assert text == f"2026-03-01 09:30:00.123 WARNING {failure()}"
    assert parsed(text) is not None
    assert dict(story("r-1", [line])) == dict(story("r-1", [text]))
    assert dict(story("r-1", [line]))["at fault"] == "shard north"


def test_other_lines_of_json_are_none_of_it() -> None:
    assert as_text('{"time": "x", "request_id": "r-1"}') is None
    assert as_text("{") is None
