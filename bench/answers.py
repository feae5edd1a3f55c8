"""Looks whether a peer answers rightly, before it is measured: a quick wrong answer is worth nothing."""

from collections.abc import Sequence
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import msgspec

from bench.peers import Work

PAGE = "/v3/events?made=10&order=name&limit=10"
WHOLE = "/v3/events?made=10&order=name&limit=1000"
_PATIENCE_S = 5


def wrong(port: int, work: Work, shards: Sequence[int]) -> str:
    """What is wrong with its reply; empty where nothing is."""
    try:
        return _CHECKS[work](port, shards)
    except (URLError, OSError, msgspec.DecodeError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


def _relay(port: int, shards: Sequence[int]) -> str:
    for target in ("/v3/events/7", "/v3/documents/7"):
        if _get(port, target)[0] != _get(shards[0], target)[0]:
            return f"the body of {target} is not the shard's"
    return ""


def _page(port: int, shards: Sequence[int]) -> str:
    body, total = _get(port, PAGE)
    rows = msgspec.json.decode(body, type=list[dict[str, Any]])
    if rows != _sorted(shards)[:10]:
        return "the rows are not the first of all shards"
    expected = sum(int(_get(shard, PAGE)[1]) for shard in shards)
    return "" if int(total) == expected else f"X-Total_Count is {total}, not {expected}"


def _whole(port: int, shards: Sequence[int]) -> str:
    for shard in shards:
        body, total = _get(shard, WHOLE)
        if int(total) != (count := len(msgspec.json.decode(body, type=list[msgspec.Raw]))):
            return f"a shard gives {count} rows of {total}: a gateway that looks asks it for the others"
    rows = msgspec.json.decode(_get(port, WHOLE)[0], type=list[dict[str, Any]])
    rows.sort(key=_sort_key)
    return "" if rows == _sorted(shards) else "the rows are not all rows of all shards"


_CHECKS = {Work.RELAY: _relay, Work.GATHER: _page, Work.LIST: _whole}


def _sorted(shards: Sequence[int]) -> list[dict[str, Any]]:
    rows = [row for shard in shards for row in msgspec.json.decode(_get(shard, PAGE)[0], type=list[dict[str, Any]])]
    return sorted(rows, key=_sort_key)


def _sort_key(row: dict[str, Any]) -> tuple[str, str]:
    return row["name"], row["id"]


def _get(port: int, target: str) -> tuple[bytes, str]:
    with urlopen(f"http://127.0.0.1:{port}{target}", timeout=_PATIENCE_S) as reply:
        return reply.read(), reply.headers.get("X-Total_Count", "0")
