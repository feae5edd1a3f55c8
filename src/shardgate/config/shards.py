"""The `shards` of shardgate.yaml: names, addresses, aliases, and the files that TLS towards them is made of.

Holds: no two shards have one address and base path: their rows would count twice.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shardgate.config.schema import Config, ShardConfig
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.topology import Shard, TlsFiles

_HOST = re.compile(r"[\w.:%-]+")
# Without empty segments; a `;` or an encoded separator would be read differently by different servers.
_BASE = re.compile(r"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%(?!2[Ff]|5[Cc]|00)[0-9A-Fa-f]{2})+)*/?")


def read_shards(config: Config, path: Path, mistakes: list[Mistake]) -> dict[str, Shard]:
    """The shards, each with its address and its TLS; what is wrong with one is added to the mistakes."""
    shards: dict[str, Shard] = {}
    for name, given in config.shards.items():
        entry: ShardConfig | None
        before = len(mistakes)
        entry = ShardConfig(url=given) if isinstance(given, str) else _entry(name, given, mistakes)
        if entry is None or len(mistakes) > before:
            continue
        address = _address(entry.url)
        if address is None:
            cure = "write it as `http://host:port`, `https://host:port` or `http://host:port/path`"
            mistakes.append(Mistake(f"shards.{name}", f"{entry.url!r} is no address of a shard", cure))
            continue
        host, port, base = address
        same = (shard.id for shard in shards.values() if (shard.host, shard.port, shard.base) == address)
        twin = next(same, None)
        if twin is not None:
            cure = "give each shard an instance of its own"
            mistakes.append(
                Mistake(f"shards.{name}", f"{entry.url!r} is {twin} already: its rows would count twice", cure)
            )
        shards[name] = Shard(name, host, port, entry.alias or name, _tls(name, entry, path, mistakes), base)
    if not config.shards and not any(mistake.problem.endswith("`shards`") for mistake in mistakes):
        mistakes.append(Mistake("shards", "there is no shard", "add `north: http://127.0.0.1:8101`"))
    return shards


def _address(text: str) -> tuple[str, int, str] | None:
    """The host, the port and the base path."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:  # a port beyond 65535, an unclosed bracket
        return None
    try:
        (url.hostname or "").encode("idna")  # as it is looked up; a label is 1 to 63 characters long
    except UnicodeError:
        return None
    if (
        url.scheme not in {"http", "https"}
        or not url.hostname
        or not _HOST.fullmatch(url.hostname)
        or not _BASE.fullmatch(url.path)
        or any(segment in {".", ".."} for segment in unquote(url.path).split("/"))
        or any(mark in text for mark in "?#")
        or "@" in url.netloc
    ):
        return None
    return url.hostname, port or (443 if url.scheme == "https" else 80), url.path.rstrip("/")


def _tls(name: str, entry: ShardConfig, path: Path, mistakes: list[Mistake]) -> TlsFiles | None:
    certificate, key, ca = beside(path, entry.certificate, entry.key, entry.ca)
    files = TlsFiles(certificate, key, ca, entry.server_name)
    if entry.url.lower().startswith("https:"):
        return files
    if files != TlsFiles():
        cure = "write its URL with `https://`, or leave the files out"
        mistakes.append(Mistake(f"shards.{name}", "it names files for TLS, but is spoken to without", cure))
    return None


def beside(path: Path, *names: str | None) -> list[str | None]:
    """The same files, as seen from the configuration's folder."""
    return [None if name is None else str(path.parent / name) for name in names]


def _entry(name: str, given: object, mistakes: list[Mistake]) -> ShardConfig | None:
    entry: ShardConfig | None = convert_all(given, ShardConfig, f"shards.{name}", mistakes)
    return entry
