"""A shard of large bodies: `GET /v3/files/{n}` answers n bytes; `PUT` reads what comes and answers how much it was."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BULK_BYTES = 1 << 30
PIECE = bytes(256 * 1024)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """So many bytes."""
        size = int(self.path.rpartition("/")[2])
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        for start in range(0, size, len(PIECE)):
            self.wfile.write(PIECE[: size - start])

    def do_PUT(self) -> None:
        """How many bytes came."""
        count = b"%d" % (self._read_chunks() if "Transfer-Encoding" in self.headers else self._read_length())
        self.send_response(200)
        self.send_header("Content-Length", str(len(count)))
        self.end_headers()
        self.wfile.write(count)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""

    def _read_length(self) -> int:
        size = count = int(self.headers.get("Content-Length", 0))
        while count:
            count -= len(self._read(min(count, len(PIECE))))
        return size

    def _read_chunks(self) -> int:
        total = 0
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            left = size
            while left:
                left -= len(self._read(min(left, len(PIECE))))
            total += size
            self.rfile.readline()
        self.rfile.readline()
        return total

    def _read(self, size: int) -> bytes:
        piece = self.rfile.read(size)
        if not piece:
            raise ConnectionError("the body ended early")
        return piece


def shard_command(port: int) -> list[str]:
    """What starts it."""
    return [sys.executable, "-m", "bench.bulk_shard", str(port)]


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
