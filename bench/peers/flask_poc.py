"""The proofs of concept of the original study, in Flask under gunicorn (`bench/flask_poc`).

PoC 2 relays and combines. PoC 1 answers lists from its copy of all the data; it has no details here, for those of the
stub shards are of no event in their lists. It is no peer of `make bench`, since it can count only the rows that it has,
and the stub shards state others; and its price is not in the request: `make study` measures what it shows late.
"""

from collections.abc import Mapping
from pathlib import Path

from bench.peers import CACHE, Command, Say, Site, Work
from bench.peers.python_venv import environment_with

_ROOT = CACHE.parent
_REQUIREMENTS = ["flask==3.1.3", "gunicorn==27.0.1", "requests==2.34.2"]
_PROGRAMS = CACHE / "venv-flask" / "bin"
PYTHON = _PROGRAMS / "python"
ENVIRONMENT: Mapping[str, str] = {"PYTHONPATH": str(_ROOT)}
_WORKERS, _THREADS = 2, 8
"""On one core more of either costs requests: threads take the interpreter's lock from each other."""


class FlaskRelay:
    """PoC 2."""

    name = "Flask relay (PoC 2)"
    works = frozenset({Work.RELAY, Work.GATHER})

    def install(self, cache: Path, say: Say) -> str:
        """Install what both need."""
        return _install(cache, say)

    def command(self, site: Site) -> Command:
        """Two processes of eight threads."""
        shards = ",".join(f"http://127.0.0.1:{port}" for port in site.shards)
        return Command(gunicorn("relay", site.port), {**ENVIRONMENT, "SHARDS": shards, "THREADS": str(_THREADS)})


class FlaskCopy:
    """PoC 1."""

    name = "Flask copy (PoC 1)"
    works = frozenset({Work.GATHER})

    def install(self, cache: Path, say: Say) -> str:
        """Install what both need."""
        return _install(cache, say)

    def command(self, site: Site) -> Command:
        """Fills its copy, then serves it and polls the shards each second."""
        # 50 rows of each stub shard, of which any first page of fewer is the same.
        platforms = [part for port in site.shards for part in ("--platform", f"http://127.0.0.1:{port}")]
        return beside(site.port, ["--copy", str(site.folder / "copy.db"), "--also", "made=50", *platforms])


def beside(port: int, options: list[str], environment: Mapping[str, str] | None = None) -> Command:
    """PoC 1 whole: synchroniser and server. It listens once its copy is filled."""
    command = [str(PYTHON), "-m", "bench.flask_poc.synchroniser", *options, "--server", *gunicorn("copied", port)]
    return Command(command, {**ENVIRONMENT, **(environment or {})})


def gunicorn(app: str, port: int) -> list[str]:
    """Serves an app of `bench/flask_poc`."""
    return [
        str(_PROGRAMS / "gunicorn"), f"bench.flask_poc.{app}:app", f"--bind=127.0.0.1:{port}",
        "--worker-class=gthread", f"--workers={_WORKERS}", f"--threads={_THREADS}", "--keep-alive=75",
        "--worker-connections=20000", "--graceful-timeout=2", "--no-control-socket", "--log-level=warning",
    ]  # fmt: skip


def _install(cache: Path, say: Say) -> str:
    environment_with(cache, "flask", _REQUIREMENTS, say)
    return " ".join(_REQUIREMENTS[:2]).replace("==", " ")
