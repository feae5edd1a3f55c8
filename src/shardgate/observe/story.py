"""The story of one request, told from the lines that the gateway's log and its access log have of it.

Holds: only what the lines say is told, with an escape for what a terminal would obey. Lines of several files and of
other programs may stand between each other.
Never: reads a file.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from shardgate.core import errors
from shardgate.core.clients.masking import masked
from shardgate.core.errors import Fault, ShardgateError
from shardgate.core.failures.line import FailureLine, parsed
from shardgate.core.failures.printable import printable
from shardgate.observe.log_format import as_text
from shardgate.observe.log_line import Line

# Longer than any line that the gateway writes: what is shown is escaped, not cut.
TEXT_CHARACTERS_MAX: Final = 8192

Told = list[tuple[str, str]]
"""Lines for people, each with its title."""

_OUTAGE: Final = re.compile(r"shard (\S+) is (?:down|back)\b")
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]?\d*")
_CUT_OFF: Final[Mapping[str, str]] = {
    "client_gone": "the client left",
    "client_slow": "the client did not read it",
    "deadline": "a shard did not go on in time",
    "shard": "a shard's reply broke off, or was at fault",
    "drain": "the gateway ended",
    "gateway": "the gateway had no memory for it, or has a defect",
}
_ADVICE: Final[Mapping[Fault, str]] = {
    "client": "the client must change its request; sending it again changes nothing",
    "shard": "see that the shard runs and can be reached; its own log names the request by the same X-Request-Id",
    "gateway": "look at the gateway's load and at the lines around this one in its log",
}
_ADVICE_OF_CODE: Final[Mapping[str, str]] = {
    "SG2002": "compare the reply with the rule's dialect and keys; a shard of another version may answer otherwise",
    "SG2005": "let the application give shorter pages, or raise `limits.reply_body_bytes_max`",
    "SG2006": "look for the key on both shards: one of the two rows should not be there",
    "SG2007": "compare the rule's `default_order`, `tie` and collations with how the application sorts",
    "SG2011": "`shardgate journal` lists the change and says how to end it",
}
"""What helps with one error more than the advice for its kind."""


class _Failure(msgspec.Struct, frozen=True):
    """A failure of the request, and what was last said of its shards before."""

    at: str
    line: FailureLine
    outages: list[str]


def story(request_id: str, lines: Iterable[str]) -> Told:
    """What became of the request; nothing where no line names it."""
    read = _Reading(request_id)
    for line in lines:
        read.take(line.rstrip("\n"))
    return [(title, printable(text, TEXT_CHARACTERS_MAX)) for title, text in [*_requests(read), *_failures(read)]]


class _Reading:
    """What the lines have of one request."""

    def __init__(self, request_id: str) -> None:
        self._id = request_id
        self._outages: dict[str, str] = {}
        self.requests: list[Line] = []
        self.failures: list[_Failure] = []
        self.alike: dict[str, FailureLine] = {}
        """Code → the last failure of another request: where this one's line was left out, it may have the cause."""

    def take(self, line: str) -> None:
        """Read one line."""
        if line.startswith("{") and (text := as_text(line)) is not None:
            line = text
        if line.startswith("{"):
            if self._id in line and (request := _access(line)) is not None and request.request_id == self._id:
                self.requests.append(request)
        elif (outage := _OUTAGE.search(line)) is not None:
            self._outages[outage[1]] = f"{_at(line)} {line[outage.start() :]}".strip()
        elif " what=" in line and (failure := parsed(line)) is not None:
            if failure.request == self._id:
                before = [self._outages[shard] for shard in failure.shard.split(",") if shard in self._outages]
                self.failures.append(_Failure(_at(line), failure, before))
            elif failure.request and failure.code:
                self.alike[failure.code] = failure


def _requests(read: _Reading) -> Iterator[tuple[str, str]]:
    for line in read.requests:
        yield "when", f"{line.time}, and it took {line.duration_us / 1000:.1f} ms"
        # The log may be of a version that masked fewer names.
        asked = f"{line.method} {masked(line.path)}" if line.method else "bytes that are no request"
        yield "request", f"{asked}, from {line.client}"
        yield "operation", f"{line.operation}, by the rule `{line.rule}`" if line.operation else "no route matched"
        yield "shards", f"it was sent to {', '.join(line.shards)}" if line.shards else "it was sent to none"
        yield "reply", _reply(line)
        if line.error and not any(failure.line.code == line.error for failure in read.failures):
            yield "means", _meaning(line.error)
            yield "log", "no line of this failure: of one shard and one code only some are written"
            if (other := read.alike.get(line.error)) is not None:
                yield "log", f"another request failed so: {other.text()}"


def _reply(line: Line) -> str:
    said = f"{line.status}" if line.status else "none was begun"
    by = f", by the gateway ({line.error})" if line.error and not line.cut_off else ""
    cut = f"; cut off after {line.bytes_out} bytes: {_CUT_OFF.get(line.cut_off, line.cut_off)}" if line.cut_off else ""
    return f"{said}{by}{cut}"


def _failures(read: _Reading) -> Iterator[tuple[str, str]]:
    for failure in read.failures:
        line, known = failure.line, _known(failure.line.code)
        yield "failed", f"{failure.at or 'at a time that is not said'}: {line.code or 'refused'}, {line.status}"
        if line.operation and not read.requests:
            yield "operation", line.operation
        yield "at fault", f"shard {line.shard.replace(',', ', ')}" if line.shard else _WHO[known.fault]
        yield "what", line.what
        if line.where:
            yield "where", f"{line.where}, in the shard's reply"
        for outage in failure.outages:
            yield "before", outage
        if not line.code:
            yield "do", "ask that shard for the same: the refusal is the application's"
            continue
        yield "means", _meaning(line.code)
        yield "do", _ADVICE_OF_CODE.get(line.code, _ADVICE[known.fault])
        if known.nothing_done and known.fault != "client":
            yield "do", "nothing was changed: the client can send the request again"


_WHO: Final[Mapping[Fault, str]] = {"client": "the request", "shard": "a shard", "gateway": "the gateway"}


def _meaning(code: str) -> str:
    known = _known(code)
    title = f"{known.title}: " if hasattr(known, "title") else ""
    return title + " ".join((known.__doc__ or "").split())


def _known(code: str) -> type[ShardgateError]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ShardgateError)]
    return next((kind for kind in kinds if getattr(kind, "code", "") == code), ShardgateError)


def _access(line: str) -> Line | None:
    try:
        return msgspec.json.decode(line, type=Line)
    except msgspec.DecodeError:
        return None


def _at(line: str) -> str:
    stamp = _STAMP.search(line)
    return stamp[0] if stamp is not None else ""
