"""What to do next with a change, given how far it has come; and how far it has come, given what a shard answered.

phases.py has the states, the events and what follows from what. Here is decided which event it is.

Holds: a change whose outcome is in doubt is looked for, or repeated where that is harmless. Where neither can be done,
it is stuck. A 5xx leaves it in doubt, but for a 503 that says that nothing was done (busy.py). A redirect is a
refusal, unless `check` shows that the change was made.
Never: waits, sends or stores.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

import msgspec

from shardgate.core.changes.busy import did_nothing
from shardgate.core.changes.entry import UNTOUCHED, Branch, BranchPhase, ChangeState, Entry
from shardgate.core.changes.phases import BEGUN, PHASES, STATES, BranchEvent, ChangeEvent, ChangeStep
from shardgate.core.changes.values import said_by
from shardgate.core.contracts import Outcome
from shardgate.core.errors import ShardgateError
from shardgate.core.http import Reply

_GONE: Final = (404, 410)
_DOUBTED: Final = "it was sent, and no reply says whether it was made"


class Move(msgspec.Struct, frozen=True):
    """One call to make."""

    branch: int
    step: ChangeStep


def next_state(entry: Entry, resting: Collection[int]) -> ChangeState:
    """The change's state, now that its branches are where they are. `resting`: what cannot go on in this pass."""
    deciding = _DECIDING.get(entry.state)
    event = None if deciding is None else deciding(entry, resting)
    return entry.state if event is None else STATES[entry.state][event]


def _after_trying(entry: Entry, resting: Collection[int]) -> ChangeEvent | None:
    phases, terms = {branch.phase for branch in entry.branches}, entry.terms
    if phases == {"done"}:
        return "revoked" if terms.trial else "decided" if terms.confirm else "complete"
    if "refused" in phases:
        # The first that was asked judges for all: where a later one refuses, and nothing takes it back, a person must.
        return "hopeless" if "done" in phases and terms.undo is None else "revoked"
    if "stuck" in phases:
        return "revoked" if terms.undo else "hopeless"
    undecided = {number for number, branch in enumerate(entry.branches) if branch.phase != "done"}
    if (undecided - set(resting)) if terms.patient else not resting:
        return None
    return _without_the_resting(entry, touched=phases != {"waiting"})


def _without_the_resting(entry: Entry, *, touched: bool) -> ChangeEvent | None:
    """Some shards cannot be reached, or do not say what they did."""
    if not touched:
        return "revoked"
    if entry.terms.patient:
        return "decided"
    # In doubt, and nothing takes it back: it stays open until the shard can say.
    return "revoked" if entry.terms.undo else None


def _after_finishing(entry: Entry, _: Collection[int]) -> ChangeEvent | None:
    return _settled(entry, {"confirmed" if entry.terms.confirm else "done"})


def _after_undoing(entry: Entry, _: Collection[int]) -> ChangeEvent | None:
    return _settled(entry, UNTOUCHED)


def _settled(entry: Entry, wanted: Collection[BranchPhase]) -> ChangeEvent | None:
    """Whether every branch is in one of these phases, or will never be."""
    phases = {branch.phase for branch in entry.branches}
    if phases <= {*wanted}:
        return "complete"
    return "hopeless" if phases <= {*wanted, "stuck"} else None


_DECIDING: Final[Mapping[ChangeState, Callable[[Entry, Collection[int]], ChangeEvent | None]]] = {
    "trying": _after_trying,
    "finishing": _after_finishing,
    "undoing": _after_undoing,
}


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
    # A divided change takes shard after shard, in the same order as every other: two that want the same last seats
    # would each hold one and refuse the other. Of `every`, the first shard judges for all: what the application refuses
    # is refused before any other shard has got it.
    one = entry.kind == "divide" or not any(branch.phase == "done" for branch in entry.branches)
    return found[:1] if one else found


def _step(entry: Entry, branch: Branch) -> ChangeStep | None:
    phase, terms = branch.phase, entry.terms
    if phase == "sent":
        return None if branch.judges else _in_doubt(entry)
    if entry.state == "undoing":
        return "undo" if phase in {"done", "undoing"} and terms.undo is not None else None
    if phase == "waiting":
        return "look" if branch.before is None and _looks_first(entry) else "do"
    if entry.state == "finishing" and terms.confirm is not None and phase in {"done", "confirming"}:
        return "confirm"
    return None


