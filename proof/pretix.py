"""A database of pretix, a published Django application with some 150 tables, migrated by itself from the registry.

    python -m proof.pretix --server 'postgresql://postgres@/postgres?host=…' --folder /tmp/pretix

Prints the URL for `python -m proof.schemas --tenant pretixbase_organizer --source URL`. Needs ten minutes or more: the
application has more than 300 migrations.
"""

import argparse
import os
import subprocess
import sys
import venv
from contextlib import closing
from pathlib import Path

import psycopg
from sqlalchemy import make_url

_CONFIG = """
[pretix]
url=http://localhost
datadir={folder}
[database]
backend=postgresql
name=pretix
user={user}
host={host}
port={port}
[django]
secret={secret}
"""


def main() -> None:
    """Install, migrate, and print the URL."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="URL of a server on which a database may be made")
    parser.add_argument("--folder", required=True, type=Path, help="for the application's environment, which is made")
    options = parser.parse_args()
    server = make_url(options.server)
    venv.create(options.folder / "venv", with_pip=True)
    python = str(options.folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "pretix", "psycopg2-binary"], check=True)
    with closing(psycopg.connect(options.server, autocommit=True)) as connection:
        connection.execute("CREATE DATABASE pretix")
    config = options.folder / "pretix.cfg"
    host, port = server.host or str(server.query.get("host", "")), server.port or str(server.query.get("port", ""))
    known = {"user": server.username, "host": host, "port": port, "secret": "x" * 50}
    config.write_text(_CONFIG.format(folder=options.folder, **known))
    environment = os.environ | {"PRETIX_CONFIG_FILE": str(config)}
    subprocess.run([python, "-m", "pretix", "migrate"], check=True, env=environment, stdout=sys.stderr)
    print(server.set(database="pretix").render_as_string(hide_password=False))


if __name__ == "__main__":
    main()
