"""Runs the export and the import of the application: its commands, or its endpoints.

Holds: a command that took too long is killed with all that it has started. An answer other than 200, 201 or 204 is a
failure; 202 too, as it says that the work is not done.
Never: shows more than the end of what a command wrote.
"""

import http.client
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote, urlsplit

from msgspec import Struct

from shardgate.config.schema import ApplicationCopyConfig
from shardgate.core.topology import ShardId

_SHOWN_MAX: Final = 500
_PIECE_BYTES: Final = 1 << 16
_ANSWER_S: Final = 120.0  # how long an import by HTTP is waited for that has taken too long: it may still be at work
_DONE: Final = frozenset({200, 201, 204})


class ApplicationFailedError(Exception):
    """An export or an import failed. It is over."""


class NoAnswerError(OSError):
    """An import was not answered: whether it goes on is not known."""


class CarrierPlace(Struct, frozen=True):
    """The shard of an export or an import."""

    shard: ShardId
    instance: str
    database: str


class TenantCarrier:
    """The export and the import of one tenant at a time."""

    __slots__ = ("_config",)

    def __init__(self, config: ApplicationCopyConfig) -> None:
        self._config = config

    def export(self, tenant: str, place: CarrierPlace, file: Path, within_s: float) -> None:
        """Write the tenant into the file. Raises ApplicationFailedError."""
        if self._config.export_command:
            self._run("export", self._config.export_command, tenant, place, file, within_s)
            if not file.is_file():
                raise ApplicationFailedError(f"the export of {tenant} has written no file {file.name}")
            return
        url = self._config.export_url or ""
        try:
            with file.open("wb") as written:
                self._call("GET", _filled(url, tenant, place), None, within_s, lambda reply: _save(reply, written))
        except (OSError, http.client.HTTPException) as error:
            raise ApplicationFailedError(f"the export of {tenant} from {place.shard} failed: {error}") from error

    def take_in(self, tenant: str, place: CarrierPlace, file: Path, within_s: float) -> None:
        """Read the file into the shard. Raises ApplicationFailedError, and NoAnswerError."""
        if self._config.import_command:
            self._run("import", self._config.import_command, tenant, place, file, within_s)
            return
        url = self._config.import_url or ""
        try:
            with file.open("rb") as body:
                self._call("POST", _filled(url, tenant, place), body, within_s + _ANSWER_S, lambda _: None)
        except ConnectionRefusedError as error:
            raise ApplicationFailedError(f"the import of {tenant} into {place.shard} failed: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError(
                f"the import of {tenant} was not answered by {place.shard} ({error}): it may still be at work there."
                " See that it is over, then run shardgate move --resume or --abandon"
            ) from error

    def _run(
        self, what: str, command: tuple[str, ...], tenant: str, place: CarrierPlace, file: Path, within_s: float
    ) -> None:
        words = [_replaced(each, tenant, place, str(file)) for each in command]
        environment = {
            **os.environ,
            "MOVE_TENANT": tenant,
            "MOVE_SHARD": place.shard,
            "MOVE_INSTANCE": place.instance,
            "MOVE_DATABASE": place.database,
            "MOVE_FILE": str(file),
        }
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own command
                [*_with_us(), *words],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ApplicationFailedError(f"the {what} of {tenant} cannot be started: {words[0]}: {error}") from error
        with process:
            try:
                said, _ = process.communicate(timeout=within_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                raise ApplicationFailedError(f"the {what} of {tenant} took longer than {within_s:.1f} s") from None
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if process.returncode:
            told = said.decode(errors="replace").strip()[-_SHOWN_MAX:]
            raise ApplicationFailedError(f"the {what} of {tenant} ended with {process.returncode}: {told}")

    def _call(
        self,
        method: str,
        url: str,
        body: IO[bytes] | None,
        within_s: float,
        take: Callable[[http.client.HTTPResponse], None],
    ) -> None:
        """One request. Raises ApplicationFailedError where the answer is a refusal."""
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=within_s)
        fields = dict(self._config.headers)
        if body is not None:
            fields |= {"Content-Length": str(os.fstat(body.fileno()).st_size)}
            fields.setdefault("Content-Type", "application/octet-stream")
        try:
            connection.request(method, f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", body, fields)
            reply = connection.getresponse()
            if reply.status not in _DONE or (method == "GET" and reply.status != http.client.OK):
                told = reply.read(_SHOWN_MAX).decode(errors="replace")
                raise ApplicationFailedError(f"{method} {url} was answered {reply.status} {reply.reason}: {told}")
            take(reply)
        finally:
            connection.close()


def _save(reply: http.client.HTTPResponse, file: IO[bytes]) -> None:
    while piece := reply.read(_PIECE_BYTES):
        file.write(piece)


def _replaced(text: str, tenant: str, place: CarrierPlace, file: str) -> str:
    known = {"{tenant}": tenant, "{shard}": place.shard, "{instance}": place.instance, "{file}": file}
    for word, value in known.items():
        text = text.replace(word, value)
    return text


def _filled(url: str, tenant: str, place: CarrierPlace) -> str:
    filled = url.replace("{instance}", place.instance).replace("{shard}", quote(place.shard, safe=""))
    return filled.replace("{tenant}", quote(tenant, safe=""))


def _with_us() -> list[str]:
    """Should the mover be killed, the kernel ends the command: nothing is imported after a movement was resumed."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
