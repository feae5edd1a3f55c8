"""Requests as values, for tests of what is decided from them."""

from shardgate.core.http import Request
from shardgate.core.wire.request_head import RequestHeadParser


def request(line: str = "GET /", *lines: str, body: bytes | str = b"") -> Request:
    """`request("GET /events?limit=2", "X-Vendor: 7")`."""
    head = "\r\n".join([f"{line} HTTP/1.1", "Host: a", *lines, ""])
    parsed = RequestHeadParser().parse(head.encode("latin-1"))
    parsed.body = body if isinstance(body, bytes) else body.encode()
    return parsed
