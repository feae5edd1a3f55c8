"""Virtual environments below `.bench/` for programs in Python: never the project's own."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.peers import MissingError, Say
from bench.peers.interpreter import interpreter

_ROOT = Path(__file__).resolve().parents[2]
_COMPILED: Mapping[str, str] = {"HATCH_BUILD_HOOK_ENABLE_CUSTOM": "1"}


def environment_with(cache: Path, name: str, requirements: Sequence[str], say: Say) -> Path:
    """The folder with its programs (`python` and what the requirements bring), made once. Raises MissingError."""
    folder = cache / f"venv-{name}"
    if not _is_made(folder, requirements):
        say(f"installing {', '.join(requirements)}")
        _make(folder)
        _uv("pip", "install", "--python", str(folder), *requirements)
        _mark(folder, requirements)
    return folder / "bin"


def environment_with_project(cache: Path, say: Say, root: Path = _ROOT) -> Path:
    """The same with a checkout, its hot modules compiled. Raises MissingError, where there is no compiler too."""
    folder, wheels = cache / "venv-shardgate", cache / "wheels"
    files = (file for kind in ("*.py", "*.c") for file in sorted((root / "src").rglob(kind)))
    sources = [*files, root / "hatch_build.py", root / "pyproject.toml"]
    state = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sources]
    if not _is_made(folder, state):
        say("compiling the hot modules: a minute, once for each state of the source")
        for old in [folder / "made", *wheels.glob("*.whl")]:
            old.unlink(missing_ok=True)
        _uv("build", "--wheel", "--python", interpreter(), "--out-dir", str(wheels), str(root), more=_COMPILED)
        _make(folder)
        _uv("pip", "install", "--python", str(folder), "--require-hashes", "-r", str(root / "requirements.lock"))
        _uv("pip", "install", "--python", str(folder), "--no-deps", *map(str, wheels.glob("*.whl")))
        _mark(folder, state)
    return folder / "bin"


def _make(folder: Path) -> None:
    _uv("venv", "--clear", "--python", interpreter(), str(folder))


def _is_made(folder: Path, state: Sequence[str]) -> bool:
    mark = folder / "made"
    return mark.exists() and mark.read_text() == _digest(state)


def _mark(folder: Path, state: Sequence[str]) -> None:
    (folder / "made").write_text(_digest(state))


def _digest(state: Sequence[str]) -> str:
    return hashlib.sha256("\n".join([interpreter(), *state]).encode()).hexdigest()


def _uv(*words: str, more: Mapping[str, str] | None = None) -> None:
    command = [sys.executable, "-m", "uv", *words, "--quiet"]
    # Not a PYTHONPATH of the caller: mypyc would check another copy of the sources, too.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, env={**own, **(more or {})}, check=False)
    if done.returncode != 0:
        raise MissingError(f"`uv {' '.join(words[:2])}` failed: {' '.join(done.stderr.split())[-300:]}")
