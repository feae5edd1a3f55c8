"""`python -m bench.micro.observing`: what metrics and the access log add to a request, in microseconds of CPU."""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from shardgate.core.exchange import Exchange
from shardgate.core.routes.route import Route
from shardgate.core.rules.any_shard import AnyShard
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.observe.access_log import AccessLog
from shardgate.observe.layout import Layout
from shardgate.observe.log_file import LogFile
from shardgate.observe.memory import SharedMemory
from shardgate.observe.meter import Meter

ROUNDS, REQUESTS = 9, 50_000
TARGET = b"/v3/events/0123456789abcdef0123456789abcdef?fields=id,name"


def main() -> None:
    """Measure each alone; print the medians of several rounds."""
    route = Route("GET", "/v3/events/{id}", "GET /v3/events/{id}", AnyShard())
    request = RequestHeadParser().parse(b"GET %b HTTP/1.1\r\nHost: api.example.com\r\n" % TARGET)
    layout = Layout({}, 0).extended([route], ["north"])
    memory = SharedMemory.roomy(layout.size)
    meter = Meter(memory.slot(1), layout, [route], ["north"])

    def noted() -> Exchange:
        exchange = Exchange(request, b"0123456789ab-1f", "203.0.113.9", 100.0, 612)
        exchange.route, exchange.shards = route, ("north",)
        exchange.upstream_s, exchange.first_byte_at, exchange.ended_at = 0.000_141, 100.000_183, 100.000_19
        exchange.status, exchange.bytes_out = 200, 1_240
        return exchange

    done = noted()
    with tempfile.TemporaryDirectory() as folder:
        log = AccessLog(LogFile(str(Path(folder) / "log")), query=False, sample=1.0)
        subjects = {
            "exchange, noted": noted,
            "metrics, a request": lambda: meter.finished(done),
            "metrics, a call to a shard": lambda: meter.replied("north", 0.000_141),
            "access log, a line (and its writing)": lambda: log.write(done),
        }
        results: dict[str, list[float]] = {name: [] for name in subjects}
        for _ in range(ROUNDS):
            for name, work in subjects.items():
                results[name].append(_cpu_us(work))
        log.close()
    for name, values in results.items():
        print(f"{name:40}{median(values):8.2f} us   ({min(values):.2f} to {max(values):.2f})")
    print(msgspec.json.encode({name: round(median(values), 3) for name, values in results.items()}).decode())


def _cpu_us(work: Any) -> float:
    began = time.process_time()
    for _ in range(REQUESTS):
        work()
    return (time.process_time() - began) / REQUESTS * 1e6


if __name__ == "__main__":
    main()
