"""Whether a list may be answered without some of its shards: as its rule says, and as its client prefers.

Holds: a client gets no more than the rule allows: what the rule requires of every partial answer holds for all. Where
the rule lets clients ask for nothing, their preference is ignored (RFC 7240 section 2).
Never: knows why a shard is missing.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Final, Literal

import msgspec

from shardgate.core.topology import Shard, ShardId
from shardgate.core.wire.prefer import Preference, preference

Wish = Literal["strict", "partial", "quorum", "required"]
"""What clients may ask for."""


class Tolerance(msgspec.Struct, frozen=True):
    """What holds for one request."""

    partial: bool
    """The list may lack shards; false: one that is missing is an error."""
    quorum: int = 1
    """How many shards must have answered: all that are asked, where they are fewer."""
    required: frozenset[ShardId] = frozenset()
    """The shards that must have answered, where they are asked."""
    member: str | None = None
    """Where the body says what is missing; None: only the head does."""
    applied: bytes = b""
    """The client's preference, where it is what holds."""

    def allows(self, asked: Collection[ShardId], missing: Collection[ShardId]) -> bool:
        """Whether the list may be answered without these shards of those that are asked."""
        if not missing:
            return True
        answered = {shard for shard in asked if shard not in missing}
        enough = len(answered) >= max(1, min(self.quorum, len(asked)))
        return self.partial and enough and not any(shard in missing for shard in self.required)

    def explained(self) -> str:
        """In words."""
        if not self.partial:
            return "every shard must answer"
        needs = ["one shard answers" if self.quorum == 1 else f"{self.quorum} shards answer"]
        if self.required:
            needs.append(f"{', '.join(sorted(self.required))} among them")
        return f"a shard that does not answer is left out, and named, as long as {' with '.join(needs)}"


STRICT: Final = Tolerance(partial=False)


class Missing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a list is answered where shards do not answer."""

    answer: Literal["strict", "partial"] = "partial"
    """What is done where the client asks for nothing else. `strict`: 503 (SG2004). `partial`: the list of the other
    shards, marked as one that lacks some."""
    quorum: Annotated[int, msgspec.Meta(ge=1)] = 1
    """How many shards must answer for a partial answer; where fewer are asked, all of them."""
    required: tuple[str, ...] = ()
    """The shards without which there is no partial answer, where they are asked."""
    clients: tuple[Wish, ...] = ()
    """What a client may ask for by `Prefer: shards=…`: `strict`, `partial`, `quorum`, `required`. Other preferences are
    ignored."""
    member: str | None = None
    """The path of a member that says in the body, too, what is missing: `meta.partial`. It stands in partial answers
    alone. Null: only the head says it."""

    def tolerance(self, prefer: bytes | None, shards: Mapping[ShardId, Shard]) -> Tolerance:
        """What holds for a request with this field `Prefer`."""
        wish = preference(prefer, "shards") if self.clients else None
        if wish is not None and wish.value in self.clients:
            wished = self._wished(wish, shards)
            if wished is not None:
                return wished
        return self._own(partial=self.answer == "partial")

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """What is wrong: the field, why, and what to do."""
        if self.answer == "strict" and not {*self.clients} - {"strict"}:
            cure = "write `answer: partial`, or `clients: [partial]` for clients that ask for it; or remove `missing`"
            yield "answer", "there is never a partial answer", cure
        if self.member is not None and "" in self.member.split("."):
            yield "member", f"{self.member!r} is no path of a member", "write it as `meta.partial`"

    def _wished(self, wish: Preference, shards: Mapping[ShardId, Shard]) -> Tolerance | None:
        """What the client asks for, within what the rule requires; None where it cannot be read."""
        own = self._own(partial=wish.value != "strict", applied=wish.text)
        if wish.value == "quorum":
            count = wish.parameters.get("count", "")
            if not (count.isascii() and count.isdigit()) or not 1 <= (least := int(count[:9])) <= len(shards):
                return None
            return msgspec.structs.replace(own, quorum=max(least, self.quorum))
        if wish.value == "required":
            known = {shard.alias: name for name, shard in shards.items()}
            names = wish.parameters.get("names", "").split()
            if not names or not {*names} <= known.keys():
                return None
            return msgspec.structs.replace(own, required=own.required | {known[name] for name in names})
        return own

    def _own(self, *, partial: bool, applied: bytes = b"") -> Tolerance:
        return Tolerance(partial, self.quorum, frozenset(self.required), self.member, applied)


STRICT_RULE: Final = Missing(answer="strict")
PARTIAL_RULE: Final = Missing()
