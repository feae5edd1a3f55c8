"""File descriptors: a process needs one for each connection, and the system gives it no more than its limit.

At the limit the system resets new clients, and no connection to a shard can be opened. So the limit is raised when a
configuration is taken, and where it cannot be raised enough, the bound of clients is lowered to what it allows.

Holds: descriptors for connections to shards, for the store and for logs are left when all clients are connected.
"""

import errno
import logging
import os
import resource
from collections.abc import Callable
from typing import Final

import msgspec

from shardgate.config.load import Loaded
from shardgate.net.clock import now

OTHERS: Final = 128
"""Of a process besides connections: listening sockets, log, store and its journal, certificates, metrics' scrapers."""
_SAID_EACH_S: Final = 60.0

_log = logging.getLogger("shardgate")


def needed_for_shards(loaded: Loaded) -> int:
    """The descriptors that one worker needs besides those of clients."""
    return len(loaded.shards) * loaded.config.limits.connections_per_shard_max + OTHERS


def needed(loaded: Loaded) -> int:
    """The descriptors that one worker needs."""
    return needed_for_shards(loaded) + loaded.config.limits.client_connections_max


def shortage(loaded: Loaded, limit: int | None = None) -> str:
    """What is wrong with the system's limit for this configuration, in words; empty where it suffices.

    `limit`: by default the hard limit of this process.
    """
    limit = hard_limit() if limit is None else limit
    wanted = needed(loaded)
    if wanted <= limit:
        return ""
    left = _clients_within(loaded, limit)
    most = loaded.config.limits.client_connections_max
    return (
        f"a worker needs {wanted} file descriptors and may have {limit}: it takes {left} connections of clients instead"
        f" of {most} (limits.client_connections_max); raise the limit (`ulimit -Hn`, LimitNOFILE of systemd) or lower"
        f" the bound"
    )


def fitted(loaded: Loaded) -> Loaded:
    """Raise the soft limit to what the configuration needs; where it may not be so high, lower the bound of clients.

    The workers inherit the limit. A shortage is logged.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed(loaded)
    limit = _finite(soft)
    if limit < wanted and _finite(hard) > limit:
        limit = min(wanted, _finite(hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    if not (said := shortage(loaded, limit)):
        return loaded
    _log.warning("%s", said)
    left, config = _clients_within(loaded, limit), loaded.config
    limits = msgspec.structs.replace(config.limits, client_connections_max=left)
    bounds = msgspec.structs.replace(loaded.bounds, connections_max=min(loaded.bounds.connections_max, left))
    return msgspec.structs.replace(loaded, config=msgspec.structs.replace(config, limits=limits), bounds=bounds)


def hard_limit() -> int:
    """How many descriptors a process may have at most."""
    return _finite(resource.getrlimit(resource.RLIMIT_NOFILE)[1])


class DescriptorWatch:
    """Looks at each tick whether there is a descriptor left: without one the system resets clients in silence."""

    __slots__ = ("_clock", "_said_at", "_spare", "deadline_at")

    def __init__(self, clock: Callable[[], float] = now) -> None:
        self._clock = clock
        self._said_at = -_SAID_EACH_S
        self._spare = os.open(os.devnull, os.O_RDONLY)
        self.deadline_at = 0.0  # always due, so `expire` is called at each tick

    def expire(self) -> None:
        """Log that there is none, at most once a minute."""
        try:
            os.close(os.dup(self._spare))
        except OSError as error:
            instant = self._clock()
            if error.errno in {errno.EMFILE, errno.ENFILE} and instant - self._said_at >= _SAID_EACH_S:
                self._said_at = instant
                _log.error(
                    "no file descriptor is left (%s): new clients are reset, and shards cannot be reached; raise the "
                    "limit of open files, or lower limits.client_connections_max",
                    os.strerror(error.errno or 0).lower(),
                )

    def close(self) -> None:
        """Look no more."""
        os.close(self._spare)


def _clients_within(loaded: Loaded, limit: int) -> int:
    """How many clients a worker can take; one at least, though it then may lack a descriptor for a shard."""
    return max(1, limit - needed_for_shards(loaded))


def _finite(limit: int) -> int:
    return 2**31 if limit == resource.RLIM_INFINITY else limit
