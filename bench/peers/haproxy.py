"""HAProxy: the other limit. One thread, connections to the shard shared and kept, no log."""

import shutil
import subprocess
from pathlib import Path

from bench.peers import Command, MissingError, Say, Site, Work

_CONFIG = """
global
  nbthread 1
  maxconn 4096
  tune.idle-pool.shared on
defaults
  mode http
  timeout connect 1s
  timeout client 75s
  timeout server 30s
  http-reuse always
  option forwardfor
frontend clients
  bind 127.0.0.1:{port} backlog 4096
  default_backend shard
backend shard
  server one 127.0.0.1:{shard} pool-max-conn -1
"""


class HAProxy:
    """From the distribution's package."""

    name = "HAProxy"
    works = frozenset({Work.RELAY})

    def install(self, _cache: Path, _say: Say) -> str:
        """Look for it."""
        said = subprocess.run([_binary(), "-v"], capture_output=True, text=True, check=True).stdout
        return said.split()[2].partition("-")[0]

    def command(self, site: Site) -> Command:
        """Write its configuration."""
        config = site.folder / "haproxy.cfg"
        config.write_text(_CONFIG.format(shard=site.shards[0], port=site.port))
        return Command([_binary(), "-db", "-f", str(config)])


def _binary() -> str:
    binary = shutil.which("haproxy", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")
    if binary is None:
        raise MissingError("apt install haproxy")
    return binary
