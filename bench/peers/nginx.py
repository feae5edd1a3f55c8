"""nginx: the limit of what a relay can cost. One worker, connections to the shard kept, no access log."""

import shutil
import subprocess
from pathlib import Path

from bench.peers import Command, MissingError, Say, Site, Work

_CONFIG = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
worker_rlimit_nofile 65536;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_buffers 16 8k;
  upstream shard {{ server 127.0.0.1:{shard}; keepalive 1024; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://shard;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""


class Nginx:
    """From the distribution's package."""

    name = "nginx"
    works = frozenset({Work.RELAY})

    def install(self, _cache: Path, _say: Say) -> str:
        """Look for it."""
        return (
            subprocess.run([_binary(), "-v"], capture_output=True, text=True, check=True).stderr.split("/")[1].strip()
        )

    def command(self, site: Site) -> Command:
        """Write its configuration."""
        config = site.folder / "nginx.conf"
        config.write_text(_CONFIG.format(folder=site.folder, shard=site.shards[0], port=site.port))
        return Command([_binary(), "-e", str(site.folder / "nginx.err"), "-p", str(site.folder), "-c", str(config)])


def _binary() -> str:
    binary = shutil.which("nginx", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")
    if binary is None:
        raise MissingError("apt install nginx-light")
    return binary
