"""KrakenD CE: an aggregating gateway. It merges lists with its flatmap filter; it neither sorts nor pages them."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bench.peers import CACHE, Command, MissingError, Say, Site, Work
from bench.peers.golang import go_command, run_go

_PACKAGE = "github.com/krakendio/krakend-ce/v2/cmd/krakend-ce@latest"


class KrakenD:
    """The program `krakend` of this machine, or built by the Go toolchain from the module proxy."""

    name = "KrakenD"
    works = frozenset({Work.LIST})

    def install(self, cache: Path, say: Say) -> str:
        """Look for it, or build it."""
        if _find() is None:
            say("building KrakenD CE: some minutes, once")
            try:
                run_go([go_command(), "install", _PACKAGE], binaries=cache)
            except MissingError as error:
                how = "put `krakend` on the PATH (https://www.krakend.io/download/), or let the Go toolchain build it"
                raise MissingError(f"{how}; {error}") from error
        done = subprocess.run([_binary(), "version"], capture_output=True, text=True, check=False)
        version = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
        return version[0] if version else "latest"

    def command(self, site: Site) -> Command:
        """Write its configuration."""
        config = site.folder / "krakend.json"
        config.write_text(json.dumps(_config(site)))
        return Command([_binary(), "run", "-c", str(config)], {"GOMAXPROCS": "1"})


def _find() -> str | None:
    built = CACHE / "krakend-ce"
    return str(built) if built.exists() else shutil.which("krakend")


def _binary() -> str:
    found = _find()
    if found is None:
        raise MissingError("krakend is not on the PATH")
    return found


def _config(site: Site) -> dict[str, Any]:
    names = [f"s{n}" for n in range(len(site.shards))]
    backends = [
        {
            "host": [f"http://127.0.0.1:{port}"],
            "url_pattern": "/v3/events",
            "is_collection": True,
            "mapping": {"collection": name},
            "disable_host_sanitize": True,
        }
        for name, port in zip(names, site.shards, strict=True)
    ]
    # Each list under a name of its own, then all appended to the first, which becomes the reply's.
    filters = [{"type": "append", "args": [name, names[0]]} for name in names[1:]]
    filters += [{"type": "del", "args": [name]} for name in names[1:]]
    filters += [{"type": "move", "args": [names[0], "collection"]}]
    endpoint = {
        "endpoint": "/v3/events",
        "output_encoding": "json-collection",
        "input_query_strings": ["*"],
        "input_headers": ["Authorization", "Accept", "Accept-Language", "User-Agent", "Cache-Control"],
        "backend": backends,
        "extra_config": {"proxy": {"flatmap_filter": filters}},
    }
    return {
        "version": 3,
        "port": site.port,
        "listen_ip": "127.0.0.1",
        "timeout": "30s",
        "max_idle_connections": 4096,
        "max_idle_connections_per_host": 1024,
        "endpoints": [endpoint],
        "extra_config": {
            "telemetry/logging": {"level": "CRITICAL", "stdout": False},
            "router": {"disable_access_log": True},
        },
    }
