"""The gateways of the chaos: one configuration, started in several ways."""

import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import trustme

from proof.chaos.clocked import write_offset
from proof.chaos.names import ADDRESS, DOMAIN, SERVICE, NameServer, Service, resolv_conf
from proof.chaos.shards import InstanceProcess, Shard

# Without this right, root is bound by the permissions of files, as the user of a service is.
_AS_SERVICE = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
_RESOLVING = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'


class Ground(msgspec.Struct, frozen=True):
    """What a gateway is started on."""

    folder: Path
    shards: Mapping[str, Shard]
    names: NameServer


class Variant:
    """A gateway as it is usually started."""

    name = "plain"
    load = 1.0
    """Of the usual load."""
    passes_socket = False
    """It is passed its listening socket, as by a service manager (sd_listen_fds(3))."""
    more: Mapping[str, Any] = {}
    """What its configuration has besides."""
    of_shards: Mapping[str, Any] = {}
    """What it has of each shard besides."""

    def ca(self, ground: Ground) -> Path | None:
        """The authority of its certificate; None: it does not speak TLS."""

    def missing(self) -> str:
        """Why it cannot be started here; empty where it can."""
        return "" if shutil.which("setpriv") else "setpriv is not installed (apt install util-linux)"

    def folder(self, ground: Ground) -> Path:
        """Where its store and its logs are."""
        return ground.folder

    def replicas(self, shard: Shard) -> Any:
        """The replicas of a shard, as the configuration has them."""
        return [instance.url for instance in shard.instances]

    def prefix(self, ground: Ground) -> Sequence[str]:
        """What stands before its command."""
        return _AS_SERVICE if os.geteuid() == 0 else []

    def program(self, ground: Ground) -> Sequence[str]:
        """What Python runs."""
        return ["-m", "shardgate"]

    @property
    def its_processor(self) -> int:
        """Where a gateway has one processor: that one."""
        return min(os.sched_getaffinity(0))

    def others_processors(self) -> set[int]:
        """Those that load and shards run on."""
        return os.sched_getaffinity(0)

    async def prepare(self, ground: Ground) -> None:
        """Before it is started."""

    def put_away(self, ground: Ground) -> None:
        """After it has ended."""


class Passed(Variant):
    """A gateway that is passed its socket."""

    name = "passed"
    passes_socket = True


class Disk(Variant):
    """A gateway whose store and logs are on a small disk of their own."""

    name = "disk"
    _SIZE = "48m"

    def missing(self) -> str:
        """A file system is mounted."""
        return super().missing() or ("" if os.geteuid() == 0 else "only root may mount a small file system")

    def folder(self, ground: Ground) -> Path:
        """On that disk."""
        return ground.folder / "disk"

    async def prepare(self, ground: Ground) -> None:
        """Mount it."""
        self.folder(ground).mkdir()
        subprocess.run(  # noqa: ASYNC221 - it takes a millisecond
            ["mount", "-t", "tmpfs", "-o", f"size={self._SIZE}", "none", str(self.folder(ground))], check=True
        )

    def put_away(self, ground: Ground) -> None:
        """Take it off; at once where something has still files on it."""
        subprocess.run(["umount", "--lazy", str(self.folder(ground))], check=False)


class Named(Variant):
    """A gateway whose shards have names, which a server of our own answers."""

    name = "names"

    def missing(self) -> str:
        """It sees another /etc/resolv.conf than the rest of the machine."""
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            return "only root may give a process an /etc/resolv.conf of its own (unshare)"
        return super().missing()

    def replicas(self, shard: Shard) -> Any:
        """By name."""
        return [f"http://{instance.name}.{DOMAIN}:{instance.port}" for instance in shard.instances]

    def prefix(self, ground: Ground) -> Sequence[str]:
        """In a mount namespace."""
        return ["unshare", "-m", "sh", "-c", _RESOLVING, str(resolv_conf(ground.folder)), *super().prefix(ground)]

    async def prepare(self, ground: Ground) -> None:
        """Name every instance."""
        for shard in ground.shards.values():
            for instance in shard.instances:
                ground.names.addresses[f"{instance.name}.{DOMAIN}"] = [instance.address]
        await ground.names.start()

    def put_away(self, ground: Ground) -> None:
        """Nobody asks any more."""
        ground.names.stop()


