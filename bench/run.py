"""`make bench`: CPU a relayed request and a gather, one worker on one core, load and stub shards on another.

The figures of a machine say little alone: nginx, where it is installed, relays the same replies in the same run, and
the ratio to it is what can be compared.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import msgspec
import yaml

HERE = Path(__file__).resolve().parent
GATEWAY_PORT, NGINX_PORT, SHARD_PORT = 9500, 9501, 9600
ROUNDS, SECONDS = 3, 3.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
KEYED = "/v3/events/0123456789abcdef0123456789abcdef"
LISTED = "/v3/events?order=name&limit=10"

RULES = {
    "listen": f"127.0.0.1:{GATEWAY_PORT}",
    "workers": 1,
    "shards": {f"s{n}": f"http://127.0.0.1:{SHARD_PORT + n}" for n in range(4)},
    "locators": {"event": [{"kind": "hash"}]},
    "rules": {
        "GET /v3/events/{id}": {"rule": "one", "key": "path.id", "locate": "event"},
        "GET /v3/events": {
            "rule": "gather",
            "merge": {
                "kind": "list",
                "dialect": {"kind": "offset", "limit_default": 100_000, "count_header": "X-Total_Count"},
                "keys": {"id": "text", "name": "text"},
            },
            "learn": {"event": "id"},
        },
    },
}

NGINX = """worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 2048; }}
http {{ access_log off; keepalive_requests 100000000;
  upstream shard {{ server 127.0.0.1:{shard}; keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port}; location / {{
    proxy_pass http://shard; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; }} }} }}
"""


def main() -> None:
    """Measure in interleaved rounds; print the medians."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("bench: two cores are needed, one for the gateway and one for load and shards")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = folder / "shardgate.yaml"
        config.write_text(yaml.safe_dump(RULES))
        stub = [sys.executable, str(HERE / "stub_shard.py"), "--port", str(SHARD_PORT)]
        _start(stack, stub, cores[1])
        _start(stack, [sys.executable, "-m", "shardgate", "serve", "-c", str(config)], cores[0])
        nginx = _start_nginx(stack, folder, cores[0])
        worker = _worker(config)
        subjects = [("shardgate relay 880 B", worker, GATEWAY_PORT, KEYED)]
        if nginx:
            subjects.append(("nginx relay 880 B", nginx, NGINX_PORT, KEYED))
        subjects.append(("shardgate gather 4 x 10 rows", worker, GATEWAY_PORT, LISTED))
        results: dict[str, list[tuple[float, int]]] = {name: [] for name, *_ in subjects}
        for _ in range(ROUNDS):
            for name, pid, port, target in subjects:
                results[name].append(_measure(pid, port, target, cores[1]))
    _report(results, bool(nginx))


def _report(results: dict[str, list[tuple[float, int]]], has_nginx: bool) -> None:
    print(f"{'work, 32 connections':32}{'CPU us/request':>16}{'spread':>18}{'requests/s':>14}")
    cpu = {}
    for name, runs in results.items():
        values = [value for value, _ in runs]
        cpu[name] = median(values)
        spread = f"{min(values):.1f} to {max(values):.1f}"
        print(f"{name:32}{cpu[name]:16.1f}{spread:>18}{median(rate for _, rate in runs):14,.0f}")
    if has_nginx:
        ratio = cpu["shardgate relay 880 B"] / cpu["nginx relay 880 B"]
        print(f"relay: {ratio:.2f} times nginx's CPU in the same run (the prototype's: 26 / 13 = 2.0)")
    else:
        print("nginx is missing: no ratio to compare with (install it and run again)")


def _measure(pid: int, port: int, target: str, core: int) -> tuple[float, int]:
    """CPU microseconds a request of a process, and requests a second."""
    load = [sys.executable, str(HERE / "load.py"), f"--port={port}", f"--target={target}", f"--seconds={SECONDS}"]
    before = _cpu_s(pid)
    said = subprocess.run(["taskset", "-c", str(core), *load], check=True, capture_output=True)
    spent = _cpu_s(pid) - before
    result = msgspec.json.decode(said.stdout)
    return spent / result["requests"] * 1e6, result["per_s"]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _start(stack: ExitStack, command: list[str], core: int) -> None:
    process = subprocess.Popen(["taskset", "-c", str(core), *command], stdout=subprocess.PIPE)
    stack.callback(process.wait, 10)
    stack.callback(process.send_signal, signal.SIGTERM)
    if process.stdout is None or b"ready" not in process.stdout.readline():
        sys.exit(f"bench: {' '.join(command)} did not start")


def _start_nginx(stack: ExitStack, folder: Path, core: int) -> int | None:
    binary = shutil.which("nginx")
    if binary is None:
        return None
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, shard=SHARD_PORT, port=NGINX_PORT))
    process = subprocess.Popen(["taskset", "-c", str(core), binary, "-c", str(folder / "nginx.conf")])
    stack.callback(process.wait, 10)
    stack.callback(process.send_signal, signal.SIGTERM)
    time.sleep(1)
    return _child(process.pid)


def _worker(config: Path) -> int:
    for stat in Path("/proc").glob("[0-9]*/cmdline"):
        if str(config).encode() in stat.read_bytes() and b"taskset" not in stat.read_bytes():
            supervisor = int(stat.parent.name)
            child = _child(supervisor)
            if child is not None:
                return child
    sys.exit("bench: the gateway's worker was not found")


def _child(pid: int) -> int | None:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else None


if __name__ == "__main__":
    main()