def _in_doubt(entry: Entry) -> ChangeStep | None:
    if entry.terms.check is not None:
        return "check"
    return "do" if entry.terms.repeat else None


def _looks_first(entry: Entry) -> bool:
    """What is restored must be known; and where an id is not ours, whether the thing was there before."""
    terms = entry.terms
    if entry.state == "trying" and terms.undo is not None and terms.undo.restore:
        return True
    return terms.check is not None and not terms.fresh and entry.kind != "place"


def begin(entry: Entry, branch: Branch, step: ChangeStep) -> None:
    """Set what is journaled before the call is made."""
    if step == "do":
        branch.judges = branch.judges or entry.conditions_of(branch) != b""
        branch.tries += 1
    branch.phase = BEGUN.get(step, branch.phase)


def take(entry: Entry, move: Move, outcome: Outcome) -> bool:
    """Take in what came of a call. False: the branch rests, a later pass may try again."""
    branch = entry.branches[move.branch]
    if isinstance(outcome, ShardgateError):
        if move.step == "do" and outcome.nothing_done:
            _not_sent(entry, branch)
        return _is_left_open(branch)
    if move.step == "look" and outcome.status < 300 and not _can_be_restored(entry, outcome):
        return False
    if outcome.status == 304:  # no call that reads has a condition (RFC 9110 section 15.4.5): it says nothing
        return False
    if outcome.status >= 500 or outcome.status == 429:
        if move.step == "do":
            branch.reply = outcome
            if did_nothing(outcome):
                _not_sent(entry, branch)
        return _is_left_open(branch)
    event = _EVENTS[move.step](entry, branch, outcome)
    if event is not None:
        answered = branch.reply.status if event == "refused" and branch.reply and move.step == "check" else None
        lacking = f", and its reply has no `{entry.tenant}`" if move.step == "do" and event == "unclear" else ""
        _enter(entry, branch, event, f"the shard answered {answered or outcome.status}{lacking}")
    return True


def _not_sent(entry: Entry, branch: Branch) -> None:
    """Nothing was done, where this was the first call; a repeated call may follow one that did something."""
    if branch.tries == 1:
        branch.tries, branch.judges = 0, False
        _enter(entry, branch, "not sent", "")


def _is_left_open(branch: Branch) -> bool:
    """A change under a condition may have been made, and whether it may be made again nobody can tell."""
    if not (branch.judges and branch.phase == "sent"):
        return False
    stick(branch, _DOUBTED)
    branch.stuck_in = "waiting"
    return True


def _looked(_: Entry, branch: Branch, reply: Reply) -> BranchEvent | None:
    branch.before = (reply.body or b"{}") if reply.status < 300 else b""
    return None


