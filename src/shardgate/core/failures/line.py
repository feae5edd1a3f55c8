"""One failure as one line of the log, which a person and a machine can read, and the line read again.

    request=7f3a-1c operation="GET /events" shard=north code=SG2007 status=502 where="row 3" what="…"

Holds: a line is one line and bounded, whatever a shard or a client sent. Members without a value are left out.
"""

import json
import re
from collections.abc import Mapping

import msgspec

from shardgate.core.errors import ShardgateError
from shardgate.core.failures.partial_reply import Lack
from shardgate.core.failures.printable import printable
from shardgate.core.limits import LOG_TEXT_CHARACTERS_MAX
from shardgate.core.topology import ShardId

_PLAIN = re.compile(r"[^\s\"=\\]+")
_MEMBER = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


class FailureLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a line says."""

    request: str = ""
    """The request's id; empty: it has none."""
    operation: str = ""
    """Empty: no route matched."""
    shard: str = ""
    """The shards at fault, with commas between them; empty: none is."""
    code: str = ""
    """Empty: the status is a shard's own, which the gateway passed on."""
    status: int
    where: str = ""
    """Where in the shard's reply."""
    what: str
    """What was wrong."""

    def text(self) -> str:
        """The line."""
        members = msgspec.structs.asdict(self)
        return " ".join([f"{name}={_quoted(str(value))}" for name, value in members.items() if value != ""])


def shard_of(error: ShardgateError) -> str:
    """The shard that a failure is of, or those of its causes; empty where it is of none."""
    return error.shard or ",".join(dict.fromkeys([each.shard for each in error.causes if each.shard]))


def line_of(error: ShardgateError, request_id: str, operation: str) -> FailureLine:
    """The line of a failure. What a shard or a client sent is in it, as far as the error's texts have it."""
    return FailureLine(
        request=printable(request_id, LOG_TEXT_CHARACTERS_MAX),
        operation=operation,
        shard=shard_of(error),
        code=error.code,
        status=error.status,
        where=error.where or next((each.where for each in error.causes if each.where), ""),
        what=printable(_what(error), LOG_TEXT_CHARACTERS_MAX),
    )


def refusal_of(statuses: Mapping[ShardId, int], status: int, request_id: str, operation: str) -> FailureLine | None:
    """The line of a refusal that some shards gave and that stands for all; None where all of them gave it.

    `statuses`: those of all replies. `status`: the client's.
    """
    refusing = [shard for shard, each in statuses.items() if each == status]
    if status < 300 or not 0 < len(refusing) < len(statuses):
        return None
    others = ", ".join([f"{shard} answered {each}" for shard, each in statuses.items() if each != status])
    return FailureLine(
        request=printable(request_id, LOG_TEXT_CHARACTERS_MAX),
        operation=operation,
        shard=",".join(refusing),
        status=status,
        what=printable(f"the shard's own answer, passed on for all; {others}", LOG_TEXT_CHARACTERS_MAX),
    )


def partial_of(lacks: Mapping[ShardId, Lack], status: int, request_id: str, operation: str) -> FailureLine:
    """The line of a reply that lacks shards."""
    reasons = [f"{shard}: {lack.reason}{_why(lack)}" for shard, lack in lacks.items()]
    return FailureLine(
        request=printable(request_id, LOG_TEXT_CHARACTERS_MAX),
        operation=operation,
        shard=",".join(lacks),
        status=status,
        what=printable(f"answered without these shards: {'; '.join(reasons)}", LOG_TEXT_CHARACTERS_MAX),
    )


def _why(lack: Lack) -> str:
    if lack.error is not None:
        return f" ({lack.error.code} {_what(lack.error)})"
    return "" if lack.status is None else f" (status {lack.status})"


def parsed(text: str) -> FailureLine | None:
    """The failure of a line of the log; None where the line is about something else."""
    start = text.find("request=")
    if start < 0:
        start = text.find("operation=")
    members = {name: _unquoted(value) for name, value in _MEMBER.findall(text[max(start, 0) :])}
    if not {"status", "what"} <= members.keys() or not members["status"].isdigit():
        return None
    known = {name: members[name] for name in FailureLine.__struct_fields__ if name in members}
    return msgspec.convert(known, FailureLine, strict=False)


def _what(error: ShardgateError) -> str:
    """What was wrong, with what was found; and what was wrong with each shard, where several were asked."""
    # Compiled code sets `__context__` alone (decision 54).
    cause = error.__cause__ or error.__context__
    found = error.log or (_reason(cause) if error.fault == "shard" and not error.causes else "")
    parts = [f"{error.detail}: {found}" if found and found != error.detail else error.detail]
    parts += [f"{each.shard or 'a shard'}: {each.code} {_what(each)}" for each in error.causes]
    return "; ".join(parts)


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, ShardgateError):
        return _what(cause)
    return "" if cause is None else str(cause)


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
