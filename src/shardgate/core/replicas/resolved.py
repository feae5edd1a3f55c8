"""What a name was resolved to: its addresses in the order in which they are tried, and those that it names no more.

Holds: an answer counts; that there is none says nothing of the addresses that were named before, for a while. A name
with many addresses may be answered with other ones each time: an address is gone only after it was missing for long.
Never: resolves a name, or reads a clock.
"""

from collections.abc import Sequence
from math import inf

from shardgate.core.limits import NAME_GONE_S, NAME_KEPT_S, NAME_LAGS_S


class Resolved:
    """One name."""

    __slots__ = ("_addresses", "_answered_at", "_lagged_at", "_named_at")

    def __init__(self) -> None:
        self._addresses: Sequence[str] = ()
        self._answered_at = -inf
        self._named_at: dict[str, float] = {}
        self._lagged_at: dict[str, float] = {}

    @property
    def answered_at(self) -> float:
        """When the name was last answered with addresses; -inf: never."""
        return self._answered_at

    def answer(self, addresses: Sequence[str], now_s: float) -> None:
        """The name has these addresses now, in the order of the system's preference. No address is no answer."""
        if not addresses:
            return
        self._addresses, self._answered_at = tuple(dict.fromkeys(addresses)), now_s
        self._named_at |= dict.fromkeys(self._addresses, now_s)
        self._named_at = {each: at for each, at in self._named_at.items() if now_s - at <= 2 * NAME_GONE_S}
        self._lagged_at = {each: at for each, at in self._lagged_at.items() if now_s - at <= NAME_LAGS_S}

    def in_order(self, now_s: float) -> list[str]:
        """The addresses to try, one after the other: of both families by turns (RFC 8305 section 4), and last those
        that did not answer a moment ago. None where the last answer is too old."""
        if now_s - self._answered_at > NAME_KEPT_S:
            return []
        first = ":" in self._addresses[0]
        of_first = [address for address in self._addresses if (":" in address) == first]
        of_other = [address for address in self._addresses if (":" in address) != first]
        mixed = [
            address
            for turn in range(max(len(of_first), len(of_other)))
            for address in (*of_first[turn : turn + 1], *of_other[turn : turn + 1])
        ]
        return sorted(mixed, key=lambda address: now_s - self._lagged_at.get(address, -inf) < NAME_LAGS_S)

    def lagged(self, address: str, now_s: float) -> None:
        """The address refused a connection, or another one that was tried later was quicker."""
        self._lagged_at[address] = now_s

    def connected(self, address: str) -> None:
        """The address took a connection."""
        self._lagged_at.pop(address, None)

    def is_gone(self, address: str) -> bool:
        """Whether the name has been answered for long without this address."""
        return self._answered_at - self._named_at.get(address, -inf) > NAME_GONE_S
