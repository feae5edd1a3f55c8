"""Counts everything that a worker holds of requests and replies, by client, and keeps it below a bound.

Work that holds bytes opens a `Holding`, and says there how much it holds. There are two bounds: what all clients hold
together, and what one client holds. Beyond the bound of one client, that client's newest work is refused. Beyond the
bound of all, the client that holds the most is refused its newest work; so a client that holds little is not pushed
out by one that holds much, however old the other's work is.

Of a client's work, what can be refused without loss goes first. Work whose reply has begun is refused last, since its
reply would be cut off. A change that was sent is never refused: it has no `on_refused`.

Holds: work is refused at once. Its bytes are given back when it ends, however it ends.
Never: makes work wait for bytes: two that wait for each other's bytes would wait for ever.
"""

from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from shardgate.core.errors import OverloadError, ShardgateError

Refuse = Callable[[ShardgateError], None]

HELD_KINDS: Final = ("request", "reply", "change", "unsent", "ahead")
"""What is held. `request`: bodies of requests, from their first byte until the reply. `reply`: shards' replies, what is
merged of them, and merged replies that clients have not read. `change`: parts and copies of the bodies of changes.
`unsent`: the rest of a reply that a client has not read. `ahead`: what a client sent before its turn."""

# Of the work of one client, what holds less than this part of the average is not worth a refusal.
_SMALL_PART: Final = 4
_CLIENTS_MIN: Final = 256


class HeldBytes:
    """All that is held."""

    __slots__ = ("_clients", "_clients_max", "bytes", "bytes_max", "client_bytes_max")

    def __init__(self, bytes_max: int, client_bytes_max: int | None = None) -> None:
        """The bound of all clients together, and the bound of each; None: each may hold all."""
        self.bytes_max = bytes_max
        self.client_bytes_max = bytes_max if client_bytes_max is None else min(client_bytes_max, bytes_max)
        self.bytes = 0
        self._clients: dict[str, _Client] = {}
        self._clients_max = _CLIENTS_MIN

    def open(self, kind: str, peer: str = "") -> "Holding":
        """Begin to count for one piece of work. `kind`: a word of HELD_KINDS; `peer`: the client's address."""
        name = peer if ":" not in peer else _network(peer)
        client = self._clients.get(name)
        if client is None:
            client = self._new_client(name)
        holding = Holding(self, client, kind)
        client.holdings[holding] = None
        return holding

    @property
    def by_kind(self) -> dict[str, int]:
        """What is held of each kind, in bytes; counted when it is asked for (0.1 µs for each piece of work)."""
        found = dict.fromkeys(HELD_KINDS, 0)
        for client in self._clients.values():
            for holding in client.holdings:
                found[holding.kind] += holding.size
        return found

    def make_room(self, client: "_Client") -> None:
        """Refuse work until all bytes are below their bound, and those of this client below its own."""
        while client.bytes > self.client_bytes_max:
            victim = client.victim()
            if victim is None:
                break
            victim.refuse(_overload(f"one client's requests hold more than {self.client_bytes_max} bytes"))
        while self.bytes > self.bytes_max:
            victim = self._victim()
            if victim is None:
                break
            victim.refuse(_overload(f"requests hold more than {self.bytes_max} bytes"))

    def _new_client(self, name: str) -> "_Client":
        """Those that hold nothing are forgotten once they are half of all: a client comes back mostly."""
        if len(self._clients) >= self._clients_max:
            self._clients = {known: client for known, client in self._clients.items() if client.holdings}
            self._clients_max = max(_CLIENTS_MIN, 2 * len(self._clients))
        client = self._clients[name] = _Client(name)
        return client

    def _victim(self) -> "Holding | None":
        by_size = sorted([(client.bytes, name) for name, client in self._clients.items()], reverse=True)
        for _, name in by_size:
            victim = self._clients[name].victim()
            if victim is not None:
                return victim
        return None


class _Client:
    """What one client holds."""

    __slots__ = ("bytes", "holdings", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.bytes = 0
        self.holdings: dict[Holding, None] = {}

    def victim(self) -> "Holding | None":
        """What is to be refused next; None: nothing can be."""
        for begun in (False, True):
            found = [
                each for each in self.holdings if each.begun is begun and each.on_refused is not None and each.size
            ]
            size = sum([each.size for each in found])
            for holding in reversed(found):
                if holding.size * _SMALL_PART * len(found) >= size:
                    return holding
        return None


class Holding:
    """What one piece of work holds."""

    __slots__ = ("_client", "_held", "begun", "is_open", "kind", "on_refused", "size")

    def __init__(self, held: HeldBytes, client: _Client, kind: str) -> None:
        self._held = held
        self._client = client
        self.kind = kind
        self.size = 0
        """In bytes."""
        self.is_open = True
        """It was neither closed nor refused."""
        self.begun = False
        """The reply is being made, or on its way to the client."""
        self.on_refused: Refuse | None = None
        """Called with the error when the work is refused; None: the work cannot be refused now."""

    @property
    def room(self) -> int:
        """How many bytes more could be held now, if no other work were refused."""
        held = self._held
        return max(0, min(held.client_bytes_max - self._client.bytes, held.bytes_max - held.bytes))

    def add(self, size: int) -> None:
        """Hold so many bytes more. The work itself may be refused before this returns."""
        if self.is_open:
            self.size += size
            client, held = self._client, self._held
            client.bytes += size
            held.bytes += size
            # What one client may hold is no more than what all may: below it, no bound is reached.
            if held.bytes > held.client_bytes_max and size > 0:
                held.make_room(client)

    def set(self, size: int) -> None:
        """Hold so many bytes from now on."""
        self.add(size - self.size)

    def take(self, size: int) -> None:
        """Hold so many bytes more, or raise OverloadError. Afterwards the work cannot be refused."""
        errors: list[ShardgateError] = []
        self.on_refused = errors.append
        self.add(size)
        self.on_refused = None
        if errors:
            raise errors.pop()  # no variable refers to the error: the frame, and what it holds, would be garbage

    def close(self) -> None:
        """Give all bytes back."""
        if self.is_open:
            self.is_open = False
            self.on_refused = None  # it may refer to what has this holding
            held, client = self._held, self._client
            client.bytes -= self.size
            held.bytes -= self.size
            del client.holdings[self]

    def refuse(self, error: ShardgateError) -> None:
        """Give all bytes back, and end the work with this error."""
        refused = self.on_refused
        self.close()
        if refused is not None:
            refused(error)


class Holdings:
    """All that one change holds: each part can be refused alone, and all are given back together."""

    __slots__ = ("_all", "_held", "_peer")

    def __init__(self, held: HeldBytes, peer: str = "") -> None:
        self._held = held
        self._peer = peer
        self._all: list[Holding] = []

    def open(self, kind: str) -> Holding:
        """Begin to count for a part of the work."""
        holding = self._held.open(kind, self._peer)
        self._all.append(holding)
        return holding

    def keep(self, holding: Holding) -> None:
        """From now on this is a part of the work, too."""
        self._all.append(holding)

    def close(self) -> None:
        """Give all bytes back."""
        for holding in self._all:
            holding.close()


def _overload(problem: str) -> OverloadError:
    return OverloadError(problem, budget="held_bytes")


def _network(peer: str) -> str:
    """The network that stands for a client of IPv6: it has all addresses of a /64 (RFC 6177), and can use each once."""
    try:
        address = IPv6Address(peer)
    except AddressValueError:
        return peer
    return address.packed[:8].hex() if address.ipv4_mapped is None else str(address.ipv4_mapped)
