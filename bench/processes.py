"""Processes of the bench: started on their core, counted by the operating system, ended whatever happens.

Holds: every process has a session of its own, and the whole session is ended when its `with` block is left.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

READY_S = 20.0
END_S = 5.0
IDLE_WITHIN_S = 10.0
_LOOK_S = 0.05
_IDLE_SHARE = 0.1  # of a core: timers and ticks of ours take a hundredth


class StartError(Exception):
    """A process did not come up; the text ends with what it wrote."""


class Running(msgspec.Struct, frozen=True):
    """A process tree that listens."""

    pid: int
    port: int


class Cores(msgspec.Struct, frozen=True):
    """Who runs where. With two cores, load and shards share one; with four, each has its own."""

    gateway: Sequence[int]
    pair: Sequence[int]
    """For a gateway of two workers; a single one where there are no two to spare."""
    load: int
    shards: int

    @classmethod
    def of_this_machine(cls) -> "Cores | None":
        """None where there is only one core."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            return None
        if len(cores) < 4:
            return cls(gateway=cores[:1], pair=cores[:1], load=cores[1], shards=cores[-1])
        return cls(gateway=cores[:1], pair=cores[:2], load=cores[2], shards=cores[3])


@contextmanager
def started(
    arguments: Sequence[str],
    *,
    port: int,
    cores: Sequence[int],
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """A process pinned to its cores, from the moment it accepts connections. Raises StartError."""
    # SIGTERM comes from the kernel too when the bench itself is killed and can end nothing any more.
    pinned = ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", ",".join(map(str, cores)), *arguments]
    with log.open("ab") as output:
        process = subprocess.Popen(
            pinned,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    try:
        _await_port(process, port, log)
        yield Running(process.pid, port)
    finally:
        _end(process)


def _await_port(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    limit = time.monotonic() + READY_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    said = log.read_text(errors="replace").strip()[-500:] if log.exists() else ""
    raise StartError(f"{process.args!r} does not listen on {port}: {said}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask, wait, insist; then nothing of its session is left."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    limit = time.monotonic() + END_S
    while (left := [pid for pid, _, session in _table() if session == process.pid]) and time.monotonic() < limit:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    parents = {child: parent for child, parent, _ in _table()}
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found


def _table() -> list[tuple[int, int, int]]:
    """Process, parent and session of all that live."""
    rows = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z":
            rows.append((int(folder.name), int(fields[1]), int(fields[3])))
    return rows


def cpu_s(pids: Sequence[int]) -> float:
    """CPU seconds, user and system, of all threads of the processes, to the nanosecond.

    It is the time that `utime + stime` of /proc/…/stat round to ticks of 10 ms: too coarse for a gateway that works
    for 5 ms a second.
    """
    spent = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                spent += int(thread.read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue
    return spent / 1e9


def wait_idle(pid: int, within_s: float = IDLE_WITHIN_S) -> bool:
    """Wait until a process and its children have nothing left to do; False: they still work then.

    A slow peer answers what it has accepted for seconds after its clients have left, on the core of the next one.
    """
    until, spent = time.monotonic() + within_s, cpu_s(tree(pid))
    while time.monotonic() < until:
        time.sleep(_LOOK_S)
        before, spent = spent, cpu_s(tree(pid))
        if spent - before < _IDLE_SHARE * _LOOK_S and not any(map(_is_runnable, tree(pid))):
            return True
    return False


def _is_runnable(pid: int) -> bool:
    """Whether it runs, or would if it got a processor: on a busy machine it has work, and spends nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "R"
    except OSError:
        return False  # it has ended


def memory_bytes(pids: Sequence[int]) -> int:
    """Proportional set size: pages that several processes share count once."""
    return sum(_rollup(pid, "Pss:") for pid in pids)


def memory_peak_bytes(pids: Sequence[int]) -> int:
    """The largest resident size that each has had since it started, or since `reset_peak`."""
    return sum(_status(pid, "VmHWM:") for pid in pids)


def reset_peak(pids: Sequence[int]) -> None:
    """Let the largest resident size begin anew (proc_pid_clear_refs(5))."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def _rollup(pid: int, name: str) -> int:
    return _kilobytes(Path(f"/proc/{pid}/smaps_rollup"), name)


def _status(pid: int, name: str) -> int:
    return _kilobytes(Path(f"/proc/{pid}/status"), name)


def _kilobytes(file: Path, name: str) -> int:
    for line in file.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(f"{file} has no {name}")
