"""PoC 2: the gateway in Flask. One key goes to one shard; a list is asked of all shards, joined, sorted and cut.

Written as one would who knows Flask well: one pooled session, one pool of threads for the calls of a list, replies that
are passed without being decoded. Runs under gunicorn, in an environment of its own; SHARDS holds the shards' URLs.

Never: limits, deadlines, metrics, a log, keys that were learned: it is a proof of concept.
"""

import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from zlib import crc32

import requests
from flask import Flask, Response, request
from requests.adapters import HTTPAdapter

SHARDS = os.environ["SHARDS"].split(",")
THREADS = int(os.environ.get("THREADS", "16"))
TIMEOUT_S = (1, 30)
LIMIT_DEFAULT = 100_000
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
WRITTEN_ANEW = HOP_BY_HOP | {"host", "content-length"}


def relay(path: str) -> Response:
    """The shard of this path answers; its reply passes as it is."""
    shard = SHARDS[crc32(path.encode()) % len(SHARDS)]
    reply = shards.request(
        request.method,
        f"{shard}/{path}",
        params=request.query_string,
        headers=_passed(request.headers.items(), WRITTEN_ANEW),
        data=request.get_data(),
        stream=True,
        allow_redirects=False,
        timeout=TIMEOUT_S,
    )
    body = reply.raw.read(decode_content=False)
    return Response(body, reply.status_code, _passed(reply.headers.items(), HOP_BY_HOP))


def gather() -> Response:
    """Every shard's first rows, as many as the page ends at; of all of them the page."""
    limit, offset = int(request.args.get("limit", LIMIT_DEFAULT)), int(request.args.get("offset", 0))
    asked = {**request.args.to_dict(), "limit": str(offset + limit), "offset": "0"}
    fields = _passed(request.headers.items(), WRITTEN_ANEW)
    ask = partial(shards.get, params=asked, headers=fields, timeout=TIMEOUT_S)
    replies = list(callers.map(ask, [shard + request.path for shard in SHARDS]))
    for reply in replies:
        if reply.status_code != 200:
            return Response(reply.content, reply.status_code, content_type=reply.headers["content-type"])
    rows = _sorted((row for reply in replies for row in reply.json()), request.args.get("order", ""))
    body = json.dumps(rows[offset : offset + limit], ensure_ascii=False, separators=(",", ":"))
    answer = Response(body, content_type="application/json")
    counts = [reply.headers.get("x-total_count") for reply in replies]
    if all(counts):
        answer.headers["X-Total_Count"] = str(sum(int(count) for count in counts if count))
    return answer


def _sorted(rows: Iterable[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    """By the last key first, since a sort keeps the order of equal rows."""
    found = list(rows)
    for key in reversed([*filter(None, order.split(",")), "id"]):
        name = key.removeprefix("-")
        found.sort(key=partial(_value, name), reverse=key.startswith("-"))
    return found


def _value(name: str, row: dict[str, Any]) -> tuple[bool, Any]:
    """Nulls are lowest."""
    return row[name] is not None, row[name]


def _passed(fields: Iterable[tuple[str, str]], but: set[str]) -> dict[str, str]:
    return {name: value for name, value in fields if name.lower() not in but}


def _pooled() -> requests.Session:
    """Keeps a connection for each thread to each shard; keeps no client's cookies, reads no proxy settings."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_connections=len(SHARDS), pool_maxsize=THREADS * 2))
    session.trust_env = False
    session.headers.clear()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


shards = _pooled()
callers = ThreadPoolExecutor(THREADS * len(SHARDS))
app = Flask(__name__)
app.add_url_rule("/v3/events", "gather", gather)
app.add_url_rule("/<path:path>", "relay", relay, methods=METHODS)
