"""Seeds the platform's database, a file, and splits it into three of PostgreSQL, unless that was done before.

Reads SERVER, the URL of a PostgreSQL server with the databases of databases.sql, and SCALE (1 is 33,000 events).
"""

import os
import subprocess
from pathlib import Path

DIRECTORY = Path("/var/lib/shardgate/directory.db")
BIN = Path("/opt/platform/bin")


def main() -> None:
    """What is there is finished: the directory is written last."""
    server, scale = os.environ["SERVER"], os.environ.get("SCALE", "0.1")
    if DIRECTORY.exists():
        print("prepare: the platform is split already")
        return
    # The monolith is a SQLite file: between two databases of one kind, the split carries the schema by the server's own
    # pg_dump, which this image does not have.
    monolith = DIRECTORY.with_name("monolith.db")
    subprocess.run([BIN / "bookings", "seed", "--force", "--db", monolith, "--scale", scale], check=True)
    split = [
        f"--source=sqlite:///{monolith}",
        "--tenant=vendors",
        "--shards=3",
        "--names=north,south,west",
        f"--into-template={server}/{{shard}}",
        "--reference=categories,clients",
        "--empty=tokens,usage",
        f"--directory={DIRECTORY}",
    ]
    subprocess.run([BIN / "shardgate", "split", *split], check=True)


if __name__ == "__main__":
    main()
