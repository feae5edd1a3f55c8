"""aiohttp as server and client on uvloop, with orjson: Python as most would write a gateway today."""

from pathlib import Path

from bench.peers import CACHE, Command, Say, Site, Work
from bench.peers.python_venv import environment_with

_REQUIREMENTS = ["aiohttp==3.14.5", "orjson==3.13.0", "uvloop==0.22.1"]
_PROGRAM = Path(__file__).resolve().parent / "aiohttp_app.py"


class Aiohttp:
    """In an environment of its own."""

    name = "aiohttp"
    works = frozenset({Work.RELAY, Work.GATHER, Work.LIST})

    def install(self, cache: Path, say: Say) -> str:
        """Install it."""
        environment_with(cache, "aiohttp", _REQUIREMENTS, say)
        return _REQUIREMENTS[0].partition("==")[2]

    def command(self, site: Site) -> Command:
        """One process."""
        python = CACHE / "venv-aiohttp" / "bin" / "python"
        return Command([str(python), str(_PROGRAM), str(site.port), *map(str, site.shards)])
