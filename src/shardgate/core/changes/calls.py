"""Makes the call of each step of a change.

Holds: a path with a value that is not known is not sent.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from shardgate.core.changes.entry import Action, Branch, Entry
from shardgate.core.changes.steps import Move
from shardgate.core.http import Reply
from shardgate.core.limits import TARGET_BYTES_MAX

_NAME = re.compile(rb"\{[^}]*\}")


class Outgoing(msgspec.Struct, frozen=True):
    """One request to one shard; `body` is None where it has none."""

    method: bytes
    target: bytes
    body: bytes | None = None
    key: bytes | None = None
    """An idempotency key of the call, the same at each repetition, for applications that know the field."""
    is_ours: bool = False
    """The body is JSON of the gateway's own, whatever the client's was."""


def outgoing(entry: Entry, move: Move) -> Outgoing | None:
    """The call of a move; None where its path needs a value that is not known."""
    made = _made(entry, move)
    return None if _NAME.search(made.target) and made.target != entry.request.target else made


def _made(entry: Entry, move: Move) -> Outgoing:
    branch, request = entry.branches[move.branch], entry.request
    key = f'"{entry.token}-{move.branch}-{move.step}"'.encode()
    looks_for_restoring = entry.terms.undo is not None and entry.terms.undo.restore
    if move.step == "look" and (looks_for_restoring or entry.terms.check is None):
        return Outgoing(b"GET", request.target.partition(b"?")[0])
    if move.step in {"look", "check"}:
        return Outgoing(b"GET", _filled(entry.terms.check or "", entry, branch))
    action = {"confirm": entry.terms.confirm, "undo": entry.terms.undo}.get(move.step)
    if action is not None:
        body = _body(action, entry, branch)
        return Outgoing(action.method.encode(), _filled(action.path, entry, branch), body, key, body is not None)
    own = request.body if branch.body is None else branch.body
    return Outgoing(request.method.encode(), request.target, own if request.has_body else None, key)


def members(body: bytes) -> dict[str, object]:
    """The members of a JSON object; none where the body is something else."""
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def named(reply: Reply | None) -> Mapping[str, str]:
    """The plain properties of a reply, as text."""
    return plain(reply.body) if reply is not None and reply.status < 300 else {}


def plain(body: bytes) -> dict[str, str]:
    """The plain members of a JSON object, as text, but for texts that are too long for any path."""
    found = members(body)
    return {
        name: str(value)
        for name, value in found.items()
        if type(value) is int or (type(value) is str and len(value) <= TARGET_BYTES_MAX)
    }


def _filled(path: str, entry: Entry, branch: Branch) -> bytes:
    values = {**entry.variables, **named(branch.reply)}
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path.encode()


def _body(action: Action, entry: Entry, branch: Branch) -> bytes | None:
    if not action.restore:
        return None if action.body is None else msgspec.json.encode(action.body)
    before = members(branch.before or b"")
    wanted = members(entry.request.body) if action.restore == "changed" else action.restore
    restored = {name: before[name] for name in wanted if name in before}
    return msgspec.json.encode({**restored, **(action.body or {})})
