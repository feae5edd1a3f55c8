"""Serves operators on an address of its own: /metrics, /healthz and /readyz.

Holds: replies name shards, but contain no secrets. Nothing can be changed through this address. A request whose `Host`
is a name that nobody configured is refused: a web page could let its own name lead here (DNS rebinding). An address
instead of a name is accepted: no page can have it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import msgspec

from shardgate.core.clients.load import ClientLoad
from shardgate.core.errors import MethodNotAllowedError, MisdirectedError, ShardgateError, UnknownOperationError
from shardgate.core.excerpt import excerpt
from shardgate.core.exchange import Exchange
from shardgate.core.hosts import address_in, host_of, is_loopback
from shardgate.core.http import Reply, Request
from shardgate.core.replies.problem import problem_reply
from shardgate.core.topology import Shard
from shardgate.net import tasks
from shardgate.net.client.contracts import Client
from shardgate.net.clock import now
from shardgate.observe.exposition import CONTENT_TYPE, expose
from shardgate.observe.layout import DRAINING, Layout
from shardgate.observe.memory import SharedMemory

CLIENTS_MAX = 64
# Load balancers ask often, and there may be many of them: the shards are not tried each time.
REMEMBERED_S = 1.0


def configured(shard: Shard) -> Sequence[tuple[str, int]]:
    """The places of a shard's instances, as the configuration names them."""
    return [(one.host, one.port) for one in shard.instances]


class Admin:
    """Answers operators. These requests are neither counted nor logged."""

    __slots__ = (
        "_clients",
        "_clock",
        "_connect_timeout_s",
        "_hosts",
        "_layout",
        "_looked_at",
        "_memory",
        "_places",
        "_reached",
        "_shards",
    )

    def __init__(
        self,
        layout: Layout,
        memory: SharedMemory,
        shards: Iterable[Shard],
        *,
        connect_timeout_s: float,
        hosts: Iterable[str] = (),
        places: Callable[[Shard], Sequence[tuple[str, int]]] = configured,
        clock: Callable[[], float] = now,
    ) -> None:
        """`hosts`: the names by which operators reach this address, besides those of loopback. `places`: the host and
        port of each instance of a shard."""
        self._layout = layout
        self._memory = memory
        self._shards = [*shards]
        self._places = places
        self._connect_timeout_s = connect_timeout_s
        self._hosts = frozenset([host.lower().rstrip(".") for host in hosts])
        self._clients: set[Client] = set()
        self._clock = clock
        self._reached: dict[str, bool] = {}
        self._looked_at = -REMEMBERED_S

    def handle(self, request: Request, client: Client) -> None:
        """Answer one page."""
        page = _PAGES.get(request.path)
        host = host_of(request.fields.host.decode("latin-1"))
        if not self._is_ours(host):
            said = f"`{excerpt(host)}` is no name of the admin address; list it in `admin_hosts` if it is one"
            client.send(problem_reply(MisdirectedError(said, about={"header": "Host", "value": excerpt(host)})))
        elif page is None:
            client.send(problem_reply(UnknownOperationError(f"there are: {', '.join(_PAGES)}")))
        elif request.method not in {"GET", "HEAD"}:
            client.send(problem_reply(MethodNotAllowedError("it can be read only", allow="GET, HEAD")))
        elif page is Admin.ready and self._clock() - self._looked_at > REMEMBERED_S:
            client.adopt(tasks.start(self._look(client), "readyz"))
        else:
            client.send(page(self))

    def _is_ours(self, host: str) -> bool:
        """An HTTP/1.0 client, which no browser is, may name no host."""
        return not host or host in self._hosts or is_loopback(host) or address_in(host) is not None

    def metrics(self) -> Reply:
        """Every metric, summed over the workers."""
        return Reply(200, [(b"Content-Type", CONTENT_TYPE)], expose(self._layout, self._memory))

    def health(self) -> Reply:
        """Whether the process is alive."""
        return _json(200, {"alive": True})

    @property
    def draining(self) -> bool:
        """Whether the whole gateway is stopping, not this worker alone."""
        return self._memory.total(self._layout.cell(DRAINING)) > 0

    def ready(self) -> Reply:
        """Whether load balancers should send clients here.

        They should also while one shard of several is down: the others still answer, and no other gateway does better.
        """
        is_ready = not self.draining and any(self._reached.values())
        words = {shard: "reachable" if reached else "unreachable" for shard, reached in self._reached.items()}
        return _json(200 if is_ready else 503, {"ready": is_ready, "draining": self.draining, "shards": words})

    def opened(self, client: Client) -> bool:
        """Count a new connection; False: there are too many."""
        self._clients.add(client)
        return len(self._clients) <= CLIENTS_MAX

    def upload_begun(self, client: Client) -> ClientLoad | None:
        """Count nothing: few connections are taken."""
        return None

    def upload_over(self, load: ClientLoad) -> None:
        """Do nothing: it was not counted."""

    def closed(self, client: Client) -> None:
        """Forget a connection that is closed."""
        self._clients.discard(client)

    def finished(self, exchange: Exchange) -> None:
        """Do nothing: these requests are not counted."""

    def refused(self, request: Request | None, client: Client, error: ShardgateError) -> None:
        """Do nothing: these requests are not counted."""

    def drain(self) -> int:
        """Let each go after its next reply, or after a moment without one; returns how many are still here.

        While the whole gateway ends nobody is sent away: they ask for that.
        """
        if self.draining:
            return 0
        for client in self._clients:
            client.retire()
        return len(self._clients)

    def close(self) -> None:
        """The process ends."""
        for client in list(self._clients):
            client.close()

    async def _look(self, client: Client) -> None:
        reached = await asyncio.gather(*(self._reach(shard) for shard in self._shards))
        self._reached = {shard.id: is_there for shard, is_there in zip(self._shards, reached, strict=True)}
        self._looked_at = self._clock()
        client.send(self.ready())

    async def _reach(self, shard: Shard) -> bool:
        """Whether one of its instances takes connections."""
        return any(await asyncio.gather(*(self._reach_one(host, port) for host, port in self._places(shard))))

    async def _reach_one(self, host: str, port: int) -> bool:
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, UnicodeError):
            return False
        writer.close()
        return True


_PAGES: dict[str, Callable[[Admin], Reply]] = {
    "/metrics": Admin.metrics,
    "/healthz": Admin.health,
    "/readyz": Admin.ready,
}


def _json(status: int, value: object) -> Reply:
    fields = [(b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store")]
    return Reply(status, fields, msgspec.json.encode(value) + b"\n")
