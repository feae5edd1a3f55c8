"""The subject itself, by the contract of its peers: the one place where the bench's shardgate.yaml is written.

All its features are on: routes, limits, deadlines, locators, what it learns, metrics, an access log with a line for
every request. Its peers keep no log here, as they would be compared by whoever wants the least from them.

Its hot modules are compiled, as in a wheel of `make wheel`; where they cannot be, it runs as it is, and says so.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

import shardgate
from bench.peers import CACHE, Command, MissingError, Say, Site, Work
from bench.peers.python_venv import environment_with_project


class Shardgate:
    """From this checkout, or from another one, which must be compiled: `source`."""

    works = frozenset({Work.RELAY, Work.GATHER, Work.LIST})

    def __init__(self, name: str = "shardgate", workers: int = 1, *, source: Path | None = None) -> None:
        self.name = name
        self._workers = workers
        self._source = source
        self._python = ""

    def install(self, cache: Path, say: Say) -> str:
        """Compile it."""
        if self._source is not None:
            self._python = str(environment_with_project(self._source / ".bench", say, self._source) / "python")
        else:
            self._python = _installed(cache, say)
        how = "not compiled" if self._python == sys.executable else "compiled"
        said = subprocess.run([self._python, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        return f"{shardgate.__version__}, {how}, {said}"

    @property
    def python(self) -> str:
        """The Python that has it."""
        return self._python or _compiled()

    def command(self, site: Site) -> Command:
        """Write its configuration."""
        config = site.folder / "shardgate.yaml"
        config.write_text(yaml.safe_dump({**config_of(site), "workers": self._workers}))
        return Command([self.python, "-I", "-m", "shardgate", "serve", "-c", str(config)], cores=self._workers)


def _installed(cache: Path, say: Say) -> str:
    """The Python that has this checkout compiled; this one, uncompiled, where that cannot be."""
    try:
        environment_with_project(cache, say)
    except MissingError as error:
        say(f"not compiled: {error}")
    return _compiled()


def _compiled() -> str:
    compiled = CACHE / "venv-shardgate" / "bin" / "python"
    return str(compiled) if (compiled.parents[1] / "made").exists() else sys.executable


def config_of(site: Site) -> dict[str, Any]:
    """Its configuration, but for the number of workers."""
    by_id = {"rule": "one", "key": "path.id", "locate": "event"}
    merge = {
        "kind": "list",
        "dialect": {"kind": "offset", "limit_default": 100_000, "count_header": "X-Total_Count"},
        "keys": {"id": "text", "name": "text"},
    }
    return {
        "listen": f"127.0.0.1:{site.port}",
        "admin": "127.0.0.1:0",
        "access_log": str(site.folder / "access.log"),
        "shards": {f"s{n}": f"http://127.0.0.1:{port}" for n, port in enumerate(site.shards)},
        "locators": {"event": [{"kind": "hash"}]},
        "rules": {
            "GET /v3/events": {"rule": "gather", "merge": merge, "learn": {"event": "id"}},
            "GET /v3/events/{id}": by_id,
            "GET /v3/documents/{id}": by_id,
            "GET /v3/files/{id}": by_id,
            "PUT /v3/files/{id}": by_id,
        },
        "timeouts": {"request_timeout_s": 60},
    }
