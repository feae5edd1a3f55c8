"""For each rule of the audit: a configuration in which it finds something, and a safe one that is nearly the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import trustme
import yaml

SECRET = "0123456789abcdef" * 4
ITEMS = {"rule": "divide", "key": "vendor", "locate": "vendor", "mode": "read"}
PLACE = {"rule": "one", "key": "path.id", "locate": "vendor"}


def _configured(folder: Path, **sections: Any) -> Path:
    """A configuration that no rule finds anything in, with these sections in place of its own."""
    config = {
        "shards": {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"},
        "locators": {"vendor": [{"kind": "hash"}], "event": [{"kind": "probe", "path": "/events/{key}"}]},
        "rules": {"GET /events/{id}": PLACE},
        **sections,
    }
    file = folder / "shardgate.yaml"
    file.write_text(yaml.safe_dump({name: value for name, value in config.items() if value is not None}))
    return file


def _with_secret(mode: int) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        (folder / "cursors.secret").write_text(SECRET)
        (folder / "cursors.secret").chmod(mode)
        return _configured(folder, cursors={"secret_file": "cursors.secret"})

    return made


def _with_store(mode: int) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        (folder / "store.db").touch()
        (folder / "store.db").chmod(mode)
        return _configured(folder, store="store.db")

    return made


def _in_folder(mode: int) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        (folder / "data").mkdir()
        (folder / "data").chmod(mode)
        return _configured(folder, store="data/store.db")

    return made


def _with_log(mode: int) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        (folder / "access.log").touch()
        (folder / "access.log").chmod(mode)
        return _configured(folder, access_log="access.log")

    return made


def _with_mode(mode: int) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        file = _configured(folder)
        file.chmod(mode)
        return file

    return made


def _with_tls(folder: Path, **sections: Any) -> Path:
    authority = trustme.CA()
    served = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    served.private_key_and_cert_chain_pem.write_to_path(folder / "cert.pem")
    (folder / "cert.pem").chmod(0o600)
    return _configured(folder, tls={"certificate": "cert.pem", "client_ca": "ca.pem"}, **sections)


def _of(**sections: Any) -> Callable[[Path], Path]:
    return lambda folder: _configured(folder, **sections)


def _classes(**match: Any) -> Callable[[Path], Path]:
    gold = {"name": "gold", "match": [{"header": {"X-Tier": ["gold"]}, **match}]}
    return _of(clients={"classes": [gold, {"name": "others"}]}, trusted_proxies=["10.0.0.1"])


def _clients(folder: Path, *, jwks: bool = False, jwt: dict[str, Any] | None = None, **more: Any) -> Path:
    (folder / "tokens.secret").write_text(SECRET)
    (folder / "tokens.secret").chmod(0o600)
    keys: dict[str, Any] = {"algorithms": ["HS256"], "key_file": "tokens.secret"}
    if jwks:
        keys = {"algorithms": ["RS256"], "jwks_url": "https://127.0.0.1:1/jwks"}
    return _configured(folder, store="store.db", clients={"jwt": {**keys, **(jwt or {})}, **more})


_JOURNALED = {"POST /events": {"rule": "every", "mode": "eventual", "repeat": True}}


def _bound(key: Any) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        file = _clients(folder)
        config = yaml.safe_load(file.read_text())
        config["rules"] = {"POST /orders": {"rule": "one", "key": key, "locate": "vendor"}}
        return _rewritten(file, config)

    return made


def _rewritten(file: Path, config: dict[str, Any]) -> Path:
    file.write_text(yaml.safe_dump(config))
    return file


def _list_that_lacks(missing: Any) -> dict[str, Any]:
    merge = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}
    return {"GET /events": {"rule": "gather", "missing": missing, "merge": merge}}


class Case(NamedTuple):
    """How to write both configurations into a folder."""

    bad: Callable[[Path], Path]
    safe: Callable[[Path], Path]


_TCP = {"listen": "0.0.0.0:0", "trusted_proxies": ["10.0.0.0/8"]}
_QUOTA = {"calls": 10}

CASES = {
    "SGA01": Case(_with_secret(0o640), _with_secret(0o600)),
    "SGA02": Case(_with_store(0o640), _with_store(0o600)),
    "SGA03": Case(_in_folder(0o1777), _in_folder(0o755)),
    "SGA04": Case(_with_mode(0o646), _with_mode(0o664)),
    "SGA10": Case(_of(admin="[::]:0"), _of(admin="[::1]:0")),
    "SGA11": Case(_of(trusted_proxies=["10.0.0.0/8", "0.0.0.0/1"]), _of(trusted_proxies=["10.0.0.0/8", "fd00::/8"])),
    "SGA12": Case(
        _of(shards={"north": "http://north.internal:80"}),
        _of(shards={"north": "https://north.internal:80", "south": "http://localhost:1"}),
    ),
    "SGA13": Case(_of(listen="0.0.0.0:0"), lambda folder: _with_tls(folder, listen="0.0.0.0:0")),
    "SGA14": Case(_of(request_trailers="pass"), _of(request_trailers="drop")),
    "SGA20": Case(
        _of(**_TCP, store="store.db", rules=_JOURNALED),
        lambda folder: _with_tls(folder, **_TCP, store="store.db", rules=_JOURNALED),
    ),
    "SGA21": Case(
        lambda folder: _clients(folder, unverified="pass", quota=_QUOTA),
        lambda folder: _clients(folder, unverified="refuse", quota=_QUOTA),
    ),
    "SGA22": Case(
        lambda folder: _clients(folder, jwks=True, jwt={"issuer": "https://i"}),
        lambda folder: _clients(folder, jwks=True, jwt={"issuer": "https://i", "audience": "us"}),
    ),
    "SGA23": Case(_of(idempotency={"client": []}), _of(idempotency={"client": ["X-Api-Key"]})),
    "SGA24": Case(_bound(["claim.vendor", "body.vendor"]), _bound(["claim.vendor"])),
    "SGA25": Case(_classes(header_from="anyone"), _classes(header_from="proxies")),
    "SGA30": Case(_of(access_log={"to": "stdout", "query": True}), _of(access_log="stdout")),
    "SGA31": Case(_with_log(0o644), _with_log(0o640)),
    "SGA40": Case(
        _of(rules={"POST /quotes": {**ITEMS, "locate": "event", "items_max": 5000}}),
        _of(rules={"POST /quotes": {**ITEMS, "locate": "event", "items_max": 50}}),
    ),
    "SGA41": Case(_of(limits={"held_bytes_max": 2**33}), _of(limits={"held_bytes_max": 2**30})),
    "SGA42": Case(_of(timeouts={"client_header_timeout_s": 600}), _of(timeouts={"client_header_timeout_s": 60})),
    "SGA43": Case(
        _of(rules={"GET /events/{id}": {**PLACE, "not_here": [404, 403]}}),
        _of(rules={"GET /events/{id}": {**PLACE, "not_here": [404, 410]}}),
    ),
    "SGA44": Case(
        lambda folder: _lasting(folder, 90 * 86_400),
        lambda folder: _lasting(folder, 7 * 86_400),
    ),
    "SGA45": Case(
        _of(rules=_list_that_lacks("partial")),
        _of(rules=_list_that_lacks({"answer": "strict", "clients": ["partial"]})),
    ),
    "SGA46": Case(
        _of(shards={"north": {"url": "http://127.0.0.1:1", "failover": {"wait_s": 30}}, "south": "http://127.0.0.1:2"}),
        _of(shards={"north": {"url": "http://127.0.0.1:1", "failover": {}}, "south": "http://127.0.0.1:2"}),
    ),
}
"""Number of the rule → its two configurations."""


def _lasting(folder: Path, lifetime_s: int) -> Path:
    _with_secret(0o600)(folder)
    return _configured(folder, cursors={"secret_file": "cursors.secret", "lifetime_s": lifetime_s})
