"""Starts one worker a core, replaces the dead, reads the configuration anew, passes signals on, and drains.

SIGTERM, SIGINT: the end. SIGHUP: read the configuration anew; where the terminal that the gateway was started in is
gone, the end. SIGUSR1: the access log was renamed. SIGUSR2: a new version takes over (upgrade.py).

Holds: a new configuration replaces the one in force only when all of its workers serve; until then, or if one of them
fails, the old one goes on. Meanwhile no client is refused: the supervisor holds the listening sockets. At the end a
client is answered, if the kernel had accepted its connection before, or refused; it is not left waiting.
Never: touches a request, or runs an event loop.
"""

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator

import msgspec

from shardgate.clients.quota import tally_for
from shardgate.config.load import ConfigError, Loaded
from shardgate.net.clock import now, wall
from shardgate.net.listeners import passed_sockets
from shardgate.net.signals import Signals, Terminal
from shardgate.observe.layout import CONFIGURED_AT, DRAINING, RELOADS, RESTARTS, WORKERS, Family, Layout
from shardgate.observe.memory import SharedMemory
from shardgate.process import farewell
from shardgate.process.children import START_S, Child, Children
from shardgate.process.descriptors import fitted
from shardgate.process.generation import Generation, prepare, workers_of
from shardgate.process.upgrade import POLL_S, Inherited, Upgrade

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
_HEARD = _ENDING | {signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD}

_log = logging.getLogger("shardgate")


class Serving(msgspec.Struct, frozen=True):
    """What is known once all workers serve."""

    loaded: Loaded
    port: int
    admin_port: int | None
    pids: list[int]


