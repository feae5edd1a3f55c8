"""A receiver of OTLP over HTTP on loopback. What it was sent, the official messages of OpenTelemetry decode."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec


class Pushed(msgspec.Struct, frozen=True):
    """One request that came."""

    path: str
    headers: dict[str, str]
    """By their names in lower case."""
    body: bytes
    """Unpacked."""

    def decoded(self) -> Any:
        """An ExportMetricsServiceRequest."""
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        return ExportMetricsServiceRequest.FromString(self.body)

    def value(self, name: str, **labels: str) -> float:
        """The sum of the points that have these labels; of a histogram, how many values it has."""
        (metric,) = [each for each in self.decoded().resource_metrics[0].scope_metrics[0].metrics if each.name == name]
        kind = metric.WhichOneof("data")
        found = [
            point.count if kind == "histogram" else getattr(point, point.WhichOneof("value"))
            for point in getattr(metric, kind).data_points
            if labels.items() <= {each.key: each.value.string_value for each in point.attributes}.items()
        ]
        assert found, f"no point {name} {labels}"
        return float(sum(found))


class Receiver:
    """Replies to all as it was told, and keeps what came."""

    def __init__(self) -> None:
        self.came: list[Pushed] = []
        self.status = 200
        self.says = b""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, says = receiver.status, receiver.says
                receiver.came.append(Pushed(self.path, headers, body))
                self.send_response(status)
                self.send_header("Content-Length", str(len(says)))
                self.end_headers()
                self.wfile.write(says)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in http.server
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/metrics"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver within the block."""
    receiver = Receiver()
    thread = Thread(target=receiver.server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()
