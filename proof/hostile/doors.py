"""The ways by which a reply of the hostile shard comes into the gateway: one request for each kind of work.

Holds: each request asks the hostile shard for something; most ask a healthy one, too.
"""

from collections.abc import Awaitable, Callable
from itertools import count

from proof.hostile.asking import Answer, request
from proof.hostile.stage import Stage

Door = Callable[[Stage], Awaitable[Answer]]

_number = count(1)


def _get(target: str, *lines: str) -> Door:
    return lambda stage: stage.ask(request("GET", target, *lines))


def _post(path: str, text: str) -> Door:
    """`{id}` stands for an id that no other request has."""

    def door(stage: Stage) -> Awaitable[Answer]:
        id_ = f"x{next(_number)}"
        return stage.create(path, id_, text.replace("{id}", id_).encode())

    return door


def _relayed(target: str) -> Door:
    """A reply passes as it is: its body is the application's word; its head must name no shard."""
    return lambda stage: stage.ask(request("GET", target), relayed=True)


def _kept(stage: Stage) -> Awaitable[Answer]:
    line = f'Idempotency-Key: "key-{next(_number)}"'
    return stage.ask(request("POST", "/things", line, body=b'{"id":"s-1"}'), relayed=True)


READS: dict[str, Door] = {
    "relay": _relayed("/things/s-1"),
    "page": _get("/list?limit=50&order=n"),
    "page, deep": _get("/list?limit=10&offset=200&order=n"),
    "list": _get("/list"),
    "list, packed": _get("/list", "Accept-Encoding: gzip"),
    "envelope": _get("/env"),
    "copies": _get("/dedupe"),
    "pages": _get("/pages?page=2&page_size=10"),
    "links": _get("/link?page=2&per_page=10"),
    "cursors": _get("/walk?limit=10"),
    "ids": _get("/after?limit=10&starting_after=n-00100"),
    "groups": _get("/sums"),
    "probe": _relayed("/probed/x-1"),
}
CHANGES: dict[str, Door] = {
    "every": _post("/everyone", '{"id":"{id}"}'),
    "place": _post("/place", '{"id":"{id}","country":"s"}'),
    "divide": _post("/divide", '{"items":[{"key":"n-1"},{"key":"s-1"}]}'),
    "all or none": _post("/whole", '{"id":"{id}","items":[{"key":"n-1"},{"key":"s-1"}]}'),
    "kept": _kept,
}