class Services(Variant):
    """A gateway that finds the replicas of its shards by SRV records, which a server of our own has."""

    name = "services"

    def missing(self) -> str:
        """It reads SRV records by a library."""
        return super().missing() or ("" if find_spec("dns") else "dnspython is not installed")

    def replicas(self, shard: Shard) -> Any:
        """By the name of the service."""
        return {"srv": f"http://{service_of(shard)}"}

    async def prepare(self, ground: Ground) -> None:
        """Name every instance and every service."""
        for shard in ground.shards.values():
            for instance in (*shard.instances, shard.spare):
                ground.names.addresses[f"{instance.name}.{DOMAIN}"] = [instance.address]
            ground.names.services[service_of(shard)] = [served_by(instance) for instance in shard.instances]
        await ground.names.start(0)
        self.more = {"resolver": {"servers": [f"{ADDRESS}:{ground.names.port}"]}}

    def put_away(self, ground: Ground) -> None:
        """Nobody asks any more."""
        ground.names.stop()


def service_of(shard: Shard) -> str:
    """The name of its service."""
    return f"{SERVICE}{shard.name}.{DOMAIN}"


def served_by(instance: InstanceProcess, weight: int = 1) -> Service:
    """The record of one instance."""
    return Service(weight, instance.port, f"{instance.name}.{DOMAIN}")


class Clocked(Variant):
    """A gateway whose clock can be set."""

    name = "clock"

    def program(self, ground: Ground) -> Sequence[str]:
        """With the clock in a file."""
        write_offset(ground.folder / "clock", 0.0)
        return ["-m", "proof.chaos.clocked", str(ground.folder / "clock")]


class Busy(Variant):
    """A gateway with one processor for both workers, which the load can overload; shards and load have the other."""

    name = "busy"

    def missing(self) -> str:
        """Two processors."""
        lacking = "" if len(os.sched_getaffinity(0)) >= 2 and shutil.which("taskset") else "two processors are needed"
        return super().missing() or lacking

    def prefix(self, ground: Ground) -> Sequence[str]:
        """On the first."""
        return ["taskset", "-c", str(self.its_processor), *super().prefix(ground)]

    def others_processors(self) -> set[int]:
        """All but the first."""
        every = os.sched_getaffinity(0)
        return every - {min(every)}


class Waiting(Variant):
    """A gateway whose keyed requests wait for a shard that fails over."""

    name = "waiting"
    of_shards: Mapping[str, Any] = {"failover": {"wait_s": 5}}


class Secure(Variant):
    """A gateway that speaks TLS."""

    name = "tls"
    load = 0.3  # handshakes cost the process that loads more than the gateway
    more: Mapping[str, Any] = {"tls": {"certificate": "served.pem", "key": "served.pem"}}

    def __init__(self) -> None:
        self._authority = trustme.CA()

    def ca(self, ground: Ground) -> Path:
        """The authority that has signed its certificates."""
        return ground.folder / "ca.pem"

    def renew(self, folder: Path) -> bytes:
        """Put another certificate in the place of the last; it, in DER."""
        made = self._authority.issue_cert("localhost")
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".pem", delete=False) as file:
            file.write(made.private_key_and_cert_chain_pem.bytes())
        Path(file.name).rename(folder / "served.pem")
        return ssl.PEM_cert_to_DER_cert(made.cert_chain_pems[0].bytes().decode())

    async def prepare(self, ground: Ground) -> None:
        """The first certificate."""
        self._authority.cert_pem.write_to_path(self.ca(ground))
        self.renew(ground.folder)


class Classed(Busy):
    """The same as a busy one, where an operator has said which requests are more important."""

    name = "classed"
    more: Mapping[str, Any] = {
        "clients": {
            "classes": [
                {"name": "standard"},
                {"name": "bulk", "match": [{"operations": ["GET /list/bulk"]}]},
            ]
        }
    }


class Fair(Busy):
    """The same, where an operator has said how much a partner may ask of a worker.

    It is more than the usual load of one partner, 30 requests a second, all of which may be on one connection.
    """

    name = "fair"
    bounds: Mapping[str, float] = {"rate_per_s": 35, "burst": 35}
    more: Mapping[str, Any] = {"clients": {"bounds": bounds}}


VARIANTS: dict[str, Variant] = {
    each.name: each
    for each in (
        Variant(),
        Passed(),
        Disk(),
        Named(),
        Services(),
        Clocked(),
        Waiting(),
        Secure(),
        Busy(),
        Classed(),
        Fair(),
    )
}
