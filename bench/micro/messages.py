"""The messages of the micro benches: one request of a partner, the rules of an application, what its shards say."""

import msgspec

HEADERS = (
    b"Host: api.example.com\r\nUser-Agent: partner-sync/4.2 (linux; x86_64)\r\nAccept: application/json\r\n"
    b"Accept-Encoding: gzip, deflate\r\nAccept-Language: en-GB,en;q=0.8\r\n"
    b"Authorization: Bearer "
    b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJrZXRwbGFjZSJ9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\r\n"
    b"Cache-Control: no-cache\r\nConnection: keep-alive\r\n\r\n"
)
KEYED = "/v3/events/0123456789abcdef0123456789abcdef"
LISTED = "/v3/events?order=name&limit=10"
WHOLE = "/v3/events?order=name&limit=1000"


def shards(replicas: int) -> dict[str, object]:
    """Four shards of one or more replicas each."""
    urls = {f"s{n}": [f"http://127.0.0.1:{9600 + 10 * n + at}" for at in range(replicas)] for n in range(4)}
    return {name: {"replicas": given} if replicas > 1 else given[0] for name, given in urls.items()}


RULES = {
    "listen": "127.0.0.1:9500",
    "workers": 1,
    "shards": shards(1),
    "locators": {"event": [{"kind": "hash"}]},
    "rules": {
        "GET /v3/events/{id}": {"rule": "one", "key": "path.id", "locate": "event"},
        "GET /v3/events": {
            "rule": "gather",
            "merge": {
                "kind": "list",
                "dialect": {"kind": "offset", "limit_default": 100_000, "count_header": "X-Total_Count"},
                "keys": {"id": "text", "name": "text"},
            },
            "learn": {"event": "id"},
        },
    },
}


def keyed_reply(size: int) -> bytes:
    """A detail reply of so many bytes."""
    body = msgspec.json.encode({"id": "0" * 32, "text": "x" * (size - 50)})
    return head(len(body)) + body


def list_reply(rows: int, shard: int, total: int = 1000) -> bytes:
    """A sorted list of realistic rows: the first of so many."""
    items = [
        {
            "id": f"{n * 7 + shard:032x}",
            "name": f"Walking tour {n:04d} of the old town, {shard}",
            "vendor_id": f"{shard:032x}",
            "city": "Lisboa",
            "price": 4500 + n,
            "currency": "EUR",
            "rating": 4.5,
            "description": "A guided walk through the old town with a tasting at the end. " * 2,
            "updated_at": "2026-05-01T10:00:00Z",
        }
        for n in range(rows)
    ]
    body = msgspec.json.encode(items)
    return head(len(body), total) + body


def head(length: int, total: int = 1000) -> bytes:
    """What a common application server writes."""
    return (
        b"HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 17:00:00 GMT\r\nserver: uvicorn\r\n"
        b"content-type: application/json\r\nx-total_count: %d\r\ncontent-length: %d\r\n\r\n" % (total, length)
    )
