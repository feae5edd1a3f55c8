"""A fault, and what must hold while it lasts and afterwards.

Holds: what must hold is a value of numbers. Two faults together must hold what both allow.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from proof.chaos.stage import Stage

ALL: Final = 1_000_000
"""So many may be refused: no bound."""
SETTLED_S: Final = 3.0
"""Once a fault has lasted for so long, the gateway has found its way."""


class Must(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold."""

    lost: int = 0
    """Requests that may end without a good reply and without a refusal of the gateway's own."""
    refused: Mapping[str, int] = {}
    """Kind of request → how many of them the gateway may refuse. `its read`, `its create`: of the shard at fault."""
    also: frozenset[str] = frozenset()
    """What may come any number of times and counts as lost for nobody: `every late`, `its read failed`."""
    unconnected: int = 0
    """Connections that the port may refuse."""
    clean_s: float | None = None
    """From so long after its beginning on, nothing is refused or lost."""
    times: float | None = 2.0
    """The 99th percentile of reads, once settled, ÷ the normal one. Where a shard is at fault: of reads of others."""
    times_from_s: float = SETTLED_S
    """When it is settled."""
    extra_percent: float | None = None
    """Retries and hedges for each hundred calls, once settled."""
    within_s: float = 10.0
    """The slowest end of a read or a list."""
    recovered_s: float = 2.0
    """After the fault has ended: until nothing is refused or lost any more, and no change is open."""

    def beside(self, other: "Must") -> "Must":
        """What must hold of both faults together."""
        bounds = [bound for bound in (self.times, other.times) if bound is not None]
        cleans = [clean for clean in (self.clean_s, other.clean_s) if clean is not None]
        return Must(
            lost=self.lost + other.lost,
            refused={
                kind: self.refused.get(kind, 0) + other.refused.get(kind, 0) for kind in {*self.refused, *other.refused}
            },
            also=self.also | other.also,
            unconnected=self.unconnected + other.unconnected,
            clean_s=max(cleans) if len(cleans) == 2 else None,
            times=max(bounds) if len(bounds) == 2 else None,
            times_from_s=max(self.times_from_s, other.times_from_s),
            extra_percent=None,
            within_s=max(self.within_s, other.within_s),
            recovered_s=max(self.recovered_s, other.recovered_s),
        )

    @property
    def said(self) -> str:
        """In words."""
        refused = ", ".join(kind if most >= ALL else f"{kind} ({most})" for kind, most in sorted(self.refused.items()))
        parts = [
            f"lost ≤ {self.lost}" if self.lost else "0 lost",
            f"refused only: {refused}" if refused else "0 refused",
            f"may be: {', '.join(sorted(self.also))}" if self.also else "",
            f"unconnected ≤ {self.unconnected}" if self.unconnected else "",
            f"clean after {self.clean_s:g} s" if self.clean_s is not None else "",
            f"p99 ≤ {self.times:g} times normal" if self.times is not None else "",
            f"extra ≤ {self.extra_percent:g} %" if self.extra_percent is not None else "",
            f"slowest ≤ {self.within_s:g} s" if self.within_s < 10 else "",
            f"over in {self.recovered_s:g} s",
        ]
        return "; ".join(filter(None, parts))


Happening = Callable[["Stage"], AbstractAsyncContextManager[None]]
"""The fault begins when it is entered, and is taken back when it is left."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault."""

    name: str
    what: str
    """What is done, in a few words."""
    run: Happening
    must: Must
    hold_s: float = 5.0
    """How long it lasts."""
    stage: str = "plain"
    """The gateway that it is tried on: `proof.chaos.variants`."""
    shard: str = ""
    """The letter of the shard at fault, where all of its instances are."""
    quick: bool = False
    """It is one of the few that `make test` tries."""

    def with_(self, other: "Fault", **changed: object) -> "Fault":
        """Both at once: the other begins while this one lasts."""

        @asynccontextmanager
        async def run(stage: "Stage") -> AsyncIterator[None]:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self.run(stage))
                await stack.enter_async_context(other.run(stage))
                yield

        both = Fault(
            name=f"{self.name} + {other.name}",
            what=f"{self.what}; {other.what}",
            run=run,
            must=self.must.beside(other.must),
            hold_s=max(self.hold_s, other.hold_s),
            stage=other.stage if self.stage == "plain" else self.stage,
            shard=self.shard or other.shard,
        )
        return msgspec.structs.replace(both, **changed)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is written of a fault."""

    name: str
    what: str
    must: str
    observed: str
    findings: tuple[str, ...] = ()
    """What did not hold."""
    normal_p99_ms: float = 0.0
    p99_ms: float = 0.0
    """Of reads once settled."""
    slowest_s: float = 0.0
    recovered_s: float = 0.0
    requests: int = 0
    is_noisy: bool = False
    """The machine was noisy, by the quiet before and after."""
    tries: int = 1
    skipped: str = ""
    """Why it was not tried."""

    @property
    def word(self) -> str:
        """In one word."""
        return "skipped" if self.skipped else "BROKEN" if self.findings else "held"
