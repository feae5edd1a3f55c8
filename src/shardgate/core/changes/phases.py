"""The states of a change and the phases of its branches, as tables. A test compares them with these arrows.

The change:

    trying ──complete──► done
    trying ──decided──► finishing
    trying ──revoked──► undoing
    trying ──hopeless──► stuck
    finishing ──complete──► done
    finishing ──hopeless──► stuck
    undoing ──complete──► undone
    undoing ──hopeless──► stuck

A branch, by the change's state; before a call is made its phase becomes `sent`, `confirming` or `undoing`:

    trying: waiting ──unsendable──► refused
    trying: sent ──not sent──► waiting
    trying: sent ──taken──► done
    trying: sent ──refused──► refused
    trying: sent ──absent──► waiting
    trying: sent ──unclear──► stuck
    finishing: sent ──not sent──► waiting
    finishing: sent ──taken──► done
    finishing: sent ──refused──► stuck
    finishing: sent ──absent──► waiting
    finishing: sent ──unclear──► stuck
    finishing: confirming ──taken──► confirmed
    finishing: confirming ──refused──► stuck
    undoing: sent ──taken──► done
    undoing: sent ──refused──► undone
    undoing: sent ──absent──► undone
    undoing: sent ──unclear──► stuck
    undoing: undoing ──taken──► undone
    undoing: undoing ──refused──► stuck

Holds: what is not in a table cannot happen: to look it up is a KeyError. A decision is never taken back: no arrow leads
from `finishing` to `undoing`, or back to `trying`.
"""

from collections.abc import Mapping
from typing import Final, Literal

from shardgate.core.changes.entry import BranchPhase, ChangeState

ChangeStep = Literal["look", "do", "check", "confirm", "undo"]
"""One call to a shard. `look`: read the thing as it is before the change. `check`: see whether the change was made."""

ChangeEvent = Literal["complete", "decided", "revoked", "hopeless"]
"""What the branches together mean for the change.

`complete`: every branch is where it must be. `decided`: the change goes to its end on every shard. `revoked`: it must
be taken back. `hopeless`: nothing more can be done without a person.
"""

BranchEvent = Literal["not sent", "unsendable", "taken", "refused", "absent", "unclear"]
"""What a call has shown.

`not sent`: the shard has not got the call, or says that it is too busy and did nothing (busy.py). `unsendable`: the
call cannot be made. `taken`: the shard did what was asked, also where it had done so before. `refused`: it will not.
`absent`: what the change makes is not there. `unclear`: the shard's answer to a check, or to a `place`, says neither.
"""

STATES: Final[Mapping[ChangeState, Mapping[ChangeEvent, ChangeState]]] = {
    "trying": {"complete": "done", "decided": "finishing", "revoked": "undoing", "hopeless": "stuck"},
    "finishing": {"complete": "done", "hopeless": "stuck"},
    "undoing": {"complete": "undone", "hopeless": "stuck"},
}

BEGUN: Final[Mapping[ChangeStep, BranchPhase]] = {"do": "sent", "confirm": "confirming", "undo": "undoing"}
"""The phase that is journaled before a call is made; a call that only reads has none."""

PHASES: Final[Mapping[ChangeState, Mapping[BranchPhase, Mapping[BranchEvent, BranchPhase]]]] = {
    "trying": {
        "waiting": {"unsendable": "refused"},
        "sent": {
            "not sent": "waiting",
            "taken": "done",
            "refused": "refused",
            "absent": "waiting",
            "unclear": "stuck",
        },
    },
    "finishing": {
        # Others have the change: a shard that refuses it now, or does not say what it did, needs a person.
        "sent": {
            "not sent": "waiting",
            "taken": "done",
            "refused": "stuck",
            "absent": "waiting",
            "unclear": "stuck",
        },
        "confirming": {"taken": "confirmed", "refused": "stuck"},
    },
    "undoing": {
        # What a shard has not got needs no undoing.
        "sent": {"taken": "done", "refused": "undone", "absent": "undone", "unclear": "stuck"},
        "undoing": {"taken": "undone", "refused": "stuck"},
    },
}
