"""The conditions that each shard of a change is sent."""

import pytest

from shardgate.core.changes.conditions import conditions_in, conditions_of_parts
from shardgate.core.errors import PreconditionFailedError
from shardgate.core.http import Reply, RequestFields
from shardgate.core.replies.part_tags import joined
from shardgate.core.wire.fields import FieldReader
from shardgate.core.wire.request_fields import interpret

TAGS = {"north": b'"1"', "south": b'"2"'}
NOW = {
    shard: Reply(200, [(b"ETag", tag), (b"Last-Modified", b"Sun, 06 Nov 1994 08:49:37 GMT")])
    for shard, tag in TAGS.items()
}
OURS = joined(TAGS, [b"/orders/7"])


def fields_of(*lines: bytes) -> RequestFields:
    return interpret(FieldReader().read(b"\r\n".join((b"Host: a", *lines))))


def test_only_the_conditions_of_changes_are_taken() -> None:
    lines = b'If-Match: "a"\r\nIf-Range: "a"\r\nIf-Modified-Since: x\r\nAccept: */*\r\nif-none-match: *\r\n'
    assert conditions_in(lines) == b'If-Match: "a"\r\nif-none-match: *\r\n'


def test_each_shard_is_sent_the_tag_of_its_part() -> None:
    assert conditions_of_parts(fields_of(b"If-Match: " + OURS), NOW) == {
        "north": b'If-Match: "1"\r\n',
        "south": b'If-Match: "2"\r\n',
    }
    both = fields_of(b'If-Match: "x"', b"If-Match: " + OURS)  # one of them is enough
    assert conditions_of_parts(both, NOW)["north"] == b'If-Match: "1"\r\n'


def test_what_the_gateway_has_not_made_is_the_applications_to_judge() -> None:
    for line in (b"If-Match: *", b'If-Match: "1"', b"If-Match: damaged", b'If-None-Match: "a", "b"'):
        assert conditions_of_parts(fields_of(line), NOW) == dict.fromkeys(TAGS, line + b"\r\n")


def test_another_state_of_a_part_is_refused() -> None:
    changed = NOW | {"south": Reply(200, [(b"ETag", b'"3"')])}
    with pytest.raises(PreconditionFailedError):
        conditions_of_parts(fields_of(b"If-Match: " + OURS), changed)
    # The client wants another state than the one it knows, and there is one.
    assert conditions_of_parts(fields_of(b"If-None-Match: " + OURS), changed) == {"north": b"", "south": b""}
    assert conditions_of_parts(fields_of(b"If-None-Match: " + OURS), NOW)["south"] == b'If-None-Match: "2"\r\n'


def test_a_part_that_was_changed_since_is_refused_though_the_first_was_not() -> None:
    later = [(b"Last-Modified", b"Mon, 07 Nov 1994 08:49:37 GMT")]
    since = fields_of(b"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT")
    assert set(conditions_of_parts(since, NOW)) == set(NOW)
    with pytest.raises(PreconditionFailedError):
        conditions_of_parts(since, NOW | {"south": Reply(200, later)})