class Supervisor:
    """The parent of all workers."""

    def __init__(self, loaded: Loaded, reread: Callable[[], Loaded]) -> None:
        """`reread` reads the configuration anew, or raises ConfigError. Raises OSError if an address is taken."""
        self._reread = reread
        self._layout = Layout({}, 0).extended(loaded.routes.all_routes, loaded.shards, loaded.class_names)
        self._memory = SharedMemory.roomy(self._layout.size)
        self._own = self._memory.slot(0)
        self._tally = tally_for(loaded.clients)
        """Clients' calls are counted on in every configuration that is read anew."""
        self._passed = passed_sockets()
        self._inherited = Inherited()
        self._current = prepare(fitted(loaded), self._layout, None, self._passed, self._inherited.sockets)
        self._inherited.close_unused([*self._current.listening()])
        self._upgrade: Upgrade | None = None
        self._next: Generation | None = None
        """The configuration whose workers start; at first the current one."""
        self._farewells: list[farewell.Farewell] = []
        self._reload_wanted = False
        self._ends_at: float | None = None
        """The instant from which no client is taken any more."""
        self._has_ended = False
        self._code = 0

    def run(self, ready: Callable[[Serving], None]) -> int:
        """Serve until SIGTERM or SIGINT; returns the exit code. Calls `ready` when all workers serve."""
        self._ready = ready
        ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # `nohup` asks for that
        self._terminal = None if ignores_hangup else Terminal()
        signals = Signals(_HEARD)
        self._children = Children(signals, self._memory)
        self._begin(self._current)
        while self._children:
            for number in signals.wait(self._children.news, self._timeout_s()):
                self._hear(number)
            self._children.hear()
            for child, code in self._children.reap():
                self._bury(child, code)
            self._keep_time()
            self._proceed()
        return self._code

    # Configurations.

    def _begin(self, generation: Generation) -> None:
        self._next = generation
        self._tally = self._tally or tally_for(generation.loaded.clients)
        generation.started_at = now()
        self._children.begin(generation, self._tally, self._listening())

    def _proceed(self) -> None:
        """Put the next configuration in force once all of its workers serve."""
        if self._ends_at is not None:
            return
        coming, before = self._next, self._current
        serving = [child for child in self._children.of(coming) if child.serves]
        if coming is not None and len(serving) == coming.workers:
            self._current, self._next = coming, None
            if before is not coming:
                self._replace(before)
                self._count(RELOADS, "taken")
                _log.info("the configuration was read anew; %d workers serve it", coming.workers)
            else:
                admin_port = coming.admin.port if coming.admin else None
                pids = [child.pid for child in serving]
                self._ready(Serving(coming.loaded, coming.clients.port, admin_port, pids))
                self._inherited.say_ready()
            self._own[self._layout.cell(CONFIGURED_AT)] = int(wall())
        self._own[self._layout.cell(WORKERS)] = sum(child.serves for child in self._children.alive.values())
        if self._reload_wanted and self._next is None:
            self._reload()

    def _replace(self, before: Generation) -> None:
        self._children.drop_vacancies()
        if before.admin is not None and before.admin is not self._current.admin:
            before.admin.close()
        moved = before.clients is not self._current.clients
        self._part_from([before], before.clients.given_up() if moved else [])

    def _reload(self) -> None:
        problem = ""
        try:
            loaded = self._reread()
            layout = self._layout.extended(loaded.routes.all_routes, loaded.shards, loaded.class_names)
            if workers_of(loaded) > self._children.room:
                return  # workers of earlier configurations still drain; it is tried again when they are gone
            self._reload_wanted = False
            if not self._memory.fits(layout.size):
                problem = "it has many more operations or shards than at the start: restart the gateway"
            else:
                self._layout = layout
                self._begin(prepare(fitted(loaded), layout, self._current, self._passed))
        except ConfigError as error:
            problem = f"it has mistakes:\n{error}"
        except OSError as error:
            problem = f"an address cannot be taken: {error.strerror}"
        if problem:
            self._refuse(problem)

    def _refuse(self, problem: str) -> None:
        self._reload_wanted = False
        self._count(RELOADS, "refused")
        _log.error("the configuration was read anew and refused; the old one goes on: %s", problem)

    def _abandon(self, coming: Generation, problem: str) -> None:
        """Give up the next configuration: its workers do not come to serve."""
        self._next = None
        if coming is self._current:
            _log.error("the gateway cannot start: %s", problem)
            self._code = 1
            self._end(delay_s=0)
            return
        if coming.admin is not None and coming.admin is not self._current.admin:
            coming.admin.close()
        kept = self._current.sockets if coming.clients is self._current.clients else 0
        self._part_from([coming], coming.clients.give_up(kept))
        self._refuse(problem)

    # Workers.

    def _bury(self, child: Child, code: int) -> None:
        is_next = child.generation is self._next
        if child.generation is self._current and not (is_next or child.leaves or self._has_ended):
            _log.error("worker %d ended with %d; it is replaced", child.pid, code)
            self._count(RESTARTS)
            self._children.replace(child, self._tally, self._listening())
            return
        self._children.free(child)
        if is_next and not (child.leaves or self._has_ended):
            self._abandon(child.generation, f"a worker ended with {code} before all served")
        elif self._has_ended and code and (child.serves or code != -signal.SIGTERM):
            self._code = 1  # one that did not serve yet ends by the signal itself

    def _part_from(self, generations: list[Generation], sockets: list[socket.socket]) -> None:
        """End the workers of these generations, once nothing waits in these sockets' queues."""
        self._farewells.append(farewell.begin(generations, sockets, now()))
        self._say_farewell()

    def _say_farewell(self) -> None:
        for each in [each for each in self._farewells if each.is_over(now())]:
            self._farewells.remove(each)
            each.close()
            for generation in each.generations:
                self._children.dismiss(self._children.of(generation))

    def _listening(self) -> Iterator[socket.socket]:
        """All sockets that the supervisor holds."""
        for generation in (self._current, self._next):
            if generation is not None:
                yield from generation.listening()
        for each in self._farewells:
            yield from each.sockets
        yield from self._passed

    # Signals and time.

    def _hear(self, number: int) -> None:
        if number in _ENDING or (number == signal.SIGHUP and self._terminal and self._terminal.gone):
            self._end(self._current.loaded.config.timeouts.drain_delay_s)
        elif number == signal.SIGUSR2:
            self._begin_upgrade()
        elif number in {signal.SIGHUP, signal.SIGUSR1}:
            self._children.send(signal.SIGUSR1)
            self._reload_wanted = self._reload_wanted or number == signal.SIGHUP

    def _begin_upgrade(self) -> None:
        if self._upgrade is not None or self._next is not None or self._ends_at is not None:
            _log.error("no new version is started: the gateway starts, reloads, ends, or starts one already")
        elif os.getpid() == 1:
            _log.error("no new version is started: a container ends with its first process; start a new container")
        else:
            try:
                self._upgrade = Upgrade([*self._current.listening()])
            except OSError as error:
                _log.error("no new version is started: %s", error.strerror)
            else:
                _log.info("a new version is started (pid %d); this one serves meanwhile", self._upgrade.pid)

    def _follow_upgrade(self) -> None:
        """Drain once the new version serves; go on where it does not."""
        if self._upgrade is None or (serves := self._upgrade.serves()) is None:
            return
        upgrade, self._upgrade = self._upgrade, None
        upgrade.close(end=not serves)
        if not serves:
            _log.error("the new version does not come to serve; this one goes on")
        elif self._ends_at is None:
            _log.info("the new version serves (pid %d); this one takes no more clients, and drains", upgrade.pid)
            self._ends_at = now()
            self._has_ended = True
            self._children.drop_vacancies()
            # The sockets are the new version's by now: its workers take what waits in their queues.
            self._part_from([each for each in (self._current, self._next) if each is not None], [])

    def _end(self, delay_s: float) -> None:
        """Take clients for `delay_s` more, then end; at once when it is asked for twice."""
        self._ends_at = now() + delay_s if self._ends_at is None else now()
        self._own[self._layout.cell(DRAINING)] = 1
        self._keep_time()

    def _take_no_more_clients(self) -> None:
        self._has_ended = True
        if self._upgrade is not None:
            self._upgrade.close(end=True)
            self._upgrade = None
        self._children.drop_vacancies()
        generations = [self._current]
        if self._next is not None and self._next is not self._current:
            generations.append(self._next)
        sockets = {each: None for one in generations for each in one.clients.given_up()}  # they may share them
        self._part_from(generations, [*sockets])

    def _timeout_s(self) -> float | None:
        instants = self._children.instants()
        if self._next is not None and self._ends_at is None:
            instants.append(self._next.started_at + START_S)
        if self._ends_at is not None and not self._has_ended:
            instants.append(self._ends_at)
        if self._upgrade is not None:
            instants.append(now() + POLL_S)
        if self._farewells:
            instants.append(now() + farewell.POLL_S)
        return max(0.0, min(instants) - now()) if instants else None

    def _keep_time(self) -> None:
        instant = now()
        if self._ends_at is not None and self._ends_at <= instant and not self._has_ended:
            self._take_no_more_clients()
        self._follow_upgrade()
        self._say_farewell()
        self._children.kill_overdue()
        self._children.kill_silent()
        self._children.fill_vacancies(self._current, self._tally, self._listening())
        if self._next is not None and self._ends_at is None and self._next.started_at + START_S <= instant:
            self._abandon(self._next, f"not all workers served within {START_S:g} s")

    def _count(self, family: Family, *labels: str) -> None:
        self._own[self._layout.cell(family, *labels)] += 1
