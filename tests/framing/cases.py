"""One case: the bytes that a client sends, the verdict, and the requests that arrive at the shard.

`arrives(b"GET /any", b"X: y")` is written as the shard must receive it, byte for byte; what the gateway adds to every
request stands in `ADDED` alone. A body that came in chunks may go on in chunks or with its length.
"""

import re
from dataclasses import dataclass, replace

ADDED = b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nVia: 1.1 shardgate\r\nX-Request-Id: %b\r\n"
NEW_ID = b"(new)"
_FRAMING = re.compile(rb"(?<=\r\n)(?:Content-Length|Transfer-Encoding): ([^\r]*)\r\n")
_GIVEN_ID = re.compile(rb"(?<=\r\nX-Request-Id: )[0-9a-f]{12}-[0-9a-f]+(?=\r\n)")

CANARY = b"GET /canary HTTP/1.1\r\nHost: a\r\n\r\n"
"""A request that must never be seen: it stands behind bytes after which nothing is a request any more."""
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
"""A request that must be seen: the connection is still in step, and goes on."""


@dataclass(frozen=True)
class Arrives:
    """A request as it arrives at the shard."""

    line: bytes
    head: bytes
    body: bytes | None
    chunked: bool

    @property
    def method(self) -> bytes:
        return self.line.partition(b" ")[0]

    def is_what_came(self, head: bytes, body: bytes) -> bool:
        """Whether these bytes are the request, and are framed once, plainly."""
        framing = _FRAMING.findall(head)
        head = _GIVEN_ID.sub(NEW_ID, _FRAMING.sub(b"", head))
        if self.body is None:
            plain: list[list[bytes]] = [[]]
        else:
            plain = [[b"%d" % len(self.body)]] + ([[b"chunked"]] if self.chunked else [])
        return head == self.head and body == (self.body or b"") and framing in plain


def arrives(
    line: bytes,
    *fields: bytes,
    body: bytes | None = None,
    chunked: bool = False,
    host: bytes = b"a",
    request_id: bytes = NEW_ID,
) -> Arrives:
    """`body` None: there is neither body nor framing. `chunked`: the client sent chunks."""
    crossing = b"".join(field + b"\r\n" for field in fields)
    head = b"%b HTTP/1.1\r\nHost: %b\r\n%b%b\r\n" % (line, host, crossing, ADDED % request_id)
    return Arrives(line, head, body, chunked)


@dataclass(frozen=True)
class Case:
    """Bytes and the verdict on them."""

    name: str
    sends: bytes
    arrives: tuple[Arrives, ...]
    replies: tuple[int, ...]
    """The statuses that the client reads, in their order."""
    code: str = ""
    """The code of the last reply, where it is the gateway's own."""
    closes: bool | None = False
    """Whether the connection ends here; None: it may."""
    begins: bool = False
    """The shard may see the beginning of the last request, never its end."""
    half_closes: bool = False
    """The client ends its side behind its bytes."""
    is_head: bool = False
    """The gateway's own reply is one to HEAD."""

    @property
    def bytes_sent(self) -> bytes:
        """With a request behind it, which must be seen, or must not."""
        if self.half_closes:
            return self.sends
        return self.sends + (CANARY if self.closes else LAST)

    @property
    def methods(self) -> list[bytes]:
        """The method that each reply answers."""
        own = b"HEAD" if self.is_head else b"GET"
        return [one.method for one in self.arrives] + [own, b"GET"]


def passes(name: str, sends: bytes, *requests: Arrives, closes: bool = False) -> Case:
    """Each request arrives, is answered, and the connection goes on, unless it asked to end."""
    return Case(name, sends, requests, (200,) * len(requests), closes=closes)


def refused(
    name: str, sends: bytes, status: int = 400, code: str = "SG1001", *, after: tuple[Arrives, ...] = ()
) -> Case:
    """Not plainly valid: nothing of it arrives, it is answered, the connection ends. `after`: what came before it."""
    return Case(name, sends, after, (200,) * len(after) + (status,), code, closes=True)


def spoilt(
    name: str, sends: bytes, status: int = 400, code: str = "SG1001", *, after: tuple[Arrives, ...] = ()
) -> Case:
    """A good head, then a body that is not plainly valid: no whole request arrives, and the connection ends."""
    return replace(refused(name, sends, status, code, after=after), begins=True)


def answered(
    name: str, sends: bytes, status: int, code: str, *, closes: bool | None = False, is_head: bool = False
) -> Case:
    """Plainly valid, but nothing to ask a shard about: the gateway answers itself."""
    return Case(name, sends, (), (status,), code, closes=closes, is_head=is_head)


def unfinished(name: str, sends: bytes) -> Case:
    """The client ends its side within a request: no whole request arrives, and nobody waits for the rest."""
    return Case(name, sends, (), (), closes=True, begins=True, half_closes=True)


def get(*lines: bytes, target: bytes = b"/any") -> bytes:
    """A GET with a Host and these lines."""
    return b"GET %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (target, b"".join(line + b"\r\n" for line in lines))


def post(*lines: bytes, body: bytes = b"") -> bytes:
    """A POST with a Host, these lines, and these bytes behind its head."""
    return b"POST /any HTTP/1.1\r\nHost: a\r\n%b\r\n%b" % (b"".join(line + b"\r\n" for line in lines), body)


def chunks(body: bytes) -> bytes:
    """A POST in the chunked coding; `body` is the coding."""
    return post(b"Transfer-Encoding: chunked", body=body)
