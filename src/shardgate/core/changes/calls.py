"""Makes the call of each step of a change.

Holds: a call whose path or body needs something that is not known is not sent.
"""

import msgspec

from shardgate.core.changes.entry import Action, Branch, Entry
from shardgate.core.changes.steps import Move
from shardgate.core.changes.values import path_of


class Outgoing(msgspec.Struct, frozen=True):
    """One request to one shard; `body` is None where it has none."""

    method: bytes
    target: bytes
    body: bytes | None = None
    key: bytes | None = None
    """An idempotency key of the call, the same at each repetition, for applications that know the field."""
    is_ours: bool = False
    """The body is JSON of the gateway's own, whatever the client's was."""
    conditions: bytes = b""
    """The header lines that say under which condition it is to be carried out."""


def outgoing(entry: Entry, move: Move) -> Outgoing | None:
    """The call of a move; None where its path or its body needs something that is not known."""
    branch, request = entry.branches[move.branch], entry.request
    key = f'"{entry.token}-{move.branch}-{move.step}"'.encode()
    looks_for_restoring = entry.terms.undo is not None and entry.terms.undo.restore
    if move.step == "look" and (looks_for_restoring or entry.terms.check is None):
        return Outgoing(b"GET", request.target.partition(b"?")[0])
    if move.step in {"look", "check"}:
        shown = _filled(entry.terms.check or "", entry, branch)
        return None if shown is None else Outgoing(b"GET", shown)
    action = {"confirm": entry.terms.confirm, "undo": entry.terms.undo}.get(move.step)
    if action is not None:
        return _later(action, entry, branch, key)
    own = request.body if branch.body is None else branch.body
    conditions = entry.conditions_of(branch)
    return Outgoing(
        request.method.encode(), request.target, own if request.has_body else None, key, conditions=conditions
    )


def members(body: bytes) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, as they stand there; none where the body is something else."""
    return _object(body) or {}


def _object(body: bytes) -> dict[str, msgspec.Raw] | None:
    try:
        return msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _filled(path: str, entry: Entry, branch: Branch) -> bytes | None:
    reply = branch.reply
    said = reply.body if reply is not None and reply.status < 300 else None
    found = path_of(path, entry.variables, said)
    return None if found is None else found.encode()


def _later(action: Action, entry: Entry, branch: Branch, key: bytes) -> Outgoing | None:
    """The call of an action."""
    target = _filled(action.path, entry, branch)
    restored = _restored(action, entry, branch) if action.restore else {}
    if target is None or restored is None:
        return None
    has_body = bool(action.restore) or action.body is not None
    body = msgspec.json.encode({**restored, **(action.body or {})}) if has_body else None
    return Outgoing(action.method.encode(), target, body, key, is_ours=has_body)


def _restored(action: Action, entry: Entry, branch: Branch) -> dict[str, msgspec.Raw] | None:
    """The properties to restore; None where it is not known which they are, or what they were."""
    before = _object(branch.before or b"")
    # An empty body changes nothing, whatever it is declared to be.
    wanted = _object(entry.request.body or b"{}") if action.restore == "changed" else action.restore
    if before is None or wanted is None:
        return None
    return {name: before[name] for name in wanted if name in before}
