"""Builds with the machine's Go, into `.bench/`, once for each state of the source."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from bench.peers import MissingError, Say

HOW = "Go 1.22 or newer is needed: apt install golang-go, or https://go.dev/dl/"


def build(module: Path, package: str, binary: Path, say: Say) -> None:
    """Build a package of a module of ours. Raises MissingError."""
    go = go_command()
    sources = sorted([*(module / package).glob("*.go"), module / "go.mod"])
    state = hashlib.sha256(b"".join(file.read_bytes() for file in sources) + go_version().encode()).hexdigest()
    mark = binary.with_name(f"{binary.name}.built")
    if binary.exists() and mark.exists() and mark.read_text() == state:
        return
    say(f"building {binary.name}")
    binary.parent.mkdir(parents=True, exist_ok=True)
    run_go([go, "build", "-C", str(module), "-o", str(binary), package])
    mark.write_text(state)


def run_go(command: list[str], *, binaries: Path | None = None) -> None:
    """Run the toolchain. Raises MissingError with its last words."""
    environment = {**os.environ, "GOTOOLCHAIN": "auto"}
    if binaries is not None:
        environment["GOBIN"] = str(binaries)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        words = (done.stderr.strip().splitlines() or ["no word"])[-1].strip()
        raise MissingError(f"`go {' '.join(command[1:3])}` failed: {words}")


def go_command() -> str:
    """The toolchain. Raises MissingError."""
    go = shutil.which("go")
    if go is None:
        raise MissingError(HOW)
    return go


def go_version() -> str:
    """As `go1.26.1`. Raises MissingError."""
    return subprocess.run([go_command(), "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout.strip()
