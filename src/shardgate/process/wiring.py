"""Builds every object of one worker once, by hand, in order.

Never: runs anything, or opens a socket.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from shardgate.clients.callers import Callers, callers_for
from shardgate.clients.loads import ClientLoads
from shardgate.clients.quota import tally_for
from shardgate.clients.ranks import Ranks
from shardgate.config.load import Loaded
from shardgate.core.clients.classes import Classes
from shardgate.core.held import HeldBytes
from shardgate.core.hosts import PostgresUrl, server_of
from shardgate.core.limits import Limits
from shardgate.core.lists.positions import PageTable
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.engine.caching import Caches
from shardgate.engine.change.changes import Changes
from shardgate.engine.change.debts import Debts
from shardgate.engine.change.dispatch import ChangeHandler
from shardgate.engine.change.divider import Divider
from shardgate.engine.change.housekeeper import Housekeeper
from shardgate.engine.change.idempotent import IdempotentRunner
from shardgate.engine.change.journal_driver import JournalDriver
from shardgate.engine.change.parts import PartsChanger
from shardgate.engine.change.replayer import Replayer
from shardgate.engine.cluster import Cluster
from shardgate.engine.deadlines import Deadlines
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.handler import Gateway
from shardgate.engine.upstreams import Upstreams
from shardgate.net.client.contracts import Settings
from shardgate.net.clock import now
from shardgate.net.tls import Tls, for_clients
from shardgate.net.upstream.dns_client import DnsClient
from shardgate.net.upstream.own_changes import OwnChanges
from shardgate.net.watch import Watch
from shardgate.observe.access_log import AccessLog
from shardgate.observe.admin import Admin
from shardgate.observe.layout import Layout
from shardgate.observe.log_file import LogFile
from shardgate.observe.memory import SharedMemory
from shardgate.observe.meter import Meter
from shardgate.observe.observer import Observer
from shardgate.observe.push import Pusher
from shardgate.process.directory import DirectoryFollower, directory_reader, first_view, topology_of
from shardgate.process.movements import MovementFollower
from shardgate.process.shared_directory import SharedDirectory
from shardgate.store.directory_reader import View
from shardgate.store.sqlite import READER_BUSY_MS, SqliteStore
from shardgate.store.tally import Tally
from shardgate.store.writer import Writer


class CounterSlot(msgspec.Struct, frozen=True):
    """Where a worker counts."""

    layout: Layout
    memory: SharedMemory
    cells: memoryview
    """Its slot of the memory."""
    tally: Tally | None = None
    """Where clients' calls are counted; None: they are not."""
    own_changes: OwnChanges = msgspec.field(default_factory=OwnChanges)
    pages: PageTable | None = None
    """Where pages ended; None: the worker remembers it alone."""
    pushes: bool = True
    """One worker of all pushes the metrics of all."""


class Journaled(msgspec.Struct, frozen=True):
    """What needs a store."""

    changes: Changes
    idempotent: IdempotentRunner
    replayer: Replayer
    housekeeper: Housekeeper
    debts: Debts
    writer: Writer
    """Writes into the store."""


class Built(msgspec.Struct, frozen=True):
    """The objects of one worker."""

    gateway: Gateway
    """Answers clients."""
    admin: Admin
    """Answers operators."""
    cluster: Cluster
    observer: Observer
    watch: Watch
    parser: RequestHeadParser
    settings: Settings
    """Of connections from clients."""
    tls: Tls | None
    """Towards clients."""
    directory: DirectoryFollower | SharedDirectory | None
    movements: MovementFollower | None
    """None: there is no directory, so that no tenant moves."""
    callers: Callers | None
    journaled: Journaled | None
    """What needs a store; None: there is none."""
    pusher: Pusher | None
    """Pushes the metrics of all workers, where this one does."""


