"""What to do next with an entry, given how far it has come; and how far it has come, given what a shard said.

    trying ──► done                      every shard took it
       │  └──► finishing ──► done        decided: confirm it, or give it to the shards that were down
       └─────► undoing ────► undone      a shard refused, or (strict) cannot be reached

Holds: a change whose outcome is in doubt is looked for, or repeated where that is harmless; where neither can be said,
it is stuck. A decision is never taken back.
Never: waits, sends or stores.
"""

from collections.abc import Collection
from typing import Literal

import msgspec

from shardgate.core.changes.entry import Branch, ChangeState, Entry
from shardgate.core.contracts import Outcome
from shardgate.core.errors import OverloadError, ShardDownError, ShardgateError
from shardgate.core.http import Reply

ChangeStep = Literal["look", "do", "check", "confirm", "undo"]
"""`look`: read the thing as it is before the change. `check`: see whether the change was made."""

_GONE = (404, 410)


class Move(msgspec.Struct, frozen=True):
    """One call to make."""

    branch: int
    step: ChangeStep


def next_state(entry: Entry, resting: Collection[int]) -> ChangeState:
    """The entry's state, now that its branches are where they are. `resting`: what cannot go on in this pass."""
    phases = [branch.phase for branch in entry.branches]
    if entry.state == "trying":
        return _after_trying(entry, resting)
    if entry.state == "finishing":
        wanted = "confirmed" if entry.terms.confirm else "done"
        if all(phase == wanted for phase in phases):
            return "done"
        return "stuck" if all(phase in {wanted, "stuck"} for phase in phases) else "finishing"
    if entry.state == "undoing":
        if all(phase in {"waiting", "refused", "undone"} for phase in phases):
            return "undone"
        return "stuck" if all(phase in {"waiting", "refused", "undone", "stuck"} for phase in phases) else "undoing"
    return entry.state


def _after_trying(entry: Entry, resting: Collection[int]) -> ChangeState:
    phases = {branch.phase for branch in entry.branches}
    if phases == {"done"}:
        return "finishing" if entry.terms.confirm else "done"
    if "refused" in phases:
        # The first that was asked judges for all: where a later one refuses, and nothing takes it back, a person must.
        return "stuck" if "done" in phases and entry.terms.undo is None else "undoing"
    if "stuck" in phases:
        return "undoing" if entry.terms.undo else "stuck"
    undecided = {number for number, branch in enumerate(entry.branches) if branch.phase != "done"}
    if (undecided - set(resting)) if entry.terms.patient else not resting:
        return "trying"
    return _without_the_resting(entry, touched=phases != {"waiting"})


def _without_the_resting(entry: Entry, *, touched: bool) -> ChangeState:
    """Some shards cannot be reached, or do not say what they did."""
    if not touched:
        return "undoing"
    if entry.terms.patient:
        return "finishing"
    # In doubt, and nothing takes it back: it stays open until the shard can say.
    return "undoing" if entry.terms.undo else "trying"


def moves(entry: Entry, resting: Collection[int]) -> list[Move]:
    """The calls that can be made now, all at once."""
    found: list[Move] = []
    for number, branch in enumerate(entry.branches):
        if number in resting:
            continue
        step = _step(entry, branch)
        if step is not None:
            found.append(Move(number, step))
    if entry.state != "trying" or entry.kind == "place":
        return found
    # A saga takes shard after shard, in the same order as every other: two that want the same last seats would each
    # hold one and refuse the other. Of `every`, the first shard judges for all: what the application refuses is refused
    # before anyone else has heard of it.
    one = entry.kind == "divide" or not any(branch.phase == "done" for branch in entry.branches)
    return found[:1] if one else found


def _step(entry: Entry, branch: Branch) -> ChangeStep | None:
    phase, terms = branch.phase, entry.terms
    if phase == "sent":
        if terms.check is not None:
            return "check"
        return "do" if terms.repeat else None
    if entry.state == "undoing":
        return "undo" if phase in {"done", "undoing"} and terms.undo is not None else None
    if phase == "waiting":
        return "look" if branch.before is None and _looks_first(entry) else "do"
    if entry.state == "finishing" and terms.confirm is not None and phase in {"done", "confirming"}:
        return "confirm"
    return None


def _looks_first(entry: Entry) -> bool:
    """What is restored must be known; and where an id is not ours, whether the thing was there before."""
    terms = entry.terms
    if entry.state == "trying" and terms.undo is not None and terms.undo.restore:
        return True
    return terms.check is not None and not terms.fresh and entry.kind != "place"


