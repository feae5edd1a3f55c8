"""TLS on both sides, with certificates of an authority that the test makes."""

import asyncio
import shutil
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from shardgate.config.load import ConfigError
from shardgate.net import tls as tls_files
from shardgate.process.preflight import read
from tests.cluster import Asked, reply
from tests.waiting import until


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def issue(authority: trustme.CA, folder: Path, *names: str) -> dict[str, str]:
    """A certificate and its key, and the authority's certificate, in files."""
    folder.mkdir(exist_ok=True)
    leaf = authority.issue_cert(*names)
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return {"certificate": str(folder / "cert.pem"), "key": str(folder / "key.pem")}


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def get(port: int, context: ssl.SSLContext, name: str = "api.example.com") -> tuple[bytes, Any]:
    """One reply, and the certificate that was shown."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    shown = writer.get_extra_info("peercert")
    writer.write(b"GET /any HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    received = await reader.read(-1)
    writer.close()
    return received, shown


RULES = {"rules": {"GET /any": {"rule": "any"}, "PUT /any": {"rule": "any"}}}


async def test_clients_are_spoken_to_in_tls_and_shards_hear_of_it(
    start_shard: Any, start_gateway: Any, authority: trustme.CA, tmp_path: Path
) -> None:
    shard = await start_shard()
    tls = issue(authority, tmp_path / "tls", "api.example.com")
    gateway = await start_gateway({"shards": {"north": shard.url}, "tls": tls, **RULES})
    received, shown = await get(gateway.port, trusting(authority))
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert ("DNS", "api.example.com") in shown["subjectAltName"]
    assert shard.asked[0].field("x-forwarded-proto") == ["https"]
    assert b"HTTP" not in await gateway.raw(b"GET /any HTTP/1.1\r\nHost: a\r\n\r\n")


async def test_an_early_refusal_can_be_read_over_tls(
    start_shard: Any, start_gateway: Any, authority: trustme.CA, tmp_path: Path
) -> None:
    shard = await start_shard()
    tls = issue(authority, tmp_path / "tls", "api.example.com")
    gateway = await start_gateway({"shards": {"north": shard.url}, "tls": tls, **RULES})
    context = trusting(authority)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gateway.port, ssl=context, server_hostname="api.example.com"
    )
    writer.write(b"PUT /any HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
    assert (await reader.read(-1)).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_a_renewed_certificate_is_shown_without_a_restart(
    start_shard: Any,
    start_gateway: Any,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(tls_files, "POLL_S", 0.05)
    shard = await start_shard()
    tls = issue(authority, tmp_path / "tls", "api.example.com", "old.example.com")
    gateway = await start_gateway({"shards": {"north": shard.url}, "tls": tls, **RULES})
    context = trusting(authority)
    _, shown = await get(gateway.port, context)
    assert ("DNS", "old.example.com") in shown["subjectAltName"]
    # Half of a renewal: a certificate that does not fit the key. The old one goes on.
    new = issue(authority, tmp_path / "new", "api.example.com", "new.example.com")
    shutil.move(new["certificate"], tls["certificate"])
    await until(lambda: "cannot be used" in caplog.text)
    _, shown = await get(gateway.port, context)
    assert ("DNS", "old.example.com") in shown["subjectAltName"]
    shutil.move(new["key"], tls["key"])

    async def shows_the_new_one() -> bool:
        _, shown = await get(gateway.port, context)
        return ("DNS", "new.example.com") in shown["subjectAltName"]

    await until(shows_the_new_one)


async def test_clients_must_show_a_certificate_where_that_is_asked(
    start_shard: Any, start_gateway: Any, authority: trustme.CA, tmp_path: Path
) -> None:
    shard = await start_shard()
    tls = issue(authority, tmp_path / "tls", "api.example.com") | {"client_ca": str(tmp_path / "tls" / "ca.pem")}
    gateway = await start_gateway({"shards": {"north": shard.url}, "tls": tls, **RULES})
    with suppress(OSError):
        assert (await get(gateway.port, trusting(authority)))[0] == b""
    assert shard.asked == []
    known = trusting(authority)
    mine = issue(authority, tmp_path / "client", "partner.example.com")
    known.load_cert_chain(mine["certificate"], mine["key"])
    assert (await get(gateway.port, known))[0].startswith(b"HTTP/1.1 200 OK\r\n")


async def tls_shard(authority: trustme.CA, folder: Path) -> tuple[asyncio.Server, int]:
    """A shard that asks the gateway for a certificate."""
    mine = issue(authority, folder, "shard.internal")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
    context.load_cert_chain(mine["certificate"], mine["key"])
    context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(reply("[1]"))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    return server, server.sockets[0].getsockname()[1]


async def test_shards_are_spoken_to_in_tls_and_must_be_who_they_say(
    start_gateway: Any, authority: trustme.CA, tmp_path: Path
) -> None:
    server, port = await tls_shard(authority, tmp_path / "shard")
    ours = issue(authority, tmp_path / "gateway", "gateway.internal")
    entry = {"url": f"https://127.0.0.1:{port}", "ca": str(tmp_path / "gateway" / "ca.pem"), **ours}
    right = await start_gateway({"shards": {"secret-north": {**entry, "server_name": "shard.internal"}}, **RULES})
    for _ in range(3):
        assert (await right.get("/any")).text == "[1]"
    for wrong in (
        {**entry},  # its certificate is not 127.0.0.1's
        {**entry, "server_name": "other.internal"},
        {"url": entry["url"], "server_name": "shard.internal"},  # signed by nobody the system knows
        {"url": f"http://127.0.0.1:{port}"},
    ):
        gateway = await start_gateway({"shards": {"secret-north": wrong}, **RULES})
        response = await gateway.get("/any")
        assert response.status_code in {502, 503}
        assert "secret" not in response.text
        assert "certificate" not in response.text
    server.close()


async def test_a_shard_that_takes_connections_and_answers_no_handshake_is_given_up_in_time(
    start_gateway: Any, authority: trustme.CA, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ours = issue(authority, tmp_path / "gateway", "gateway.internal")
        entry = {
            "url": f"https://127.0.0.1:{silent.getsockname()[1]}",
            "ca": str(tmp_path / "gateway" / "ca.pem"),
            **ours,
        }
        config = {"shards": {"secret-north": entry}, "timeouts": {"connect_timeout_s": 0.2}, **RULES}
        gateway = await start_gateway(config)
        assert (await gateway.get("/any")).status_code == 503
    assert "no connection with TLS within connect_timeout_s (0.2 s)" in caplog.text


def test_files_that_do_not_fit_are_a_mistake_of_the_configuration(authority: trustme.CA, tmp_path: Path) -> None:
    one, other = issue(authority, tmp_path / "one", "a.example"), issue(authority, tmp_path / "other", "b.example")
    file = tmp_path / "shardgate.yaml"
    text = "rules: {GET /any: {rule: any}}\nshards: {north: {url: 'https://127.0.0.1:1', ca: nowhere.pem}}\n"
    file.write_text(text + f"tls: {{certificate: {one['certificate']}, key: {other['key']}}}\n")
    with pytest.raises(ConfigError) as raised:
        read(file)
    assert [mistake.path for mistake in raised.value.mistakes] == ["tls", "shards.north"]
    assert "nowhere.pem" in raised.value.mistakes[1].problem


@pytest.mark.parametrize(
    ("sent", "forwarded", "proto", "standard"),
    [
        ("", "127.0.0.1", "http", []),
        ("X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n", "198.51.100.7, 127.0.0.1", "https", []),
        ("X-Forwarded-For: 6.6.6.6, 198.51.100.7\r\n", "6.6.6.6, 198.51.100.7, 127.0.0.1", "http", []),
        ("X-Forwarded-Proto: gopher\r\n", "127.0.0.1", "http", []),
        ("Forwarded: for=198.51.100.7\r\n", "127.0.0.1", "http", []),
    ],
)
async def test_a_trusted_proxy_is_believed(
    start_shard: Any, start_gateway: Any, sent: str, forwarded: str, proto: str, standard: list[str]
) -> None:
    shard = await start_shard(lambda asked: reply(asked.body))
    for trusted, is_believed in ((["127.0.0.0/8"], True), (["10.0.0.0/8"], False), ([], False)):
        shard.asked.clear()
        gateway = await start_gateway({"shards": {"north": shard.url}, "trusted_proxies": trusted, **RULES})
        await gateway.raw(f"GET /any HTTP/1.1\r\nHost: a\r\n{sent}\r\n".encode())
        asked: Asked = shard.asked[0]
        assert asked.field("x-forwarded-for") == [forwarded if is_believed else "127.0.0.1"]
        assert asked.field("x-forwarded-proto") == [proto if is_believed else "http"]
        assert asked.field("forwarded") == (standard if is_believed else [])


async def test_proxies_may_say_it_in_forwarded(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(lambda asked: reply(asked.body))
    said = {"header": "Forwarded", "also": ["X-Forwarded-Host"]}
    sent = "Forwarded: for=198.51.100.7;proto=https\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: shop.example\r\n"
    for trusted, host, standard in (
        ("127.0.0.0/8", ["shop.example"], "for=198.51.100.7;proto=https, for=127.0.0.1;proto=http"),
        ("10.0.0.0/8", [], "for=127.0.0.1;proto=http"),
    ):
        shard.asked.clear()
        config = {"shards": {"north": shard.url}, "trusted_proxies": [trusted], "forwarded": said, **RULES}
        gateway = await start_gateway(config)
        await gateway.raw(f"GET /any HTTP/1.1\r\nHost: a\r\n{sent}\r\n".encode())
        asked: Asked = shard.asked[0]
        assert asked.field("forwarded") == [standard]
        assert asked.field("x-forwarded-for") == ["198.51.100.7, 127.0.0.1" if host else "127.0.0.1"]
        assert asked.field("x-forwarded-host") == host
