"""Where metrics are pushed to: what the configuration says, checked."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from shardgate.config.schema import OtlpConfig
from shardgate.core.hosts import is_loopback
from shardgate.core.routes.mistakes import Mistake

_HEADER = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=([\x20-\x7e]*)")
_RESERVED = frozenset({"content-type", "content-encoding", "content-length", "host", "transfer-encoding", "connection"})


class MetricsPush(msgspec.Struct, frozen=True):
    """A receiver of metrics."""

    host: str
    port: int
    path: str
    is_tls: bool
    every_s: float
    timeout_s: float
    headers: Mapping[str, str]
    """What the receiver knows the gateway by: they are secrets."""
    attributes: Mapping[str, str]
    ca: Path | None


def read_otlp(
    given: OtlpConfig | None, folder: Path, environment: Mapping[str, str], mistakes: list[Mistake]
) -> MetricsPush | None:
    """Where to push; what is wrong with it is added to the mistakes."""
    if given is None:
        return None
    before = len(mistakes)
    mistakes += _wrong_url(given.url)
    if len(mistakes) > before:
        return None
    url = urlsplit(given.url)
    host, is_tls = url.hostname or "", url.scheme == "https"
    headers = _headers(given, folder, environment, mistakes)
    if headers and not is_tls and not is_loopback(host):
        cure = "write `https://…`, or push to a collector on this machine"
        mistakes.append(Mistake("otlp.url", "the secrets in its headers would travel in the clear", cure))
    ca = folder / given.ca if given.ca is not None else None
    if ca is not None and not ca.is_file():
        mistakes.append(Mistake("otlp.ca", f"{ca} does not exist", "name a PEM file with the receiver's authority"))
    port = url.port or (443 if is_tls else 4318)
    path = f"{url.path or '/v1/metrics'}{'?' if url.query else ''}{url.query}"
    return MetricsPush(host, port, path, is_tls, given.every_s, given.timeout_s, headers, given.attributes, ca)


def _wrong_url(given: str) -> Iterator[Mistake]:
    cure = "write it as `http://127.0.0.1:4318/v1/metrics`"
    try:
        url = urlsplit(given)
        known = url.scheme in {"http", "https"} and url.hostname and url.port != 0
    except ValueError:
        known = None
    if not known or not re.fullmatch(r"[\x21-\x7e]+", given):
        yield Mistake("otlp.url", f"{given!r} is no address of a receiver", cure)
    elif url.username is not None or url.fragment:
        yield Mistake("otlp.url", "it has a user or a fragment", f"{cure}; secrets belong into `headers_file`")


def _headers(
    given: OtlpConfig, folder: Path, environment: Mapping[str, str], mistakes: list[Mistake]
) -> dict[str, str]:
    if given.headers_env is not None and given.headers_file is not None:
        mistakes.append(Mistake("otlp.headers_file", "`headers_env` is given, too", "keep one of the two"))
        return {}
    if given.headers_env is not None:
        where, text = "otlp.headers_env", environment.get(given.headers_env)
        if text is None:
            problem = f"there is no variable {given.headers_env}"
            mistakes.append(Mistake(where, problem, "set it to `name=value,name=value`"))
            return {}
    elif given.headers_file is not None:
        where = "otlp.headers_file"
        try:
            text = (folder / given.headers_file).read_text()
        except (OSError, ValueError):
            mistakes.append(Mistake(where, "the file cannot be read", "name a file that the gateway may read"))
            return {}
    else:
        return {}
    found = {}
    for part in re.split(r"[,\n]", text):
        if not part.strip():
            continue
        matched = _HEADER.fullmatch(part)
        value = unquote(matched[2].strip()) if matched else ""
        if matched is None or not re.fullmatch(r"[\x20-\x7e]+", value) or matched[1].lower() in _RESERVED:
            cure = "write `name=value,name=value`, with percent-encoded values"
            mistakes.append(Mistake(where, "it names no header fields", cure))
            return {}
        found[matched[1]] = value
    return found