def begin(branch: Branch, step: ChangeStep) -> None:
    """What is journaled before the call is made."""
    if step == "do":
        branch.phase = "sent"
        branch.tries += 1
    elif step == "confirm":
        branch.phase = "confirming"
    elif step == "undo":
        branch.phase = "undoing"


def take(entry: Entry, move: Move, outcome: Outcome) -> bool:
    """Take in what came of a call. False: the branch rests, a later pass may try again."""
    branch = entry.branches[move.branch]
    if isinstance(outcome, ShardgateError):
        if move.step == "do":
            _unsent_or_doubted(branch, outcome)
        return False
    if outcome.status in {429, 503}:  # the application was not asked, or did nothing (RFC 9110 section 15.6.4)
        if move.step == "do":
            branch.reply = outcome
            _not_taken(branch)
        return False
    if outcome.status >= 500:
        if move.step == "do":
            branch.reply = outcome
        return False
    {"look": _looked, "do": _did, "check": _checked, "confirm": _confirmed, "undo": _undid}[move.step](
        entry, branch, outcome
    )
    return True


def _unsent_or_doubted(branch: Branch, error: ShardgateError) -> None:
    # Where the first call did not leave the gateway, nothing was done; a repeated one may follow one that did.
    if isinstance(error, ShardDownError | OverloadError):
        _not_taken(branch)


def _not_taken(branch: Branch) -> None:
    if branch.tries == 1:
        branch.phase, branch.tries = "waiting", 0


def _looked(_entry: Entry, branch: Branch, reply: Reply) -> None:
    branch.before = (reply.body or b"{}") if reply.status < 300 else b""


def _did(entry: Entry, branch: Branch, reply: Reply) -> None:
    again = branch.tries > 1 and reply.status in entry.terms.already and not branch.before
    branch.reply = reply
    if reply.status < 400 or (again and entry.terms.check is None):
        branch.phase = "done"
    elif again:
        branch.phase = "sent"  # a conflict with itself, or with something else? The check tells
    else:
        _refused(entry, branch, reply)


def _refused(entry: Entry, branch: Branch, reply: Reply) -> None:
    if entry.state == "undoing":
        branch.phase = "undone"
    elif entry.state == "finishing":
        _stick(branch, reply)
    else:
        branch.phase = "refused"


def _checked(entry: Entry, branch: Branch, reply: Reply) -> None:
    if reply.status < 300 and not branch.before:
        branch.phase, branch.reply = "done", reply
    elif reply.status >= 300 and reply.status not in _GONE:
        _stick(branch, reply)
    elif entry.state == "undoing":
        branch.phase = "undone"
    elif branch.reply is not None and branch.tries > 1 and branch.reply.status in entry.terms.already:
        _refused(entry, branch, branch.reply)
    else:
        # A new tenant is not made after its client was answered that nobody knows.
        branch.phase = "refused" if entry.kind == "place" else "waiting"


def _confirmed(entry: Entry, branch: Branch, reply: Reply) -> None:
    confirm = entry.terms.confirm
    if reply.status < 400 or (confirm is not None and reply.status in confirm.already):
        branch.phase = "confirmed"
        if reply.status < 300 and reply.body and branch.reply is not None:
            # What the client gets is what it asked for, as it is now: the status of the first call, the body of this.
            branch.reply = Reply(branch.reply.status, reply.fields, reply.body, branch.reply.reason)
    else:
        _stick(branch, reply)


def _undid(entry: Entry, branch: Branch, reply: Reply) -> None:
    undo = entry.terms.undo
    if reply.status < 400 or (undo is not None and reply.status in undo.already):
        branch.phase = "undone"
    else:
        _stick(branch, reply)


def stick(branch: Branch, problem: str) -> None:
    """Nobody can go on here but a person."""
    branch.stuck_in, branch.phase, branch.problem = branch.phase, "stuck", problem


def _stick(branch: Branch, reply: Reply) -> None:
    stick(branch, f"the shard answered {reply.status}")


def give_up_doubted(entry: Entry) -> None:
    """A branch whose outcome nobody can tell is stuck: a person must look."""
    if entry.terms.check is not None or entry.terms.repeat:
        return
    for branch in entry.branches:
        if branch.phase == "sent":
            branch.stuck_in, branch.phase = "waiting", "stuck"
            branch.problem = "it was sent and no reply came: it may have been made or not"


def retry(entry: Entry) -> None:
    """A person has looked: what is stuck is tried again, in the same direction as before."""
    for branch in entry.branches:
        if branch.phase == "stuck":
            branch.phase, branch.problem = branch.stuck_in, ""
    entry.state = entry.stuck_in
