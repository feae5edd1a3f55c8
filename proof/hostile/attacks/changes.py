"""Changes: bodies that cannot begin one, ids that climb, keys of others, and one that holds up all."""

import asyncio
import json
from collections.abc import Sequence

from proof.hostile.asking import Answer, request
from proof.hostile.attack import Attack, Outcome, told
from proof.hostile.bookings import Bookings
from proof.hostile.stage import Stage

_EMPTY = (
    b"",
    b"[]",
    b"{}",
    b'{"id":null}',
    b"7",
    b'"text"',
    b"null",
    b"true",
    b'{"id":7}',
    b'{"id":[]}',
    b'{"id":{}}',
    b'{"id":""}',
    b"{",
)
_CLIMBING = (
    "..",
    ".",
    "",
    "../x",
    "a/b",
    "%2e%2e",
    "a?b=c",
    "a#b",
    "a\\b",
    "a\r\nX: y",
    "a\u0000b",
    "\u2025",
    "x" * 5000,
    "..;/x",
    "//",
    " ",
)
_HEADERS = ("X-Thing", "Content-Type", "Authorization")


async def _on_bookings(stage: Stage, path: str, bodies: Sequence[bytes], *lines: str) -> Outcome:
    """Changes that the application must refuse in its own words; afterwards a good one goes through."""
    assert isinstance(stage, Bookings)
    refused = [await stage.ask(request("POST", path, *lines, body=body)) for body in bodies]
    refused += [await stage.ask(request("PATCH", f"{path}/none", *lines, body=body)) for body in bodies[:4]]
    outcome = told(refused, never=(500, 502, 503, 504))
    good = await _good_category(stage)
    findings = outcome.findings if good.status == 201 else (*outcome.findings, f"a good change then got {good.word}")
    return Outcome(f"{outcome.said}, then {good.word}", findings)


async def _good_category(stage: Bookings) -> Answer:
    name = f"kind-{stage.chance.randrange(10**9)}"
    body = json.dumps({"name": name, "slug": name}).encode()
    return await stage.ask(request("POST", "/v3/categories", f"Authorization: Bearer {stage.token}", body=body))


def _categories(*, signed: bool) -> Attack:
    async def run(stage: Stage) -> Outcome:
        assert isinstance(stage, Bookings)
        lines = [f"Authorization: Bearer {stage.token}"] if signed else []
        return await _on_bookings(stage, "/v3/categories", _EMPTY, *lines)

    return Attack("", run, stage="bookings")


async def _climbing_ids(stage: Stage) -> Outcome:
    """No shard is asked for a path that the application did not mean."""
    seen: list[str] = []
    for shard in stage.shards:
        shard.seen = seen
    paths = ("/everyone", "/whole", "/place")
    bodies = [(path, {"id": id_, "items": [{"key": "n-1"}, {"key": "w-1"}]}) for path in paths for id_ in _CLIMBING]
    answers = [await stage.ask(request("POST", path, body=json.dumps(body).encode())) for path, body in bodies]
    for shard in stage.shards:
        shard.seen = None
    outcome = told(answers)
    wrong = [
        path
        for path in seen
        if path.count("/") > 3 or "/../" in f"{path}/" or "//" in path or path.endswith("/") or "/./" in f"{path}/"
    ]
    return Outcome(outcome.said, (*outcome.findings, *([f"a shard was asked for {wrong[0]!r}"] if wrong else [])))


async def _other_meaning(stage: Stage) -> Outcome:
    """One key, and a request that another field routes elsewhere: the second is never answered with the first's."""
    replayed = []
    line = f'Idempotency-Key: "k{stage.chance.randrange(10**9)}"'
    for value in ("n-1", "w-1"):
        answer = await stage.ask(request("POST", "/header", line, f"X-Thing: {value}", "Authorization: a", body=b"{}"))
        replayed.append(b"idempotent-replayed" in answer.received.lower())
    line = f'Idempotency-Key: "k{stage.chance.randrange(10**9)}"'
    for kind in ("application/json", "text/plain"):
        answer = await stage.ask(request("POST", "/any", line, "Authorization: a", body=b"{}", kind=kind))
        replayed.append(b"idempotent-replayed" in answer.received.lower())
    return Outcome("two requests, one key", ("the first's reply for another request",) if any(replayed) else ())


async def _anonymous_keys(stage: Stage) -> Outcome:
    """Two clients that say no name, from two addresses, choose one key."""
    line = f'Idempotency-Key: "k{stage.chance.randrange(10**9)}"'
    answers = [
        await stage.ask(request("POST", "/any", line, body=b"{}"), address=address)
        for address in ("127.0.0.2", "127.0.0.3")
    ]
    replayed = b"idempotent-replayed" in answers[1].received.lower()
    outcome = told(answers)
    return Outcome(outcome.said, (*outcome.findings, *(["one got the other's reply"] if replayed else [])))


async def _one_stuck(stage: Stage) -> Outcome:
    """A change that one shard leaves in doubt; others, of other entities, go on."""
    calls = 0

    async def once(asked: object, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        raise ConnectionError

    stage.hostile.behaviour = once
    first = await stage.create("/everyone", "held", b'{"id":"held"}')
    stage.hostile.behaviour = None
    number = stage.chance.randrange(10**9)
    others = [await stage.create("/everyone", f"o{number}-{n}", b'{"id":"o%d-%d"}' % (number, n)) for n in range(3)]
    outcome = told([first, *others], never=(500,))
    served = sum(answer.status == 201 for answer in others)
    return Outcome(outcome.said, (*outcome.findings, *([] if served else ["nobody else can change anything"])))


async def _many_keys(stage: Stage) -> Outcome:
    """Two thousand keys, each used once."""
    stem = stage.chance.randrange(10**9)
    answers: list[Answer] = []
    for at in range(0, 2000, 50):
        answers += await stage.ask_all(
            request("POST", "/any", f'Idempotency-Key: "{stem}-{n}"', "Authorization: b", body=b"{}")
            for n in range(at, at + 50)
        )
    return told(answers)


CHANGES: dict[str, Attack] = {
    "a category of nothing, no token": _categories(signed=False),
    "a category of nothing, with a token": _categories(signed=True),
    "ids that climb": Attack("", _climbing_ids),
    "one key, another meaning": Attack("", _other_meaning),
    "one key, two clients without a name": Attack("", _anonymous_keys),
    "one change in doubt": Attack("", _one_stuck),
    "2,000 idempotency keys": Attack("", _many_keys),
}
