"""The monolith and the gateway, asked the same; every pair of replies is judged: equal, unlike by nature, or other.

Holds: a difference is by nature only where it disappears with the declared reason: where the values of which a reason
says that each side makes its own are replaced by names, or where the reason's own normal form is equal.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from proof.strangers.reply import Reply, difference, read

TIMEOUT_S = 60.0
_NAMED = re.compile(r"@\{([\w.-]+)\}")


@dataclass(frozen=True)
class Nature:
    """A reason for which two instances of one application answer unlike, whatever stands before them."""

    reason: str
    """A sentence: `The application draws ids by chance.`"""
    normal: Callable[[Reply], object] | None = None
    """What must be equal all the same. Needed only where replacing what was kept does not make the replies equal."""


@dataclass(frozen=True)
class Kept:
    """A value of a reply that later requests use as `@{name}`; each side uses its own."""

    place: str
    """`body.results.0.id`, `header.etag`, or `link.next` (the target of the Link with this relation)."""
    nature: Nature | None = None
    """Why the two sides may have different values. None: they must be equal."""


@dataclass(frozen=True)
class Exchange:
    """One request and its two replies, judged."""

    kind: str
    method: str
    target: str
    """As written, with the names of kept values."""
    monolith: Reply
    gateway: Reply
    natural: str | None
    """The reason of a difference by nature."""
    other: str | None
    """A difference without such a reason."""

    def member(self, place: str) -> Any:
        """A value of the monolith's reply, by its place; None where it has none."""
        return _at(self.monolith, place)


@dataclass
class Both:
    """Asks both sides, and judges."""

    monolith: httpx.Client
    gateway: httpx.Client
    quick: bool = False
    """A small selection is wanted: a tenth of generated requests, see `some`."""
    asked: list[Exchange] = field(default_factory=list)
    _values: dict[str, tuple[str, str]] = field(default_factory=dict)
    _reasons: dict[str, Nature] = field(default_factory=dict)

    def ask(
        self,
        kind: str,
        method: str,
        target: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        keep: Mapping[str, Kept | str] | None = None,
        unlike: Sequence[Nature] = (),
    ) -> Exchange:
        """Send one request to both.

        `kind`: what it is an example of, as in the table. `target`: path and query; `@{name}` in it, in the body and
        in headers is what was kept under this name. `body`: bytes and texts are sent as they are, all else as JSON.
        `keep`: name → what later requests need. `unlike`: reasons of nature with a normal form, for which this reply
        may differ.
        """
        fields = dict(headers or {})
        if body is not None and not isinstance(body, bytes | str):
            body = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            fields = {"Content-Type": "application/json"} | fields
        text = body.encode() if isinstance(body, str) else body
        theirs, ours = (self._send(side, method, target, text, fields) for side in (0, 1))
        self._keep(keep or {}, theirs, ours)
        natural, other = self._judge(ours, theirs, unlike)
        exchange = Exchange(kind, method, target, theirs, ours, natural, other)
        self.asked.append(exchange)
        return exchange

    def some(self, count: int) -> int:
        """How many of `count` generated requests to send."""
        return max(1, count // 10) if self.quick else count

    def _send(self, side: int, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        def own(text: str) -> str:
            return _NAMED.sub(lambda found: self._values[found[1]][side], text)

        content = own(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape") if body else body
        client = (self.monolith, self.gateway)[side]
        fields = {name: own(value) for name, value in headers.items()}
        # The target goes out as it is written: httpx would normalize it.
        url = client.base_url.copy_with(raw_path=_path(own(target)).encode())
        try:
            reply = client.request(method, url, content=content, headers=fields)
        except (httpx.RemoteProtocolError, httpx.ReadError):
            # It had closed the kept connection, as Express does behind some errors, and uvicorn after five seconds.
            # Asked once more on a new one, a change that had been made would be seen as a difference.
            reply = client.request(method, url, content=content, headers=fields)
        except httpx.TransportError as error:
            name = ("the monolith", "the gateway")[side]
            raise RuntimeError(f"{name}, asked {method} {target}: {type(error).__name__}: {error}") from error
        client.cookies.clear()  # a request has the cookies that it names, and no others
        return read(reply)

    def _keep(self, keep: Mapping[str, Kept | str], theirs: Reply, ours: Reply) -> None:
        for name, where in keep.items():
            kept = where if isinstance(where, Kept) else Kept(where)
            values = (_text(_at(theirs, kept.place)), _text(_at(ours, kept.place)))
            self._values[name] = values
            self._reasons.pop(name, None)
            if kept.nature is not None and values[0] != values[1] and all(values):
                self._reasons[name] = kept.nature

    def _judge(self, ours: Reply, theirs: Reply, unlike: Sequence[Nature]) -> tuple[str | None, str | None]:
        found = difference(ours, theirs)
        if found is None:
            return None, None
        named = [
            reply.without("content-length").masked({self._values[name][side]: name for name in self._reasons})
            for side, reply in enumerate((theirs, ours))
        ]
        if difference(named[1], named[0]) is None:
            used = [name for name in self._reasons if f"@{{{name}}}".encode() in _whole(named[0])]
            return " ".join(dict.fromkeys(self._reasons[name].reason for name in used)), None
        for nature in unlike:
            if nature.normal is not None and nature.normal(named[0]) == nature.normal(named[1]):
                return nature.reason, None
        return None, found


def _path(target: str) -> str:
    """A link that an application wrote has an origin; both sides are asked for its path."""
    if not target.startswith(("http://", "https://")):
        return target
    parts = urlsplit(target)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _whole(reply: Reply) -> bytes:
    return reply.body + repr(reply.headers).encode()


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _at(reply: Reply, place: str) -> Any:
    source, _, path = place.partition(".")
    if source == "header":
        return reply.header(path.lower())
    if source == "link":
        found = re.search(rf'<([^>]*)>\s*;\s*rel="?{re.escape(path)}"?', reply.header("link") or "")
        return found[1] if found else None
    try:
        value = json.loads(reply.body)
        for name in path.split(".") if path else ():
            value = value[int(name)] if isinstance(value, list) else value[name]
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    return value
