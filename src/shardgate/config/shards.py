"""The `shards` of shardgate.yaml: names, addresses, aliases, and the files that TLS towards them is made of.

Holds: no two shards have one address and base path: their rows would count twice.
"""

import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from shardgate.config.schema import Config, DiscoveryConfig, ReplicaConfig, ShardConfig
from shardgate.core.hosts import address_in, server_of
from shardgate.core.replicas.membership import Discovery
from shardgate.core.replicas.settings import Member, ReplicaGuards
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.topology import Instance, Shard, TlsFiles

_PATH = re.compile(r"/[!-~]*")
_LABELS = re.compile(r"^(?:_[\w-]+\.)+")  # those of a service: `_http._tcp.`
_HOST = re.compile(r"[\w.:%-]+")
# Without empty segments; a `;` or an encoded separator would be read differently by different servers.
_BASE = re.compile(r"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%(?!2[Ff]|5[Cc]|00)[0-9A-Fa-f]{2})+)*/?")


def read_shards(config: Config, path: Path, mistakes: list[Mistake]) -> dict[str, Shard]:
    """The shards, each with its addresses and its TLS; what is wrong with one is added to the mistakes."""
    shards: dict[str, Shard] = {}
    taken: dict[tuple[str, int, str], str] = {}
    for name, given in config.shards.items():
        before = len(mistakes)
        entry = ShardConfig(url=given) if isinstance(given, str) else _entry(name, given, mistakes)
        if entry is None or len(mistakes) > before:
            continue
        replicas, base = _replicas(name, entry, taken, mistakes)
        if not replicas:
            continue
        discovery = _discovery(entry)
        shards[name] = Shard(
            name,
            _LABELS.sub("", replicas[0].host),
            replicas[0].port,
            entry.alias or name,
            _tls(name, entry, path, mistakes),
            base,
            replicas if discovery is None and _is_guarded(entry) else (),
            discovery,
            entry.health,
            entry.guards,
            config.zone,
            entry.failover,
        )
    for server in config.resolver.servers:
        if server_of(server) is None:
            cure = "write the address of a DNS server: `10.0.0.2` or `10.0.0.2:5353`"
            mistakes.append(Mistake("resolver.servers", f"{server!r} is no address", cure))
    if not config.shards and not any(mistake.problem.endswith("`shards`") for mistake in mistakes):
        mistakes.append(Mistake("shards", "there is no shard", "add `north: http://127.0.0.1:8101`"))
    return shards


def _replicas(
    name: str, entry: ShardConfig, taken: dict[tuple[str, int, str], str], mistakes: list[Mistake]
) -> tuple[tuple[Instance, ...], str]:
    """The instances that serve a shard, and their base path; none where one of them is a mistake."""
    place = f"shards.{name}"
    if (entry.url is None) == (not entry.replicas):
        cure = "write `url`, or `replicas` where several instances serve the same data"
        mistakes.append(Mistake(place, "it needs `url` or `replicas`, and not both", cure))
        return (), ""
    before = len(mistakes)
    found: list[Instance] = []
    ways: set[tuple[str, str]] = set()
    for instance in _instances(place, entry, mistakes):
        address = _address(instance.url)
        if address is None:
            cure = "write it as `http://host:port`, `https://host:port` or `http://host:port/path`"
            mistakes.append(Mistake(place, f"{instance.url!r} is no address of a shard", cure))
            continue
        _check_twin(place, name, instance.url, taken.get(address), mistakes)
        taken[address] = name
        host, port, base = address
        ways.add((instance.url.partition(":")[0].lower(), base))
        found.append(Instance(host, port, Member(instance.weight, instance.zone, instance.write)))
    if len(ways) > 1:
        cure = "write all with `http://` or all with `https://`, and with the same path"
        mistakes.append(Mistake(place, "its replicas differ in more than their host and port", cure))
    _check_shard(place, entry, found, mistakes)
    return (tuple(found), next(iter(ways))[1]) if len(mistakes) == before else ((), "")


def _is_guarded(entry: ShardConfig) -> bool:
    """Whether what a call goes to is chosen and checked: also one address may have health checks, and a breaker."""
    return bool(entry.replicas) or entry.health is not None or entry.guards != ReplicaGuards()