def build(loaded: Loaded, place: CounterSlot | None = None, clock: Callable[[], float] = now) -> Built:
    """Build a worker that counts at `place`; without one it counts for itself. Deadlines are read on `clock`."""
    place = place or _own_place(loaded)
    limits, timeouts = loaded.config.limits, loaded.config.timeouts
    watch = Watch(clock)
    place_of_directory = loaded.directory
    store = SqliteStore(place_of_directory, busy_ms=READER_BUSY_MS) if isinstance(place_of_directory, Path) else None
    view = directory_reader(loaded, store).first() if store is not None else None
    if isinstance(place_of_directory, PostgresUrl):
        view = first_view(loaded, place_of_directory)
    topology = topology_of(loaded, view)
    meter = Meter(place.cells, place.layout, loaded.routes.all_routes, loaded.shards)
    dns = DnsClient([*filter(None, map(server_of, loaded.config.resolver.servers))])
    upstreams = Upstreams(topology.shards.values(), limits, timeouts, watch, meter, place.own_changes, dns)
    cluster = Cluster(loaded.routes, topology, limits, timeouts, upstreams, loaded.config.compress, meter)
    cluster.use_jar(loaded.jar)
    if place.pages is not None:
        cluster.share_pages(place.pages)
    directory = _build_follower(loaded, store, cluster, view)
    refresh = directory.refresh if directory is not None else _nothing_new
    held = _held_bytes(limits)
    observer = Observer(meter, watch, cluster.pools, lambda: held.by_kind)
    conductor = Conductor(cluster, limits, held)
    journaled = _build_journaled(loaded, cluster, held, _catch_up_by(directory))
    changing = _build_changing(loaded, cluster, conductor, journaled)
    writer = journaled.writer if journaled is not None else None
    callers = callers_for(loaded.clients, loaded.routes, place.tally, writer)
    loads = _build_loads(loaded, cluster, meter, watch)
    gateway = Gateway(cluster, conductor, changing, loads, observer, refresh, callers)
    gateway.deadlines = _build_deadlines(loaded, meter)
    if loaded.classes:
        gateway.rank(Ranks(Classes(loaded.classes, loaded.routes.named), callers))
    _share(gateway, loaded, conductor, meter)
    if isinstance(directory, SharedDirectory):
        gateway.directory = directory
    return Built(
        gateway=gateway,
        admin=_build_admin(loaded, place, upstreams),
        cluster=cluster,
        observer=observer,
        watch=watch,
        parser=RequestHeadParser(refuses_raw=loaded.config.raw_query == "refuse"),
        settings=_settings(loaded, held),
        tls=Tls(loaded.tls, for_clients) if loaded.tls is not None else None,
        directory=directory,
        movements=_build_movements(loaded, cluster, gateway, writer, _catch_up_by(directory)),
        callers=callers,
        journaled=journaled,
        pusher=_build_pusher(loaded, place),
    )


def _share(gateway: Gateway, loaded: Loaded, conductor: Conductor, meter: Meter) -> None:
    """Let replies be kept and shared, where rules say so."""
    routes = loaded.routes.all_routes
    is_cached = any(route.is_cached for route in routes)
    if is_cached or any(route.rule is not None and route.rule.coalesces for route in routes):
        gateway.share(Caches(routes, conductor, meter) if is_cached else None)


def _build_admin(loaded: Loaded, place: CounterSlot, upstreams: Upstreams) -> Admin:
    configured = () if loaded.admin is None else loaded.admin[:1]
    return Admin(
        place.layout,
        place.memory,
        loaded.shards.values(),
        connect_timeout_s=loaded.config.timeouts.connect_timeout_s,
        hosts=(*configured, *loaded.config.admin_hosts),
        places=upstreams.places,
    )


def _build_pusher(loaded: Loaded, place: CounterSlot) -> Pusher | None:
    if loaded.push is None or not place.pushes:
        return None
    return Pusher(loaded.push, place.layout, place.memory, place.cells)


def _build_deadlines(loaded: Loaded, meter: Meter) -> Deadlines | None:
    header, rules = loaded.config.deadline_header, [route.rule for route in loaded.routes.all_routes]
    if header is None and all(rule is None or rule.deadline_s is None for rule in rules):
        return None
    return Deadlines(header, meter.deadline_passed)


def _build_loads(loaded: Loaded, cluster: Cluster, meter: Meter, watch: Watch) -> ClientLoads:
    waiting_max = loaded.config.limits.waiting_per_shard_max

    def pressure() -> tuple[float, int]:
        return max(waiting for _, _, _, waiting, _ in cluster.pools()) / waiting_max, meter.in_flight

    loads = ClientLoads(loaded.bounds, loaded.config.limits, pressure, watch.now, max(1, len(loaded.classes)))
    loads.looked = meter.looked
    meter.looked(0.0, loads.shedding.lists_max)
    watch.add(loads)
    return loads


def open_log(loaded: Loaded) -> AccessLog | None:
    """The access log, if the configuration wants one. Raises OSError."""
    wanted = loaded.access_log
    if wanted is None:
        return None
    return AccessLog(LogFile(wanted.to), query=wanted.query, sample=wanted.sample, mask=wanted.mask)


