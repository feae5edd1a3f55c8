"""TLS on the listener and towards shards, from files that may be replaced while the gateway runs.

Holds: new files come into force all together: until certificate and key fit, the old ones stay. Open connections are
not touched. The oldest version is TLS 1.2; the protocol inside is HTTP/1.1.
Never: makes or keeps a key, or trusts a shard's certificate that the shard's authority did not sign.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from shardgate.core.topology import TlsFiles

POLL_S = 5.0

_log = logging.getLogger("shardgate")


class Tls:
    """A context and the files that it was made of."""

    __slots__ = ("_build", "_stamp", "context", "files")

    def __init__(self, files: TlsFiles, build: Callable[[TlsFiles], ssl.SSLContext]) -> None:
        """Raises OSError (ssl.SSLError is one) where the files cannot be used."""
        self.files = files
        self._build = build
        self._stamp = _stamp(files)
        self.context = build(files)

    def refresh(self) -> bool:
        """Take changed files over; returns whether there were any. Raises OSError if they cannot be used."""
        stamp = _stamp(self.files)
        if stamp == self._stamp:
            return False
        self.context = self._build(self.files)
        self._stamp = stamp
        return True


def for_clients(files: TlsFiles) -> ssl.SSLContext:
    """The context of a listener."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if files.certificate is not None:
        context.load_cert_chain(files.certificate, files.key)
    if files.ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def for_shards(files: TlsFiles) -> ssl.SSLContext:
    """The context of connections to a shard."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=files.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if files.certificate is not None:
        context.load_cert_chain(files.certificate, files.key)
    return context


def listening(tls: Tls) -> ssl.SSLContext:
    """A context for a listener that outlives its certificate: each handshake uses the certificate that is in force."""

    def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = tls.context

    context = for_clients(tls.files)
    context.sni_callback = choose
    return context


async def keep_fresh(used: Sequence[Tls]) -> None:
    """Take over renewed certificates, until cancelled."""
    while used:
        await asyncio.sleep(POLL_S)
        for tls in used:
            try:
                if tls.refresh():
                    _log.info("the certificate in %s was read anew", tls.files.certificate or tls.files.ca)
            except OSError as error:
                # Certificate and key are seldom replaced in one instant; the next look may succeed.
                _log.error("the certificate in %s cannot be used: %s", tls.files.certificate, error)


def _stamp(files: TlsFiles) -> tuple[tuple[int, int, int], ...]:
    """A value that changes when one of the files does. Raises OSError."""
    read = [Path(name).stat() for name in (files.certificate, files.key, files.ca) if name is not None]
    return tuple((file.st_mtime_ns, file.st_size, file.st_ino) for file in read)
