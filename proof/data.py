"""The data of a proof: a seeded monolith and its shards, made once, kept in `.demo/`, copied for each run.

Holds: what is kept was finished and verified; an interrupted making leaves nothing that is used.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".demo"
BIN = Path(sys.executable).parent
NAMES = ("north", "south", "west", "east", "coast", "isles", "alps", "lakes", "harbour", "forest")
SEED = 7


@dataclass(frozen=True)
class Data:
    """Where the databases are, as files or URLs: the monolith's, and each shard's; and the directory."""

    monolith: str
    shards: dict[str, str]
    directory: Path

    def copy(self, folder: Path) -> "Data":
        """The same data for one run, which may change it. For SQLite: a file is copied, a URL cannot be."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        kept = (self.monolith, str(self.directory), *self.shards.values())
        moved = [Path(shutil.copy(path, folder)) for path in kept]
        return Data(str(moved[0]), dict(zip(self.shards, map(str, moved[2:]), strict=True)), moved[1])


def prepare(scale: float, shards: int) -> Data:
    """Seed and split, unless it was done before by the same code. Of several processes at once, one does it."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        return _prepare(scale, shards)


def _prepare(scale: float, shards: int) -> Data:
    folder = CACHE / f"scale-{scale}-{_fingerprint()}"
    monolith = folder / "monolith.db"
    if not monolith.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / "unfinished.db"
        for left in folder.glob("unfinished.db*"):
            left.unlink()
        run("bookings", "seed", "--db", str(unfinished), "--scale", str(scale), "--seed", str(SEED))
        unfinished.rename(monolith)
    names = NAMES[:shards]
    cut = folder / f"shards-{shards}"
    if not (cut / "directory.db").exists():
        shutil.rmtree(cut, ignore_errors=True)
        cut.mkdir()
        into = f"sqlite:///{cut}/{{shard}}.db"
        run("shardgate", "split", *split_options(f"sqlite:///{monolith}", into, cut / "directory.db", names))
    return Data(str(monolith), {name: str(cut / f"{name}.db") for name in names}, cut / "directory.db")


def split_options(source: str, template: str, directory: Path, names: tuple[str, ...]) -> list[str]:
    """How the platform's database is cut by vendor."""
    return [
        f"--source={source}",
        "--tenant=vendors",
        f"--shards={len(names)}",
        f"--names={','.join(names)}",
        f"--into-template={template}",
        "--reference=categories,clients",
        "--empty=tokens,usage",
        f"--directory={directory}",
    ]


def run(command: str, *options: str) -> None:
    """Show a command, and run it."""
    shown = [option.replace(f"{ROOT}/", "") for option in options]
    print(f"$ {command} {' '.join(shown)}", flush=True)
    subprocess.run([BIN / command, *options], check=True, cwd=ROOT)


def _fingerprint() -> str:
    """Of the code that makes the data: other code, other data."""
    digest = hashlib.sha256()
    platform = ROOT / "examples/bookings/src/bookings"
    splitter = ROOT.glob("src/shardgate/split/**/*.py")
    for path in sorted([*platform.glob("seed/*.py"), platform / "tables.py", *splitter]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
