"""Hosts of one machine: network namespaces, each on two switches, of which one can be taken away from a host.

The process that makes them is in a namespace of its own, which has the switches, so nothing of the machine's network is
touched, and all is gone with its processes.

Holds: a host that is cut off keeps its address and its open connections; what it sends and what is sent to it is lost
without a word, as behind a switch that has died.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

SWITCHES: Final = ("10.77.1", "10.77.2")
"""The network of clients and shards, and the network of the store; the process itself is number 1 in both."""
_READY_S: Final = 10.0
_MARK: Final = "--in-a-namespace"


class NoHostsError(Exception):
    """This machine gives no network namespaces; the text says why."""


def enter(module: str) -> None:
    """Run this program again in a network namespace of its own, unless it is there. Raises NoHostsError."""
    if _MARK in sys.argv:
        sys.argv.remove(_MARK)
        _run("ip", "link", "set", "lo", "up")
        return
    for tool in ("unshare", "nsenter", "ip"):
        if shutil.which(tool) is None:
            raise NoHostsError(f"{tool} is needed: apt install util-linux iproute2")
    command = ["unshare", "--net" if os.geteuid() == 0 else "-rn"]
    tried = subprocess.run([*command, "true"], check=False, capture_output=True, text=True)
    if tried.returncode:
        raise NoHostsError(f"there are no network namespaces here: {tried.stderr.strip()}")
    os.execvp("unshare", [*command, sys.executable, "-m", module, _MARK, *sys.argv[1:]])


class Hosts:
    """So many hosts, numbered from 2 on in both networks."""

    def __init__(self, count: int) -> None:
        self._numbers = range(2, 2 + count)
        self._holders: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        for number, network in enumerate(SWITCHES):
            _run("ip", "link", "add", _switch(number), "type", "bridge")
            _run("ip", "address", "add", f"{network}.1/24", "dev", _switch(number))
            _run("ip", "link", "set", _switch(number), "up")
        try:
            for host in self._numbers:
                self._make(host)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def inside(self, host: int) -> list[str]:
        """What a command begins with that is to run on a host."""
        return ["nsenter", "--net", "--target", str(self._holders[host].pid)]

    def cut(self, host: int, networks: Sequence[int]) -> None:
        """Take a host from these networks."""
        for network in networks:
            _run("ip", "link", "set", _port(host, network), "nomaster")

    def join(self, host: int, networks: Sequence[int]) -> None:
        """Let a host be in these networks."""
        for network in networks:
            _run("ip", "link", "set", _port(host, network), "master", _switch(network))

    def _make(self, host: int) -> None:
        self._holders[host] = holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        ours, deadline_at = Path("/proc/self/ns/net").readlink(), time.monotonic() + _READY_S
        while Path(f"/proc/{holder.pid}/ns/net").readlink() == ours:
            if holder.poll() is not None or time.monotonic() > deadline_at:
                raise NoHostsError("a network namespace was not made")
            time.sleep(0.01)
        _run(*self.inside(host), "ip", "link", "set", "lo", "up")
        for network, prefix in enumerate(SWITCHES):
            port, there = _port(host, network), f"eth{network}"
            _run("ip", "link", "add", port, "type", "veth", "peer", "name", there, "netns", str(holder.pid))
            _run(*self.inside(host), "ip", "address", "add", f"{prefix}.{host}/24", "dev", there)
            _run(*self.inside(host), "ip", "link", "set", there, "up")
            _run("ip", "link", "set", port, "up")
        self.join(host, range(len(SWITCHES)))

    def _end(self) -> None:
        for holder in self._holders.values():
            holder.kill()
            holder.wait()
        self._holders.clear()


def _switch(number: int) -> str:
    return f"switch{number}"


def _port(host: int, network: int) -> str:
    return f"host{host}port{network}"


def _run(*command: str) -> None:
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    if said.returncode:
        raise NoHostsError(f"{' '.join(command)}: {said.stderr.strip()}")