def _build_journaled(
    loaded: Loaded, cluster: Cluster, held: HeldBytes, catch_up: Callable[[], Awaitable[None]]
) -> Journaled | None:
    if loaded.store is None:
        return None
    config, body_bytes_max = loaded.config, _reply_body_bytes_max(loaded.config.limits)
    writer = Writer(loaded.store)
    debts = Debts(writer)
    driver = JournalDriver(cluster, writer, debts, body_bytes_max, config.limits)
    return Journaled(
        changes=Changes(
            cluster,
            writer,
            driver,
            body_bytes_max,
            catch_up,
            config.idempotency.client,
            config.limits.changes_waiting_max,
        ),
        idempotent=IdempotentRunner(writer, debts, config.idempotency.expires_s, config.idempotency.client),
        replayer=Replayer(writer, driver, held, config.timeouts.worker_lease_s),
        housekeeper=Housekeeper(writer, config.journal.kept_s),
        debts=debts,
        writer=writer,
    )


def _build_changing(
    loaded: Loaded, cluster: Cluster, conductor: Conductor, journaled: Journaled | None
) -> ChangeHandler:
    body_bytes_max = _reply_body_bytes_max(loaded.config.limits)
    changes = journaled.changes if journaled is not None else None
    idempotent = journaled.idempotent if journaled is not None else None
    divider = Divider(cluster, conductor, changes, body_bytes_max)
    changer = PartsChanger(cluster, changes, body_bytes_max)
    return ChangeHandler(cluster, conductor, divider, changer, changes, idempotent, body_bytes_max)


def _settings(loaded: Loaded, held: HeldBytes) -> Settings:
    limits, timeouts = loaded.config.limits, loaded.config.timeouts
    return Settings(
        body_bytes_max=limits.request_body_bytes_max,
        held_body_bytes_max=min(limits.held_body_bytes_max, held.client_bytes_max),
        body_bytes_per_s_min=limits.request_body_bytes_per_s_min,
        reply_bytes_per_s_min=limits.reply_bytes_per_s_min,
        header_timeout_s=timeouts.client_header_timeout_s,
        idle_timeout_s=timeouts.client_idle_timeout_s,
        reply_idle_timeout_s=timeouts.reply_idle_timeout_s,
        stream_idle_timeout_s=timeouts.stream_idle_timeout_s,
        total_timeout_s=timeouts.request_total_timeout_s,
        trusted=loaded.trusted,
        passes_trailers=loaded.config.request_trailers == "pass",
        held=held,
    )


def _held_bytes(limits: Limits) -> HeldBytes:
    return HeldBytes(limits.held_bytes_max, max(1, int(limits.held_bytes_max * limits.held_share_per_client_max)))


def _reply_body_bytes_max(limits: Limits) -> int:
    """No more than one client may hold: a larger reply could never be held."""
    return min(limits.reply_body_bytes_max, _held_bytes(limits).client_bytes_max)


def _own_place(loaded: Loaded) -> CounterSlot:
    """Memory that is not shared, for a worker without a supervisor."""
    layout = Layout({}, 0).extended(loaded.routes.all_routes, loaded.shards, loaded.class_names)
    memory = SharedMemory.roomy(layout.size)
    return CounterSlot(layout, memory, memory.slot(0), tally_for(loaded.clients))


def _build_follower(
    loaded: Loaded, store: SqliteStore | None, cluster: Cluster, view: View | None
) -> DirectoryFollower | SharedDirectory | None:
    if view is None:
        return None
    if store is not None:
        return DirectoryFollower(loaded, store, cluster, view)
    assert isinstance(loaded.directory, PostgresUrl)
    return SharedDirectory(loaded, loaded.directory, cluster, view)


def _build_movements(
    loaded: Loaded, cluster: Cluster, gateway: Gateway, writer: Writer | None, catch_up: Callable[[], Awaitable[None]]
) -> MovementFollower | None:
    place = loaded.directory
    if place is None:
        return None
    if writer is not None and writer.place == place:
        return MovementFollower(writer, cluster, gateway, catch_up, is_own=False)
    return MovementFollower(Writer(place), cluster, gateway, catch_up, is_own=True)


def _catch_up_by(directory: DirectoryFollower | SharedDirectory | None) -> Callable[[], Awaitable[None]]:
    if isinstance(directory, SharedDirectory):
        return directory.catch_up

    async def catch_up() -> None:
        if directory is not None:
            directory.refresh()

    return catch_up


def _nothing_new() -> bool:
    """Without a directory none can have changed."""
    return False
