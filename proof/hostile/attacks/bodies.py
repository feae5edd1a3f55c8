"""Bodies of requests in which a key must be found: as large as they may be, and shaped to cost the most."""

import json
from collections.abc import Callable

from proof.hostile.asking import Answer, request
from proof.hostile.attack import Attack, Outcome, told
from proof.hostile.stage import Stage

FULL = 16 * 1024 * 1024 - 4096
"""As large as a body may be that is held whole."""
_FORM = "application/x-www-form-urlencoded"


def _one(target: str, body: Callable[[], bytes], kind: str = "application/json", *lines: str) -> Attack:
    async def run(stage: Stage) -> Outcome:
        return told([await stage.ask(request("POST", target, *lines, body=body(), kind=kind))])

    return Attack("", run)


def _filled(begin: bytes, piece: bytes, end: bytes) -> bytes:
    return begin + piece * ((FULL - len(begin) - len(end)) // len(piece)) + end


def _members(size: int) -> bytes:
    """Distinct names, each a member."""
    parts, total, number = [], 0, 0
    while total < size:
        part = b'"%x":%d,' % (number, number % 10)
        parts.append(part)
        total += len(part)
        number += 1
    return b"{" + b"".join(parts) + b'"id":"n-1"}'


def _items(key: Callable[[int], str], count: int) -> bytes:
    return json.dumps({"items": [{"key": key(n)} for n in range(count)]}, separators=(",", ":")).encode()


BODIES: dict[str, Attack] = {
    "form of 4.2 million fields": _one("/form", lambda: _filled(b"id=n-1&", b"a=b&", b"c=d"), _FORM),
    "form of empty fields": _one("/form", lambda: _filled(b"id=n-1&", b"&", b"c"), _FORM),
    "form of one field, escaped": _one("/form", lambda: _filled(b"id=n-1&a=", b"%41", b""), _FORM),
    "form key of 16 MB": _one("/form", lambda: _filled(b"id=n-", b"1", b""), _FORM),
    "form with the key twice, at the end": _one("/form", lambda: _filled(b"id=n-1&", b"a=b&", b"id=n-2"), _FORM),
    "form in twins": _one("/form", lambda: _filled(b"id=n-1&", b"ID=n-2&Id=n-3&", b"x"), _FORM),
    "form that says it is JSON": _one("/form", lambda: _filled(b"id=n-1&", b"a=b&", b"c"), "application/json"),
    "form in brackets": _one("/form", lambda: _filled(b"id=n-1&", b"a[b][c][d]=1&", b"id[]=2"), _FORM),
    "multipart of many parts": _one(
        "/form",
        lambda: _filled(b"", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n', b"--b--\r\n"),
        "multipart/form-data; boundary=b",
    ),
    "JSON, wide": _one("/things", lambda: _members(FULL - 64)),
    "JSON, an array of numbers": _one("/things", lambda: _filled(b'{"id":"n-1","a":[1', b",1", b"]}")),
    "JSON, an array of objects": _one("/things", lambda: _filled(b'{"id":"n-1","a":[{}', b",{}", b"]}")),
    "JSON, deep arrays": _one("/things", lambda: b'{"id":"n-1","a":%b%b}' % (b"[" * 8_000_000, b"]" * 8_000_000)),
    "JSON, deep objects": _one("/things", lambda: b'{"a":' * 2_000_000 + b"1" + b"}" * 2_000_000),
    "JSON, deep and not closed": _one("/things", lambda: _filled(b'{"a":', b"[", b"")),
    "JSON, a number of 16 million digits": _one("/things", lambda: _filled(b'{"id":"n-1","a":', b"9", b"}")),
    "JSON, the key is such a number": _one("/things", lambda: _filled(b'{"id":', b"9", b"}")),
    "JSON, the key is 5,000 digits": _one("/things", lambda: b'{"id":%b}' % (b"9" * 5000)),
    "JSON, an exponent of millions": _one("/things", lambda: b'{"id":1e999999999,"a":1E-999999999}'),
    "JSON, a string of 16 MB": _one("/things", lambda: _filled(b'{"id":"n-1","a":"', b"x", b'"}')),
    "JSON, the key is such a string": _one("/things", lambda: _filled(b'{"id":"n-', b"x", b'"}')),
    "JSON, escapes": _one("/things", lambda: _filled(b'{"id":"n-1","a":"', b"\\u0041", b'"}')),
    "JSON, surrogates": _one("/things", lambda: _filled(b'{"id":"n-1","a":"', b"\\ud83d\\ude00", b'"}')),
    "JSON, half a pair behind 99,000 escapes": _one(
        "/things", lambda: b'{"id":"n-1","a":"' + (b"\\n" + b"x" * 80) * 99_000 + b'\\ud83d"}'
    ),
    "JSON, 99,000 halves": _one("/things", lambda: b'{"id":"n-1","a":"' + b"\\ud83d" * 99_000 + b'"}'),
    "JSON, escaped names": _one("/things", lambda: _filled(b'{"id":"n-1"', b',"\\u0061":1', b"}")),
    "JSON, twins": _one("/things", lambda: _filled(b'{"id":"n-1"', b',"ID":"n-2"', b"}")),
    "JSON, the key a million times": _one("/things", lambda: _filled(b'{"id":"n-1"', b',"id":"n-1"', b"}")),
    "JSON, white space": _one("/things", lambda: _filled(b'{"id":"n-1"', b" ", b"}")),
    "JSON, a key far inside": _one("/nested", lambda: _filled(b'{"a":{"b":{"x":[1', b",2", b'],"id":"n-1"}}}')),
    "JSON, key in query and body": _one("/both?id=n-1", lambda: _filled(b'{"id":"n-1","a":[1', b",1", b"]}")),
    "JSON, half of it": _one("/things", lambda: _filled(b'{"id":"n-1","a":[', b"1,", b"")),
    "JSON, no UTF-8": _one("/things", lambda: _filled(b'{"id":"n-1","a":"', b"\xff", b'"}')),
    "JSON in UTF-16": _one("/things", lambda: ('{"id":"n-1","a":"' + "x" * 4_000_000 + '"}').encode("utf-16")),
    "JSON, NUL bytes": _one("/things", lambda: _filled(b"", b"\0", b"")),
    "JSON that says it is a form": _one("/things", lambda: _filled(b'{"id":"n-1","a":[1', b",1", b"]}"), _FORM),
    "every: JSON, wide": _one("/everyone", lambda: _members(FULL - 64)),
    "every: deep": _one("/everyone", lambda: b'{"id":"x","a":%b%b}' % (b"[" * 1_000_000, b"]" * 1_000_000)),
    "every: a number of millions of digits": _one("/everyone", lambda: _filled(b'{"id":"y","a":', b"9", b"}")),
    "place: JSON, wide": _one("/place", lambda: _members(FULL - 64)),
    "place: a name of 16 MB": _one("/place", lambda: _filled(b'{"id":"n-', b"x", b'"}')),
    "divide: 400,000 items of three shards": _one("/divide", lambda: _items(lambda n: f"{'nsw'[n % 3]}-{n}", 400_000)),
    "divide: one item of 16 MB": _one("/divide", lambda: _filled(b'{"items":[{"key":"n-1","a":"', b"x", b'"}]}')),
    "divide: items that are no objects": _one("/divide", lambda: _filled(b'{"items":[1', b",1", b"]}")),
    "divide: wide beside the items": _one("/divide", lambda: _members(FULL - 64).replace(b'"id":"n-1"', b'"items":[]')),
    "divide: items that are deep": _one(
        "/divide", lambda: b'{"items":[{"key":"n-1","a":%b%b}]}' % (b"[" * 1_000_000, b"]" * 1_000_000)
    ),
    "all or none: 400,000 items": _one("/whole", lambda: _items(lambda n: f"{'nsw'[n % 3]}-{n}", 400_000)),
}


CALLS_MAX = 10_000
"""Calls to shards that one request may cause."""


def _probing(count: int, *, same: bool = False, limit_s: float = 12.0) -> Attack:
    """Items on a locator that asks all shards for each."""

    async def run(stage: Stage) -> Outcome:
        before = sum(shard.calls for shard in stage.shards)
        body = _items(lambda n: "x-1" if same else f"x-{n}", count)
        answer: Answer = await stage.ask(request("POST", "/check", body=body), within_s=limit_s)
        calls = sum(shard.calls for shard in stage.shards) - before
        outcome = told([answer])
        findings = outcome.findings if calls <= CALLS_MAX else (*outcome.findings, f"{calls:,} calls to shards")
        return Outcome(f"{outcome.said}, {calls:,} calls", findings)

    return Attack("", run)


BODIES |= {
    "200,000 items on a probe locator": _probing(200_000),
    "20,000 items on a probe locator": _probing(20_000),
    "200,000 items of one key on a probe locator": _probing(200_000, same=True),
}
