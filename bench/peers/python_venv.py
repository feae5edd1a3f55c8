"""A virtual environment below `.bench/` for a peer that comes from PyPI: never the project's own."""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.peers import MissingError, Say


def environment_with(cache: Path, name: str, requirements: Sequence[str], say: Say) -> Path:
    """The folder with its programs (`python` and what the requirements bring), made once. Raises MissingError."""
    folder = cache / f"venv-{name}"
    mark = folder / "made"
    state = hashlib.sha256("\n".join([sys.version, *requirements]).encode()).hexdigest()
    if not (mark.exists() and mark.read_text() == state):
        say(f"installing {', '.join(requirements)}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        command = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *requirements]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            words = " ".join(done.stderr.split())[-300:]
            raise MissingError(f"pip install {' '.join(requirements)} failed: {words}")
        mark.write_text(state)
    return folder / "bin"
