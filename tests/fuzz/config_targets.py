"""Readers of what an operator or an application writes: the configuration, and the document of the API."""

import tempfile
from pathlib import Path

from shardgate.config.load import ConfigError, load
from tests.fuzz.target import Target


def config(data: bytes) -> None:
    """A configuration is served, or its mistakes are named."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shardgate.yaml").write_bytes(data)
        load(Path(folder) / "shardgate.yaml")


_BEFORE = b"shards: {a: 'http://127.0.0.1:1'}\nopenapi: openapi.yaml\n"


def document(data: bytes) -> None:
    """The same of a document."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shardgate.yaml").write_bytes(_BEFORE)
        (Path(folder) / "openapi.yaml").write_bytes(data)
        load(Path(folder) / "shardgate.yaml")


_BEFORE_JSON = _BEFORE.replace(b".yaml", b".json")


def document_json(data: bytes) -> None:
    """The same of a document in JSON."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shardgate.yaml").write_bytes(_BEFORE_JSON)
        (Path(folder) / "openapi.json").write_bytes(data)
        load(Path(folder) / "shardgate.yaml")


CONFIG: dict[str, Target] = {
    "config": Target(
        config,
        (ConfigError,),
        (
            b"shards: {a: 'http://127.0.0.1:1', b: {url: 'http://127.0.0.1:2', alias: x}}\nlisten: 127.0.0.1:80\n"
            b"locators: {v: [{kind: hash}]}\nrules:\n"
            b"  GET /a/{id}: {rule: one, key: path.id, locate: v}\n  GET /h: {rule: any}\n",
            b"shards: {a: 'http://127.0.0.1:1'}\nlimits: {held_bytes_max: 5}\n"
            b"timeouts: {connect_timeout_s: 1}\ntrusted_proxies: [10.0.0.0/8]\nrules:\n  GET /l:\n    rule: gather\n"
            b"    merge: {kind: list, dialect: {kind: offset, limit_default: 5}, keys: {id: text}}\n",
        ),
    ),
    "document": Target(
        document,
        (ConfigError,),
        (
            b"openapi: 3.1.0\npaths:\n  /a/{id}:\n    get: {x-shardgate: {rule: any}}\n",
            b"openapi: 3.0.0\npaths: {/b: {get: {x-shardgate: {rule: any}}}}\n",
        ),
    ),
    "document_json": Target(
        document_json,
        (ConfigError,),
        (
            b'{"openapi":"3.0.0","paths":{"/b":{"get":{"x-shardgate":{"rule":"any"}}}},'
            b'"x-shardgate":{"locators":{"v":[{"kind":"hash"}]}}}',
        ),
    ),
}
