"""A gateway that speaks TLS and asks its clients for certificates."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import trustme

from proof.hostile.asking import request
from proof.hostile.stage import Stage

_NAME = "localhost"


class TlsStage(Stage):
    """A stage whose clients must show a certificate of its authority."""

    def __init__(self, folder: Path, rules: dict[str, Any], seed: int) -> None:
        super().__init__(folder, rules, {}, seed)
        self.authority, self.unknown = trustme.CA(), trustme.CA()
        self._leaf = self.authority.issue_cert("client@example.com")
        self.client = self.tls = self.context(self._leaf)
        self.client_file, self.client_key = folder / "client.pem", folder / "client.key"

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        leaf = self.authority.issue_cert(_NAME)
        leaf.private_key_pem.write_to_path(self.folder / "key.pem")
        (self.folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        self._leaf.private_key_pem.write_to_path(self.client_key)
        self.client_file.write_bytes(b"".join(blob.bytes() for blob in self._leaf.cert_chain_pems))
        self.authority.cert_pem.write_to_path(self.folder / "ca.pem")
        self.more = {"tls": {"certificate": "cert.pem", "key": "key.pem", "client_ca": "ca.pem"}}
        self.warm = [request("GET", "/any")]
        return await super().__aenter__()

    def context(self, leaf: trustme.LeafCert | None) -> ssl.SSLContext:
        """A client's side, with a certificate or none."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if leaf is not None:
            leaf.configure_cert(context)
        return context

    def wrong(self) -> dict[str, ssl.SSLContext]:
        """Clients that must not be served."""
        past, older = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) - timedelta(days=9)
        expired = self.authority.issue_cert("client@example.com", not_before=older, not_after=past)
        future = datetime.now(UTC) + timedelta(days=1)
        not_yet = self.authority.issue_cert(
            "client@example.com", not_before=future, not_after=future + timedelta(days=9)
        )
        old = self.context(self.authority.issue_cert("client@example.com"))
        old.minimum_version, old.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_1
        return {
            "none": self.context(None),
            "an unknown authority's": self.context(self.unknown.issue_cert("client@example.com")),
            "expired": self.context(expired),
            "not yet valid": self.context(not_yet),
            "TLS 1.1": old,
        }
