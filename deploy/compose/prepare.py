"""Seeds the platform's database and splits it in three, unless that was done before.

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
    monolith = f"{server}/monolith"
    subprocess.run([BIN / "bookings", "seed", "--force", "--db", monolith, "--scale", scale], check=True)
    split = [
        f"--source={monolith}",
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
