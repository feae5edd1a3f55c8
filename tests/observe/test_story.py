"""The story of one request, out of the lines that both logs have of it."""

import json
import re
from pathlib import Path
from typing import Any

from shardgate.core.errors import OrderBrokenError, ShardDownError, ShardsMissingError, UnknownKeyError
from shardgate.core.failures.line import line_of, refusal_of
from shardgate.observe.story import story

AT = "2026-03-01 09:30:00,123 WARNING "


def access(request_id: str = "r-1", **more: Any) -> str:
    line: dict[str, Any] = {
        "time": "2026-03-01T09:30:00.100Z",
        "request_id": request_id,
        "client": "192.0.2.7",
        "status": 502,
        "duration_us": 12_345,
        "bytes_in": 100,
        "bytes_out": 300,
        "method": "GET",
        "path": "/events",
        "operation": "GET /events",
        "rule": "gather",
        "shards": ["north", "south"],
        "error": "SG2007",
    }
    return json.dumps(line | more)


def broken(request_id: str = "r-1") -> str:
    error = OrderBrokenError("a shard's rows are not in the order id", where="row 3")
    error.shard = "north"
    return AT + line_of(error, request_id, "GET /events").text()


def told(*lines: str) -> dict[str, str]:
    return dict(story("r-1", lines))


def test_both_logs_say_who_when_what_where_and_what_to_do() -> None:
    said = told("Started shardgate.", broken("r-0"), broken(), access("r-0"), access(), "")
    assert said["when"] == "2026-03-01T09:30:00.100Z, and it took 12.3 ms"
    assert said["request"] == "GET /events, from 192.0.2.7"
    assert said["operation"] == "GET /events, by the rule `gather`"
    assert said["shards"] == "it was sent to north, south"
    assert said["reply"] == "502, by the gateway (SG2007)"
    assert said["failed"] == "2026-03-01 09:30:00,123: SG2007, 502"
    assert said["at fault"] == "shard north"
    assert said["what"] == "a shard's rows are not in the order id"
    assert said["where"] == "row 3, in the shard's reply"
    assert "not in the order that the rule says" in said["means"]
    assert "how the application sorts" in said["do"]


def test_a_shard_that_was_down_before_is_told() -> None:
    down = ShardDownError("the shard cannot be reached", log="connection refused (10.0.0.1:8000)")
    down.shard = "north"
    error = ShardsMissingError("the list needs every shard; some did not answer")
    error.causes = (down,)
    line = AT + line_of(error, "r-1", "GET /events").text()
    said = story("r-1", ["09:29 shard south is down: x", "09:29 shard north is down: connection refused", line])
    assert ("before", "shard north is down: connection refused") in said
    assert ("do", "nothing was changed: the client can send the request again") in said
    (what,) = [text for title, text in said if title == "what"]
    assert what.endswith("north: SG2001 the shard cannot be reached: connection refused (10.0.0.1:8000)")


def test_a_failure_whose_line_was_left_out_is_told_by_one_like_it() -> None:
    said = story("r-1", [broken("r-0"), access()])
    left_out, other = [text for title, text in said if title == "log"]
    assert left_out.startswith("no line of this failure")
    assert other.startswith("another request failed so: request=r-0")


def test_the_log_alone_tells_the_operation() -> None:
    said = told(AT + line_of(UnknownKeyError("nobody owns the key `x`"), "r-1", "PUT /vendors/{v}").text())
    assert (said["operation"], said["at fault"]) == ("PUT /vendors/{v}", "the request")
    assert said["do"].startswith("the client must change its request")


def test_a_reply_that_was_cut_off_says_why() -> None:
    said = told(access(status=200, cut_off="client_slow", error="SG1025"))
    assert said["reply"] == "200; cut off after 300 bytes: the client did not read it"


def test_nothing_is_told_of_what_no_line_names() -> None:
    assert story("r-1", [broken("r-11"), access("r-11"), "{not json r-1", "request=r-1"]) == []


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert told(access(path="/\x1b[2J"))["request"] == "GET /\\u001b[2J, from 192.0.2.7"


def test_a_line_is_read_as_it_was_written() -> None:
    error = OrderBrokenError('a "quoted" \\ value = 7\n\x1b é', where="row 3, member `id`")
    error.shard = "a shard"
    said = told(AT + line_of(error, "r-1", 'GET /a"b c').text())
    assert said["what"] == 'a "quoted" \\ value = 7\\n\\u001b é'
    assert said["where"] == "row 3, member `id`, in the shard's reply"
    assert (said["operation"], said["at fault"]) == ('GET /a"b c', "shard a shard")


def test_a_list_that_one_shard_refuses_is_told_with_that_shard() -> None:
    line = refusal_of({"north": 403, "south": 200}, 403, "r-1", "GET /events")
    assert line is not None
    said = told(AT + line.text())
    assert said["failed"] == "2026-03-01 09:30:00,123: refused, 403"
    assert (said["at fault"], said["what"]) == (
        "shard north",
        "the shard's own answer, passed on for all; south answered 200",
    )


def test_what_all_shards_refuse_is_no_line_of_the_gateway_s() -> None:
    assert refusal_of({"north": 403, "south": 403}, 403, "r-1", "GET /events") is None
    assert refusal_of({"north": 200, "south": 304}, 200, "r-1", "GET /events") is None


def test_the_howto_shows_what_the_command_says() -> None:
    howto = (Path(__file__).resolve().parents[2] / "docs/howto/troubleshoot.md").read_text()
    shown = re.findall(r"^failed .*?(?=```)", howto, re.MULTILINE | re.DOTALL)[0]
    (line,) = re.findall(r"^.*code=SG2007.*$", howto, re.MULTILINE)
    said = story("9f2c01b7ad44-1c", [line])
    assert [f"{title:<10} {text}" for title, text in said if title != "operation"] == shown.splitlines()


def test_a_log_that_has_a_secret_is_told_without_it() -> None:
    assert told(access(path="/events?apiKey=S3&q=7"))["request"] == "GET /events?apiKey=***&q=7, from 192.0.2.7"
