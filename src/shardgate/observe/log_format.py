"""The process's own log as lines of JSON, for collectors that read stdout; and such a line read again.

    {"time":"2026-03-01T09:30:00.123Z","level":"WARNING","pid":7,"message":"…","request_id":"7f3a-1c","shard":"north",…}

Holds: a record is one line. What a failure says of its request, operation, shard, code and status are members, too.
"""

import logging
import sys
from typing import Final, Literal

import msgspec

from shardgate.core.failures.line import parsed
from shardgate.net.clock import utc

LogFormat = Literal["text", "json"]

_TEXT: Final = "%(asctime)s %(levelname)s %(message)s"


class LogRecord(msgspec.Struct, omit_defaults=True):
    """One line."""

    time: str
    level: str
    pid: int
    message: str
    request_id: str = ""
    operation: str = ""
    shard: str = ""
    code: str = ""
    status: int = 0
    traceback: str = ""


class JsonFormatter(logging.Formatter):
    """Records as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, without its end."""
        message = record.getMessage()
        time = f"{utc(int(record.created))}.{int(record.msecs):03d}Z"
        line = LogRecord(time, record.levelname, record.process or 0, message)
        if (failure := parsed(message)) is not None:
            line.request_id, line.operation = failure.request, failure.operation
            line.shard, line.code, line.status = failure.shard, failure.code, failure.status
        if record.exc_info:
            line.traceback = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def start_logging(form: LogFormat) -> None:
    """Log from now on: as text to stderr, or as JSON to stdout."""
    if form == "text":
        logging.basicConfig(level=logging.INFO, format=_TEXT)
        return
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def as_text(line: str) -> str | None:
    """A line of JSON as the same line of the log in text; None: it is no such line."""
    try:
        record = msgspec.json.decode(line, type=LogRecord)
    except msgspec.DecodeError:
        return None
    return f"{record.time.replace('T', ' ').removesuffix('Z')} {record.level} {record.message}"