def _can_be_restored(entry: Entry, reply: Reply) -> bool:
    undo = entry.terms.undo
    if undo is None or not undo.restore:
        return True
    try:
        msgspec.json.decode(reply.body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _did(entry: Entry, branch: Branch, reply: Reply) -> BranchEvent | None:
    again = branch.tries > 1 and reply.status in entry.terms.already and not branch.before
    branch.reply = reply
    if _redirects(reply):
        return "refused" if entry.terms.check is None else None
    if entry.kind == "place" and reply.status < 400 and made_tenant(entry, said_by_reply=True) is None:
        # A tenant whose name nobody knows would be lost: it is looked for under the name that the request gave it.
        return None if entry.terms.check is not None else "unclear"
    if reply.status < 400 or (again and entry.terms.check is None):
        return "taken"
    return None if again else "refused"  # None: a conflict with itself, or with something else? The check tells


def _redirects(reply: Reply | None) -> bool:
    """Whether the shard sends its client elsewhere: it did not do what was asked (RFC 9110 section 15.4), or shows
    elsewhere what it did (section 15.4.4)."""
    return reply is not None and 300 <= reply.status < 400


def made_tenant(entry: Entry, *, said_by_reply: bool = False) -> str | None:
    """The name of the tenant that a `place` has made: the reply says it, or `check` has found it by the request's name.

    None where the name is not known; `said_by_reply`: where the reply alone does not say it.
    """
    reply = entry.branches[0].reply
    said = said_by(reply.body, [entry.tenant]).get(entry.tenant) if reply is not None else None
    if said is not None:
        return said
    return None if said_by_reply else entry.variables.get("key")


def _checked(entry: Entry, branch: Branch, reply: Reply) -> BranchEvent:
    if reply.status < 300 and not branch.before:
        if not _keeps_its_reply(entry, branch, reply):
            branch.reply = reply
        return "taken"
    if _redirects(branch.reply):  # whatever is said now: the shard did not say that it had made the change
        return "refused"
    if reply.status >= 300 and reply.status not in _GONE:
        return "unclear"
    if branch.reply is not None and branch.tries > 1 and branch.reply.status in entry.terms.already:
        return "refused"
    # A new tenant is not made after its client was answered that no shard has it.
    return "refused" if entry.kind == "place" else "absent"


def _keeps_its_reply(entry: Entry, branch: Branch, seen: Reply) -> bool:
    """Whether the client gets what the shard answered to a `place`, a 201 without a body perhaps: `check` was asked for
    the tenant's name alone, and shows the one that the request gave."""
    if entry.kind != "place" or branch.reply is None or not 200 <= branch.reply.status < 300:
        return False
    return said_by(seen.body, [entry.tenant]).get(entry.tenant) in {None, entry.variables.get("key")}


def _confirmed(entry: Entry, branch: Branch, reply: Reply) -> BranchEvent:
    confirm = entry.terms.confirm
    if reply.status >= 300 and (confirm is None or reply.status not in confirm.already):
        return "refused"
    if reply.status < 300 and reply.body and branch.reply is not None:
        # The client gets what it asked for, as it is now: the status of the first call, the body of this one.
        branch.reply = Reply(branch.reply.status, reply.fields, reply.body, branch.reply.reason)
    return "taken"


def _undid(entry: Entry, _: Branch, reply: Reply) -> BranchEvent:
    undo = entry.terms.undo
    return "taken" if reply.status < 300 or (undo is not None and reply.status in undo.already) else "refused"


_EVENTS: Final[Mapping[ChangeStep, Callable[[Entry, Branch, Reply], BranchEvent | None]]] = {
    "look": _looked,
    "do": _did,
    "check": _checked,
    "confirm": _confirmed,
    "undo": _undid,
}


def _enter(entry: Entry, branch: Branch, event: BranchEvent, problem: str) -> None:
    phase = PHASES[entry.state][branch.phase][event]
    if phase == "stuck":
        stick(branch, problem)
    else:
        branch.phase = phase


def stick(branch: Branch, problem: str) -> None:
    """Only a person can go on here."""
    branch.stuck_in, branch.phase, branch.problem = branch.phase, "stuck", problem


def cannot_send(entry: Entry, move: Move) -> None:
    """The call cannot be made: its path needs a value that is not known. What was never sent is not stuck."""
    branch, problem = entry.branches[move.branch], f"its {move.step} needs a value that is not known"
    if entry.state == "trying" and branch.phase == "waiting":
        _enter(entry, branch, "unsendable", problem)
    else:
        stick(branch, problem)


def refuse_all(entry: Entry) -> None:
    """Nothing of it was ever sent, and nothing will be."""
    for branch in entry.branches:
        branch.phase, branch.problem = "refused", ""
    entry.state = "trying"


def give_up_doubted(entry: Entry) -> None:
    """A branch whose outcome cannot be found out is stuck: a person must look."""
    is_followed = entry.terms.check is not None or entry.terms.repeat
    for branch in entry.branches:
        if branch.phase == "sent" and (branch.judges or not is_followed):
            stick(branch, _DOUBTED)
            branch.stuck_in = "waiting"


def retry(entry: Entry) -> None:
    """A person has looked: what is stuck is tried again, in the same direction as before."""
    for branch in entry.branches:
        if branch.phase == "stuck":
            branch.phase, branch.problem = branch.stuck_in, ""
    entry.state = entry.stuck_in
