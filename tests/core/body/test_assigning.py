"""Ids that the gateway adds to a body, so that they are the same on every shard."""

import pytest

from shardgate.core.body.assigning import assign
from shardgate.core.errors import AmbiguousKeyError


@pytest.mark.parametrize(
    ("body", "completed"),
    [
        (b'{"name": "a"}', b'{"id":"new","name": "a"}'),
        (b" { } ", b' {"id":"new" } '),
        (b'{"id": null, "name": "a"}', b'{"id": "new", "name": "a"}'),
    ],
)
def test_an_id_that_is_missing_or_null_is_added(body: bytes, completed: bytes) -> None:
    assert assign(body, {"id": "new"}) == (completed, {"id": "new"})


def test_an_id_that_the_client_has_set_stays() -> None:
    assert assign(b'{"id": "own"}', {"id": "new"}) == (b'{"id": "own"}', {"id": "own"})
    assert assign(b'{"id": 7}', {"id": "new"}) == (b'{"id": 7}', {"id": "7"})
    assert assign(b'{"id": [7]}', {"id": "new"}) == (b'{"id": [7]}', {"id": ""})


def test_several_ids() -> None:
    body, found = assign(b'{"b":1}', {"a": "x", "c": "y"})
    assert body == b'{"a":"x","c":"y","b":1}'
    assert found == {"a": "x", "c": "y"}


def test_what_is_no_object_is_left_as_it_is() -> None:
    assert assign(b"[1]", {"id": "new"}) == (b"[1]", {})
    assert assign(b"not read", {}) == (b"not read", {})
    with pytest.raises(AmbiguousKeyError):
        assign(b'{"id":1,"id":2}', {"id": "new"})