def _check_twin(place: str, shard: str, url: str, twin: str | None, mistakes: list[Mistake]) -> None:
    if twin == shard:
        mistakes.append(Mistake(place, f"{url!r} is written twice", "write each replica once"))
    elif twin is not None:
        cure = "give each shard an instance of its own"
        mistakes.append(Mistake(place, f"{url!r} is {twin} already: its rows would count twice", cure))


def _check_shard(place: str, entry: ShardConfig, found: list[Instance], mistakes: list[Mistake]) -> None:
    if entry.health is not None and not _PATH.fullmatch(entry.health.path):
        cure = "write it as `/readyz`, percent-encoded"
        mistakes.append(Mistake(f"{place}.health.path", f"{entry.health.path!r} is no path", cure))
    if found and not any(replica.member.takes_changes for replica in found):
        mistakes.append(Mistake(place, "none of its replicas takes changes", "leave `write: false` out for one"))


def _check_discovery(place: str, given: DiscoveryConfig, mistakes: list[Mistake]) -> str | None:
    """The URL by which replicas are found; None where it is a mistake."""
    place, before = f"{place}.replicas", len(mistakes)
    if (given.dns is None) == (given.srv is None):
        cure = "write `dns: http://north.shards.local:8000`, or `srv: http://_http._tcp.north.shards.local`"
        mistakes.append(Mistake(place, "it needs `dns` or `srv`, and not both", cure))
    elif find_spec("dns") is None:
        mistakes.append(Mistake(place, "looking replicas up needs dnspython", "pip install 'shardgate[dns]'"))
    url = given.dns or given.srv or ""
    address = _address(url)
    if address is not None and address_in(address[0]) is not None:
        mistakes.append(Mistake(place, f"{url!r} has an address where a name is needed", "write it as `url`"))
    if given.srv is not None and address is not None and urlsplit(given.srv).port is not None:
        mistakes.append(Mistake(place, f"{url!r} has a port, and SRV records have one, too", "leave the port out"))
    return url if len(mistakes) == before else None


def _discovery(entry: ShardConfig) -> Discovery | None:
    """Where the replicas are found."""
    given = entry.replicas
    if not isinstance(given, DiscoveryConfig):
        return None
    host, port, _ = _address(given.dns or given.srv or "") or ("", 0, "")
    return Discovery(host, port if given.dns is not None else None)


def _instances(place: str, entry: ShardConfig, mistakes: list[Mistake]) -> list[ReplicaConfig]:
    if isinstance(entry.replicas, DiscoveryConfig):
        url = _check_discovery(place, entry.replicas, mistakes)
        return [] if url is None else [ReplicaConfig(url=url)]
    if entry.url is not None:
        return [ReplicaConfig(url=entry.url)]
    read = [
        ReplicaConfig(url=one)
        if isinstance(one, str)
        else convert_all(one, ReplicaConfig, f"{place}.replicas[{at}]", mistakes)
        for at, one in enumerate(entry.replicas)
    ]
    return [instance for instance in read if instance is not None]


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
    if _is_tls(entry):
        discovery = _discovery(entry)
        if discovery is not None and files.server_name is None:  # replicas are called by their addresses
            return msgspec.structs.replace(files, server_name=_LABELS.sub("", discovery.name))
        return files
    if files != TlsFiles():
        cure = "write its URL with `https://`, or leave the files out"
        mistakes.append(Mistake(f"shards.{name}", "it names files for TLS, but is spoken to without", cure))
    return None


def _is_tls(entry: ShardConfig) -> bool:
    if isinstance(entry.replicas, DiscoveryConfig):
        url = entry.replicas.dns or entry.replicas.srv or ""
    else:
        first = entry.url or entry.replicas[0]
        url = first if isinstance(first, str) else str(first["url"])
    return url.lower().startswith("https:")


def beside(path: Path, *names: str | None) -> list[str | None]:
    """The same files, as seen from the configuration's folder."""
    return [None if name is None else str(path.parent / name) for name in names]


def _entry(name: str, given: object, mistakes: list[Mistake]) -> ShardConfig | None:
    entry: ShardConfig | None = convert_all(given, ShardConfig, f"shards.{name}", mistakes)
    return entry
