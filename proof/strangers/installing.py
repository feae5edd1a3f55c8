"""Installs what an application needs, from package registries, as its example pins it.

Holds: what was installed from the same lock file is not installed again, so that later runs need no network.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

INSTALL_TIMEOUT_S = 600.0
_DONE = "installed.sha256"


class CannotRunError(Exception):
    """Something is missing on this machine; the message says what."""


def python_environment(cache: Path, requirements: Path) -> str:
    """A virtual environment with what a requirements file pins. Returns its interpreter."""
    python = cache / "bin" / "python"

    def make() -> None:
        run([sys.executable, "-m", "venv", "--clear", str(cache)])
        quiet = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "20"]
        run([str(python), "-m", "pip", "install", *quiet, "-r", str(requirements)])

    once(cache, [requirements, Path(sys.executable).resolve()], make)
    return str(python)


def node_modules(cache: Path, lock: Path) -> Path:
    """`npm ci` of a `package.json` and its lock file beside it. Returns the folder `node_modules`."""
    npm = program("npm", "Node and npm are not on this machine")

    def make() -> None:
        cache.mkdir(parents=True, exist_ok=True)
        for file in (lock, lock.with_name("package.json")):
            shutil.copy(file, cache)
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
        run([npm, "ci", *quiet, "--fetch-retries=1", "--fetch-timeout=20000"], cwd=cache)

    once(cache, [lock], make)
    return cache / "node_modules"


def once(cache: Path, pins: Sequence[Path], make: Callable[[], None]) -> None:
    """Call `make`, unless it succeeded before for the same `pins`. What a failed one left is removed."""
    digest = hashlib.sha256(b"".join(_pinned(pin) for pin in pins)).hexdigest()
    done = cache / _DONE
    if done.is_file() and done.read_text() == digest:
        return
    shutil.rmtree(cache, ignore_errors=True)
    make()
    done.write_text(digest)


def program(name: str, otherwise: str) -> str:
    """The path of a program of this machine. Raises CannotRunError with the words of `otherwise`."""
    path = shutil.which(name)
    if path is None:
        raise CannotRunError(otherwise)
    return path


def run(command: Sequence[str], *, cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Run a command of an installation to its end. Raises CannotRunError with the last lines that it printed."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotRunError(f"{' '.join(command[:3])} took more than {INSTALL_TIMEOUT_S:g} s") from None
    if done.returncode != 0:
        last = "; ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
        raise CannotRunError(f"{' '.join(command[:4])} failed: {last}")
    return done.stdout


def _pinned(pin: Path) -> bytes:
    """A program by its path, all else by what it says."""
    return str(pin).encode() if os.access(pin, os.X_OK) else pin.read_bytes()
