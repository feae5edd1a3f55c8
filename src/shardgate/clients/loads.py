"""What each client takes up of one worker: its connections, requests under way, uploads and rate; and its refusals.

A protection of this worker, not a business number (that is the quota): each worker counts for itself.

Holds: a client within its bounds is served whatever others do. While there is more to do than can be done, a client
with more than its fair share under way is refused first. What waited for a worker to begin is taken on, all of it. What
is remembered of clients that have nothing here is bounded; the one that was here longest ago is forgotten first, and
has most of its rate again anyway.
Never: trusts an address that no trusted proxy names, or a claim that is not verified.
Hot path: `engine/handler.py` counts a request that needs no more than to be counted, and its end.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from math import ceil

from shardgate.core.clients.claims import keys_in
from shardgate.core.clients.crowd import ALONE_LOOKS, Crowd, fair_share
from shardgate.core.clients.load import ClientBounds, ClientLoad, name_of_address
from shardgate.core.clients.shedding import Shedding
from shardgate.core.errors import ClientShareError, OverloadError
from shardgate.core.limits import BACKLOG_ANSWERED_S, BACKLOG_S_MAX, CLIENTS_REMEMBERED_MAX, Limits
from shardgate.net.clock import now
from shardgate.net.watch import TICK_S

Pressure = Callable[[], tuple[float, int]]
"""How full the fullest queue of a shard is, 1 where it is full; and how many requests are under way."""

# Beyond the bound by so much, a connection is closed without a word: to refuse costs more than to close.
_REFUSED_MAX = 64


class ClientLoads:
    """The loads of all clients of one worker."""

    __slots__ = (
        "_alone_looks",
        "_backlog",
        "_bounds",
        "_clock",
        "_crowd",
        "_here",
        "_is_crowded",
        "_lasting",
        "_looked_at",
        "_pressure",
        "_remembered",
        "_spares_until",
        "deadline_at",
        "lasting",
        "limits",
        "looked",
        "requests_max",
        "shedding",
        "unchecked_max",
        "unwatched_max",
        "watched_from",
    )

    def __init__(
        self,
        bounds: ClientBounds,
        limits: Limits,
        pressure: Pressure,
        clock: Callable[[], float] = now,
        classes: int = 1,
    ) -> None:
        """`classes`: of requests, by how important they are."""
        self._bounds = bounds
        self.limits = limits
        """Those of all clients together are here, too."""
        self._pressure = pressure
        self._clock = clock
        self._crowd = Crowd(limits.requests_in_flight_max)
        self.requests_max = bounds.requests_max
        """What one client may have under way now: less than the bound while the worker is crowded."""
        self.unchecked_max = self._unchecked()
        """Of how many requests under way a client has one more without a look at its rate; 0: there is a rate."""
        self.shedding = Shedding(limits.requests_in_flight_max, classes)
        """What is taken on while the worker has more to do than it can."""
        self.watched_from = self._watched_from()
        """Requests under way beyond which one more is looked at."""
        self.unwatched_max = self._unwatched()
        """Requests under way up to which one more needs not even a class."""
        self.lasting: Callable[[], Sequence[int]] = _none
        """The ranks of the requests under way, but for lists, that have lasted for `LASTING_S`; asked only while the
        worker sheds."""
        self._lasting = 0
        self.looked: Callable[[float, int], None] = _nobody
        """Told at each tick how late the loop was, and how many lists may be under way."""
        self._backlog = 0
        """Connections that waited for this worker to begin, and are not accepted yet."""
        self._spares_until = 0.0
        self._is_crowded = False
        self._here: dict[str, ClientLoad] = {}
        self._remembered: OrderedDict[str, ClientLoad] = OrderedDict()  # finds the first at once, after many have left
        """Clients that are not here, and whose rate is not whole again; who left first is first."""
        self._looked_at = clock()
        self._alone_looks = ALONE_LOOKS
        """So many looks ago several clients had requests under way."""
        self.deadline_at = 0.0  # always due, so `expire` is called at each tick

    @property
    def known(self) -> int:
        """How many clients are counted or remembered."""
        return len(self._here) + len(self._remembered)

    @property
    def by_address(self) -> bool:
        """Requests are counted by the address of their client, and by nothing else."""
        return not self._bounds.claim

    def may_rest(self, load: ClientLoad | None, error: ClientShareError) -> bool:
        """Whether the connection is read no more until `Retry-After` has passed: it is this client's alone, and the
        client itself asks too much. Where there is too much of all clients, a refusal must not come late."""
        return load is not None and self.by_address and error.budget != "fair_share"

    # Connections.

    def connected(self, address: str) -> ClientLoad:
        """Count a connection, also one too many."""
        load = self._of(name_of_address(address))
        load.connections += 1
        return load

    def accepted(self) -> None:
        """A connection was accepted, whosoever it is."""
        if self._backlog:
            self._one_of_backlog()

    def too_many(self, load: ClientLoad) -> ClientShareError | None:
        """The refusal of a connection that was just counted; None: it is within the bound."""
        most = self._bounds.connections_max
        if load.connections <= most:
            return None
        return ClientShareError(f"more than {most} connections of one client are open", budget="client_connections")

    def far_too_many(self, load: ClientLoad) -> bool:
        """Whether a connection is to be closed without a word: refusals are open for a moment, too."""
        return load.connections > self._bounds.connections_max + _REFUSED_MAX

    def left(self, load: ClientLoad) -> None:
        """A connection is closed."""
        load.connections -= 1
        self.settle(load)

    # Requests.

    def begin(self, load: ClientLoad | None, address: str) -> ClientLoad:
        """Count a request; `load`: of its connection, None: that of a proxy. Raises ClientShareError."""
        if load is None:
            load = self._of(name_of_address(address))
        requests = load.requests + 1
        if requests > self.requests_max or (load.bucket is not None and not load.bucket.take(self._clock())):
            raise self._refusal(load, requests)
        load.requests = requests
        return load

    def identify(self, load: ClientLoad, claims: Mapping[str, object] | None) -> ClientLoad:
        """Count a request by what its verified token says, no more by its address. Raises ClientShareError."""
        named = keys_in(claims, self._bounds.claim)
        if not named:
            return load
        mine = self._of(f"{self._bounds.claim}={' '.join(named)}")
        if mine is load:  # its body arrived meanwhile
            return load
        if load.bucket is not None:
            load.bucket.give_back()
        self.begin(mine, "")
        load.requests -= 1
        self.settle(load)
        return mine

    # Uploads.

    def begin_upload(self, load: ClientLoad | None, address: str) -> ClientLoad:
        """Count a body that did not come with its head. Raises ClientShareError."""
        if load is None:
            load = self._of(name_of_address(address))
        most = self._bounds.uploads_max
        if load.uploads >= most:
            raise ClientShareError(f"more than {most} bodies of one client are on their way", budget="client_uploads")
        load.uploads += 1
        return load

    def end_upload(self, load: ClientLoad) -> None:
        """The body is whole, or is not read any more."""
        load.uploads -= 1
        self.settle(load)

    # Time.

    def expire(self) -> None:
        """Each tick: see whether there is more to do than can be done, and what each client may then have under way."""
        instant = self._clock()
        fullness, under_way = self._pressure()
        lag_s, self._looked_at = instant - self._looked_at - TICK_S, instant
        self._shed(lag_s, instant)
        capacity = self._crowd.look(fullness, under_way) if instant >= self._spares_until else None
        share = None
        if capacity is not None or self.shedding.is_shedding:
            active = [each.requests for each in self._here.values() if each.requests]
            self._alone_looks = 0 if len(active) > 1 else self._alone_looks + 1
            is_alone = self._alone_looks >= ALONE_LOOKS
            share = fair_share(active, capacity) if capacity is not None and not is_alone else None
            self.shedding.clients = 1 if is_alone else len(active)
        else:
            self._alone_looks = ALONE_LOOKS
        self._is_crowded = share is not None and share < self._bounds.requests_max
        self.requests_max = min(self._bounds.requests_max, share or self._bounds.requests_max)
        self.unchecked_max = self._unchecked()

    def _unchecked(self) -> int:
        return 0 if self._bounds.rate_per_s is not None else self.requests_max

    # What is taken on.

    def begin_with(self, waiting: int) -> None:
        """The worker begins to serve, and so many connections wait for it: nobody is refused until they are through.

        They come at once since the gateway let them wait, and say nothing of an overload or of a greedy client.
        """
        self._backlog = waiting
        self._spares_until = self._clock() + BACKLOG_S_MAX if waiting else 0.0

    def _one_of_backlog(self) -> None:
        self._backlog -= 1
        if not self._backlog:
            self._spares_until = min(self._spares_until, self._clock() + BACKLOG_ANSWERED_S)

    def _watched_from(self) -> int:
        return min(self.limits.requests_in_flight_max, self.shedding.watched_from)

    def _unwatched(self) -> int:
        return -1 if self.shedding.is_ranked else self.watched_from

    def _shed(self, lag_s: float, instant: float) -> None:
        shedding = self.shedding
        if instant < self._spares_until:
            shedding.calm()
        else:
            shedding.look(lag_s)
        lasting = self.lasting() if shedding.is_shedding else ()
        self._lasting = len(lasting)
        if shedding.is_ranked:
            shedding.lasting_of = [lasting.count(rank) for rank in range(len(shedding.lasting_of))]
        self.watched_from = self._watched_from()
        self.unwatched_max = self._unwatched()
        self.looked(max(0.0, lag_s), shedding.lists_max)

    def take_on(self, load: ClientLoad | None, under_way: int, *, is_list: bool, rank: int = 0) -> None:
        """Refuse what is more than the worker can do now. `under_way`: of all clients, with this one.

        Raises OverloadError.
        """
        shedding = self.shedding
        if under_way > self.limits.requests_in_flight_max:
            raise OverloadError("too many requests are under way", budget="requests_in_flight")
        if not shedding.is_shedding:
            return
        if not shedding.clients:  # it has just begun to shed, and a look comes four times a second
            shedding.clients = sum([each.requests > 0 for each in self._here.values()])
        mine = load.requests if load is not None else 1
        others = shedding.others_here + 1 if shedding.is_ranked else self._others(under_way)
        if budget := shedding.used_up(mine, others, is_list=is_list, rank=rank):
            raise OverloadError("too many requests are under way", budget=budget)

    def is_late(self, under_way: int) -> None:
        """A request finds the loop too late for the sample that is due. `under_way`: of all clients."""
        instant = self._clock()
        if instant >= self._spares_until:
            self.shedding.is_late(instant, self._others(under_way))

    def sampled(self, under_way: int) -> bool:
        """The loop has come to the sample that was due; whether another is wanted. `under_way`: of all clients."""
        instant = self._clock()
        if instant >= self._spares_until:
            self.shedding.sampled(instant, self._others(under_way))
        return under_way > self._watched_from()

    def _others(self, under_way: int) -> int:
        if self.shedding.is_ranked:
            return self.shedding.others_here
        return under_way - self.shedding.lists - self._lasting

    def _of(self, name: str) -> ClientLoad:
        load = self._here.get(name)
        if load is None:
            load = self._remembered.pop(name, None) or ClientLoad(name, self._bounds.bucket(self._clock()))
            self._here[name] = load
        return load

    def settle(self, load: ClientLoad) -> None:
        """Something of a client is over. If it has nothing here any more, remember it only where its rate says so."""
        if not load.is_idle:
            return
        self._here.pop(load.name, None)
        instant = self._clock()
        if load.bucket is None or load.bucket.is_full(instant):
            return
        remembered = self._remembered
        remembered[load.name] = load
        for oldest in [*islice(remembered.values(), 2)]:
            forgotten = oldest.bucket is None or oldest.bucket.is_full(instant)
            if forgotten or len(remembered) > CLIENTS_REMEMBERED_MAX:
                del remembered[oldest.name]

    def _refusal(self, load: ClientLoad, requests: int) -> ClientShareError:
        most = self.requests_max
        if requests > most and self._is_crowded:
            detail = f"the gateway is crowded, and {most} requests of the client are under way"
            return ClientShareError(detail, budget="fair_share")
        if requests > most:
            detail = f"more than {most} requests of one client are under way"
            return ClientShareError(detail, budget="client_requests")
        bounds, instant = self._bounds, self._clock()
        error = ClientShareError(f"more than {bounds.rate_per_s:g} requests a second", budget="client_rate")
        error.retry_after_s = max(1, ceil(load.bucket.wait_s(instant))) if load.bucket is not None else 1
        self.settle(load)
        return error


def _none() -> Sequence[int]:
    return ()


def _nobody(lag_s: float, gathers_max: int) -> None:
    """Nobody wants to know."""
