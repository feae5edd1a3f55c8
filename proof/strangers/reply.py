"""A reply as it is compared: status, headers that matter, body.

Holds: what may always differ is listed here and nowhere else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import httpx

# Who wrote it, when, and how it travelled (RFC 9110 sections 6.6.1, 7.6.1, 7.6.3). The length is that of the body,
# which is compared; a HEAD may leave it out (RFC 9110 section 8.6), so that it is compared where both state it.
OF_THE_HOP = frozenset(
    {"connection", "date", "keep-alive", "proxy-connection", "server", "transfer-encoding", "via", "x-request-id"}
)
_SHOWN = 60


@dataclass(frozen=True)
class Reply:
    """What is compared of one reply."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """In small letters, sorted."""
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name), None)

    def without(self, *names: str) -> "Reply":
        """Without these headers."""
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0] not in names))

    def only(self, *names: str) -> "Reply":
        """With these headers alone; of an ETag counts that there is one."""
        kept = (_opaque(name, value) for name, value in self.headers if name in names)
        return replace(self, headers=tuple(kept))

    def masked(self, known: Mapping[str, str]) -> "Reply":
        """With each of the known values replaced by its name. A value counts only as a whole word."""
        if not known:
            return self
        by_length = sorted(known, key=len, reverse=True)
        pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, by_length))})(?![\w-])")

        def named(text: str) -> str:
            return pattern.sub(lambda found: f"@{{{known[found[0]]}}}", text)

        headers = ((name, value if name == "content-length" else named(value)) for name, value in self.headers)
        body = named(self.body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return replace(self, headers=tuple(headers), body=body)


def read(reply: httpx.Response) -> Reply:
    """What is compared of a reply."""
    headers = [(name.lower(), value) for name, value in reply.headers.multi_items()]
    # An empty Link lists no links (RFC 9110 section 5.6.1): it says as much as none.
    kept = [pair for pair in headers if pair[0] not in OF_THE_HOP and pair != ("link", "")]
    return Reply(reply.status_code, tuple(sorted(kept)), reply.content)


def difference(ours: Reply, theirs: Reply) -> str | None:
    """What differs first between the gateway's reply and the monolith's; None where they are one.

    A validator is opaque (RFC 9110 section 8.8.3): the one of a merged list is made of those of the shards. Compared is
    that there is one; what it is good for is compared by conditional requests.
    """
    if ours.status != theirs.status:
        return f"status {ours.status} instead of {theirs.status}: {_start(ours)} instead of {_start(theirs)}"
    if (said := _headers(ours)) != (wanted := _headers(theirs)):
        return f"headers {sorted(said - wanted)} instead of {sorted(wanted - said)}"
    one, other = ours.header("content-length"), theirs.header("content-length")
    if one is not None and other is not None and not ours.body and one != other:
        return f"content-length {one} instead of {other}"
    if ours.body != theirs.body:
        return f"body {_place(ours.body, theirs.body)}"
    return None


def _headers(reply: Reply) -> set[tuple[str, str]]:
    return {_opaque(name, value) for name, value in reply.headers if name != "content-length"}


def _opaque(name: str, value: str) -> tuple[str, str]:
    return (name, "…") if name == "etag" else (name, value)


def _start(reply: Reply) -> str:
    return repr(reply.body[:300].decode(errors="replace"))


def _place(ours: bytes, theirs: bytes) -> str:
    pairs = enumerate(zip(ours, theirs, strict=False))
    place = next((n for n, (one, other) in pairs if one != other), min(len(ours), len(theirs)))
    start = max(0, place - _SHOWN)
    return f"at byte {place}: …{ours[start : place + _SHOWN]!r} instead of …{theirs[start : place + _SHOWN]!r}"
