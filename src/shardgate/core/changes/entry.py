"""An entry of the journal: one change, the shards it goes to, and how far it has come on each.

Holds: an entry says all that is needed to end it, also after a restart with another configuration. What is `sent` was
journaled before: after a crash its outcome is in doubt, never forgotten.
"""

from typing import Final, Literal

import msgspec

from shardgate.core.http import Reply
from shardgate.core.topology import ShardId

ChangeKind = Literal["every", "divide", "place", "trial"]
"""`trial`: no rule; the change that one shard is sent for its refusal."""

ChangeState = Literal["trying", "finishing", "undoing", "done", "undone", "stuck", "abandoned"]
"""`trying`: may still be undone. `finishing`: decided, goes to its end on every shard. `undoing`: decided, taken back
everywhere. `stuck`: a shard said something that a person must look at."""

OPEN: tuple[ChangeState, ...] = ("trying", "finishing", "undoing")

BranchPhase = Literal["waiting", "sent", "done", "refused", "confirming", "confirmed", "undoing", "undone", "stuck"]
"""How far a branch has come. In `sent`, `confirming` and `undoing` a call may be under way, or have been lost."""

UNTOUCHED: Final[frozenset[BranchPhase]] = frozenset({"waiting", "refused", "undone"})
"""The phases in which a shard has nothing of the change."""


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A later call of a change: the one that confirms it, or that takes it back."""

    method: str
    """The method of the call."""
    path: str
    """The path of the call. `{name}` stands for a property of the change's reply, an assigned value, a variable of the
    path, or a property of the change's body."""
    body: dict[str, object] | None = None
    """Members of the JSON body of the call."""
    restore: tuple[str, ...] | Literal["changed"] = ()
    """Properties that the body also has, with their values from before the change, which are read by a GET of `path`.
    `changed`: the properties that the change named."""
    already: tuple[int, ...] = (404, 410)
    """The statuses by which the application says that there is nothing left to do."""


class Terms(msgspec.Struct, frozen=True):
    """How one change may be repeated, looked for, confirmed and taken back."""

    patient: bool
    """A shard that cannot be reached gets the change later (`eventual`); otherwise the change is taken back."""
    check: str | None
    """Where the thing can be seen once the change was made."""
    repeat: bool
    """Making the change twice is the same as making it once."""
    already: tuple[int, ...]
    """The statuses by which a repeated change is told that it was made before."""
    fresh: bool = False
    """The thing has an id that the gateway made: where it is seen, it is the one that this change has made."""
    confirm: Action | None = None
    undo: Action | None = None
    position: str | None = None
    """How a refusal says which item it means."""
    trial: bool = False
    """The change cannot be followed to its end: one shard is sent it, for its refusal. What it accepts is taken
    back."""


class Sent(msgspec.Struct, frozen=True):
    """The client's request, as it goes to shards."""

    method: str
    target: bytes
    host: bytes
    lines: bytes
    """The header lines that cross, without framing."""
    body: bytes
    has_body: bool
    request_id: bytes
    conditions: bytes = b""
    """The header lines that say under which condition the change is wanted (RFC 9110 section 13.1): of the call to the
    shard that judges, and of no other."""


class Branch(msgspec.Struct):
    """One shard's part of a change."""

    shard: ShardId
    body: bytes | None = None
    """Its part of the body; None: the whole."""
    positions: tuple[int, ...] = ()
    """Which items of the body are its part."""
    phase: BranchPhase = "waiting"
    tries: int = 0
    """How often the change was sent."""
    reply: Reply | None = None
    """The shard's last word on the change itself."""
    before: bytes | None = None
    """The thing as it was before the change; empty: it was not there."""
    problem: str = ""
    """Why it is stuck, for people."""
    stuck_in: BranchPhase = "sent"
    conditions: bytes | None = None
    """Those of its own, where the client's are about a thing that is put together; None: those of the request."""
    judges: bool = False
    """It was sent the conditions, so that its answer says whether they hold."""


class Entry(msgspec.Struct):
    """One change."""

    token: str
    """Names it to its client; cannot be guessed."""
    kind: ChangeKind
    operation: str
    request: Sent
    terms: Terms
    variables: dict[str, str]
    """Of the body, the path, and what the gateway assigned."""
    branches: list[Branch]
    state: ChangeState = "trying"
    stuck_in: ChangeState = "trying"
    id: int = 0
    """Its place in the order of all entries."""
    space: str = ""
    """`place`: the directory's space, and …"""
    tenant: str = ""
    """… the property of the reply that names the new tenant, and …"""
    placed_by: str = ""
    """… the name that the request gave it."""
    made: tuple[tuple[str, str], ...] = ()
    """Of what is made in parts: the spaces and keys by which it is then known; written down with the entry."""
    thing: str = ""
    """`every`: what it is about (core/changes/thing.py); empty: changes of anything wait for it, and it for them."""
    unsettled: bool = False
    """A shard was reached and has not settled it: it may wait for long, and holds up changes of its own thing alone."""
    fence: int = 0
    """Grows each time that another worker, or an operator, takes the entry over: what came before writes no more."""
    client: str = ""
    """A digest of who made it, who alone may read its status; empty: its token is enough."""

    def conditions_of(self, branch: Branch) -> bytes:
        """The conditions that the next call of a branch has: the first shard that is asked judges, and is asked once.

        Sent again, they would refuse a change that was made: the thing is another since then.
        """
        if branch.judges or self.state != "trying" or any(each.phase == "done" for each in self.branches):
            return b""
        return self.request.conditions if branch.conditions is None else branch.conditions

    @property
    def judge_is_in_doubt(self) -> bool:
        """A shard was sent the conditions, and it is not known what it made of them."""
        return any(branch.judges and branch.phase == "sent" for branch in self.branches)

    @property
    def never_sent(self) -> bool:
        """It is certain that no shard has anything of it."""
        return all(branch.tries == 0 for branch in self.branches)

    @property
    def left_on(self) -> list[ShardId]:
        """The shards that have something of it now, or may have."""
        return [branch.shard for branch in self.branches if branch.phase not in UNTOUCHED]

    @property
    def problems(self) -> dict[ShardId, str]:
        """The shards that refused the change or on which it is stuck, each with the reason, for people."""
        stuck = {branch.shard: branch.problem for branch in self.branches if branch.phase == "stuck"}
        refused = {
            branch.shard: f"the shard refused it with {branch.reply.status}"
            for branch in self.branches
            if branch.phase == "refused" and branch.reply is not None
        }
        return stuck | refused

    @property
    def size(self) -> int:
        """What it takes in memory, about, in bytes: its bodies, and those of replies that it keeps."""
        kept = [len(branch.body or b"") + len(branch.before or b"") for branch in self.branches]
        replies = [len(branch.reply.body) for branch in self.branches if branch.reply is not None]
        return len(self.request.body) + sum(kept) + sum(replies)

    @property
    def open(self) -> bool:
        """Something is left to do."""
        return self.state in OPEN
