"""`python -m bench.micro.counting`: what verified tokens and a quota add to a request, in microseconds of CPU."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shardgate.clients.callers import callers_for
from shardgate.clients.quota import tally_for
from shardgate.clients.tokens import Tokens
from shardgate.config.load import Loaded, load
from shardgate.core.http import Request
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.net.client.contracts import Client
from shardgate.store.writer import Writer

ROUNDS, REQUESTS, FIRST = 9, 50_000, 200
SECRET = "a-secret-of-this-bench-that-is-long-enough"


class _Client:
    """A connection that keeps nothing."""

    def annotate(self, lines: bytes) -> None:
        """Said to nobody."""


def main() -> None:
    """Measure each alone; print the medians of several rounds."""
    with tempfile.TemporaryDirectory() as folder:
        request = _request(_token(SECRET, "HS256"))
        subjects = {
            "a token that was seen": _admits(Path(folder), request, None),
            "the same, and its call counted": _admits(Path(folder), request, {"calls": 2**50}),
            "the same, and its reply says what is left": _admits(
                Path(folder), request, {"calls": 2**50, "headers": True}
            ),
        }
        results = {name: [_cpu_us(work, REQUESTS) for _ in range(ROUNDS)] for name, work in subjects.items()}
        for algorithm in ("HS256", "RS256", "ES256"):
            verify = _verifies(Path(folder), algorithm)
            results[f"a token that is new, by {algorithm}"] = [_cpu_us(verify, FIRST) for _ in range(ROUNDS)]
    for name, values in results.items():
        print(f"{name:45}{median(values):8.2f} us   ({min(values):.2f} to {max(values):.2f})")


def _cpu_us(work: Callable[[], Any], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1e6


def _token(key: Any, algorithm: str) -> str:
    claims = {"sub": "marketplace", "vendor": None, "scope": "calendar_read orders_read_all", "exp": 4_000_000_000}
    return jwt.encode(claims, key, algorithm=algorithm)


def _request(token: str) -> Request:
    return RequestHeadParser().parse(f"GET /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n".encode())


def _admits(folder: Path, request: Request, quota: dict[str, Any] | None) -> Callable[[], None]:
    loaded = _loaded(folder, "HS256", SECRET.encode(), quota)
    assert loaded.store is not None
    callers = callers_for(loaded.clients, loaded.routes, tally_for(loaded.clients), Writer(loaded.store))
    assert callers is not None
    route, client = loaded.routes.routes[0], cast("Client", _Client())

    def admit() -> None:
        request.claims = None
        callers.admit(request, route, client, lambda: None)

    return admit


def _verifies(folder: Path, algorithm: str) -> Callable[[], Any]:
    key: Any = SECRET
    if algorithm == "RS256":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    elif algorithm == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
    rules = jwt.get_algorithm_by_name(algorithm)
    jwk = rules.to_jwk(key if algorithm == "HS256" else key.public_key(), as_dict=True)
    loaded = _loaded(folder, algorithm, json.dumps({"keys": [jwk]}).encode(), None)
    assert loaded.clients is not None
    callers = callers_for(loaded.clients, loaded.routes, None, None)
    assert callers is not None
    ring, request = callers.ring, _request(_token(key, algorithm))
    return lambda: Tokens(ring, loaded.clients.tokens).caller(request, 0.0)  # type: ignore[union-attr]


def _loaded(folder: Path, algorithm: str, keys: bytes, quota: dict[str, Any] | None) -> Loaded:
    kind = "jwks_file" if keys.startswith(b"{") else "key_file"
    (folder / "keys").write_bytes(keys)
    clients = {"jwt": {"algorithms": [algorithm], kind: "keys"}, **({"quota": quota} if quota else {})}
    config = {"shards": {"a": "http://127.0.0.1:1"}, "store": "store.db", "rules": {"GET /events": {"rule": "any"}}}
    (folder / "shardgate.yaml").write_text(json.dumps({**config, "clients": clients}))
    return load(folder / "shardgate.yaml")


if __name__ == "__main__":
    main()
