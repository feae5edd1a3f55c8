"""HAProxy as the load balancer of production: a listener for clients, one for tests of the set that does not serve, and
weights that change while it runs, by its runtime socket. Its own log says what it saw of each set.

*Holds:* nothing is hidden from clients: it retries nothing and sends no request to a second instance.
"""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from proof.rehearsal.slots import Colour, Slot
from tools.containers.engine import ContainersError, ensure
from tools.delivery.verdict import Outcome, Sample
from tools.ports import reserved_port

START_TIMEOUT_S = 20.0
_PATH = "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin"
_CONFIG = """
global
  log {log} len 1024 format raw local0 info
  stats socket {admin} mode 600 level admin
  nbthread 1
defaults
  mode http
  retries 0
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout check 2s
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost
  default-server check inter 500ms fall 3 rise 1
  log global
  log-format "%s %ST %Ta %ts"
frontend clients
  bind 127.0.0.1:{port}
  default_backend clients
frontend tests
  bind 127.0.0.1:{test_port}
  default_backend tests
backend clients
  balance roundrobin
{servers}
backend tests
  balance roundrobin
{servers}
"""


class BalancerError(Exception):
    """HAProxy is missing, did not start, or refused a command; the text says which."""


class Seen(msgspec.Struct, frozen=True):
    """One request, as the balancer logged it."""

    at: float
    """Monotonic seconds, when it was over."""
    server: str
    """The slot's name."""
    outcome: Outcome


def ensure_here() -> None:
    """Install HAProxy where it is missing and that is possible. Raises ContainersError, which says what to install."""
    if program() is not None:
        return
    try:
        ensure("haproxy")
    except ContainersError:
        if program() is None:  # it may be here now, and its folder not on the PATH
            raise


def program() -> str | None:
    """Where HAProxy is; None: nowhere."""
    return shutil.which("haproxy", path=_PATH)


class Balancer:
    """A running HAProxy, inside of its `with` block."""

    def __init__(self, folder: Path, sets: Mapping[Colour, Sequence[Slot]]) -> None:
        self._folder = folder
        self._sets = sets
        self._port, self._test_port = reserved_port(), reserved_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._seen: list[Seen] = []

    @property
    def url(self) -> str:
        """For clients."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def test_url(self) -> str:
        """For tests of the set that does not serve."""
        return f"http://127.0.0.1:{self._test_port}"

    def __enter__(self) -> Self:
        binary = program()
        if binary is None:
            raise BalancerError("there is no haproxy: apt-get install haproxy")
        self._log.bind(str(self._folder / "log.sock"))
        self._log.settimeout(0.5)
        config = self._folder / "haproxy.cfg"
        config.write_text(self._config())
        with (self._folder / "haproxy.log").open("wb") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", binary, "-db", "-f", str(config)], stdout=output, stderr=output
            )
        threading.Thread(target=self._read_log, args=[self._process], daemon=True).start()
        try:
            self._await_start(self._process)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def shift(self, shares: Mapping[Colour, int]) -> None:
        """The percentage of the clients' requests for each set. The set that gets more is told first."""
        for colour, percent in sorted(shares.items(), key=lambda share: -share[1]):
            for slot in self._sets[colour]:
                self._tell(f"set server clients/{slot.name} weight {percent}")

    def test(self, colour: Colour) -> None:
        """Lead the listener for tests to one set."""
        for each, slots in self._sets.items():
            for slot in slots:
                self._tell(f"set server tests/{slot.name} weight {100 if each == colour else 0}")

    def is_up(self, slot: Slot) -> bool:
        """Whether the health check of an instance passes, at both listeners."""
        states = [row["status"] for row in self._rows() if row["svname"] == slot.name]
        return len(states) == 2 and all(state.startswith("UP") for state in states)

    def in_flight(self, colour: Colour) -> int:
        """The requests that are under way at a set."""
        names = {slot.name for slot in self._sets[colour]}
        return sum(int(row["scur"]) for row in self._rows() if row["svname"] in names)

    def sample(self, colour: Colour, since: float) -> Sample:
        """What a set has answered since an instant, by both listeners."""
        names = {slot.name for slot in self._sets[colour]}
        return Sample.of(seen.outcome for seen in list(self._seen) if seen.at >= since and seen.server in names)

    def _config(self) -> str:
        return _CONFIG.format(
            log=self._folder / "log.sock",
            admin=self._folder / "admin.sock",
            port=self._port,
            test_port=self._test_port,
            servers="\n".join(_servers(slot for slots in self._sets.values() for slot in slots)),
        )

    def _tell(self, command: str) -> str:
        """A command of the runtime socket. Raises BalancerError where HAProxy answers with an error."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(START_TIMEOUT_S)
            connection.connect(str(self._folder / "admin.sock"))
            connection.sendall(command.encode() + b"\n")
            said = b"".join(iter(lambda: connection.recv(65536), b"")).decode().strip()
        if command.startswith("set ") and said:
            raise BalancerError(f"{command}: {said}")
        return said

    def _rows(self) -> list[dict[str, str]]:
        """A row for each server of each backend."""
        head, *lines = self._tell("show stat -1 4 -1").removeprefix("# ").splitlines()
        names = head.split(",")
        return [dict(zip(names, line.split(","), strict=False)) for line in lines if line]

    def _read_log(self, process: "subprocess.Popen[bytes]") -> None:
        while process.poll() is None:
            try:
                line = self._log.recv(2048).decode(errors="replace")
            except TimeoutError:
                continue
            except OSError:
                return
            if (seen := read(line, time.monotonic())) is not None:
                self._seen.append(seen)

    def _await_start(self, process: "subprocess.Popen[bytes]") -> None:
        """It listens at its ports a moment before its runtime socket has its name."""
        places = [(socket.AF_INET, ("127.0.0.1", self._test_port)), (socket.AF_UNIX, str(self._folder / "admin.sock"))]
        ends_at = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < ends_at and process.poll() is None:
            if all(_takes(family, address) for family, address in places):
                return
            time.sleep(0.02)
        raise BalancerError(f"haproxy did not start:\n{(self._folder / 'haproxy.log').read_text()[-1000:]}")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(START_TIMEOUT_S)
        self._log.close()


def read(line: str, at: float) -> Seen | None:
    """A line of the log, as `log-format` writes it: server, status, milliseconds, how it ended.

    A reply that the balancer itself had to give (5xx), or that broke off at the instance, is a failure. A client that
    left is none.
    """
    words = line.split()
    if len(words) != 4:
        return None
    server, status, took_ms, ended = words
    failed = int(status) < 200 or int(status) >= 500 or ended[0] not in "-C"
    return Seen(at, server, Outcome(failed, float(took_ms)))


def _takes(family: socket.AddressFamily, address: object) -> bool:
    with socket.socket(family) as probe:
        return probe.connect_ex(address) == 0  # type: ignore[arg-type]


def _servers(slots: Iterable[Slot]) -> Iterable[str]:
    for slot in slots:
        yield f"  server {slot.name} 127.0.0.1:{slot.port} check port {slot.admin_port} weight 0"
