"""An environment with nothing but what a wheel or an sdist brings with it.

Holds: no compiler can be found while something is installed into it.
"""

import os
import subprocess
import sys
from pathlib import Path

_LISTED = """
import importlib.util, json, sys
print(json.dumps([n for n in json.loads(sys.argv[1]) if importlib.util.find_spec(n).origin.endswith('.so')]))
"""


class InstallError(Exception):
    """It cannot be installed, or does not run; the message has what was said."""


class Bare:
    """One environment."""

    def __init__(self, folder: Path) -> None:
        """Make it anew."""
        self._folder = folder
        _said([sys.executable, "-m", "venv", "--clear", str(folder)])

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self._folder / "bin/python"

    def install(self, what: Path) -> None:
        """Install a wheel or an sdist with what it needs. Raises InstallError."""
        environment = {**os.environ, "PATH": str(self._folder / "bin"), "CC": "/bin/false", "CXX": "/bin/false"}
        _said([str(self.python), "-m", "pip", "install", "--quiet", str(what)], environment)

    def run(self, *arguments: str, folder: Path | None = None) -> str:
        """What its interpreter prints. Raises InstallError where it fails."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return _said([str(self.python), *arguments], environment, folder)

    def compiled(self, modules: str) -> str:
        """Those of a JSON list of modules that are compiled, as a JSON list."""
        return self.run("-c", _LISTED, modules)


def _said(command: list[str], environment: dict[str, str] | None = None, folder: Path | None = None) -> str:
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise InstallError(f"`{' '.join(command)[:120]}` failed ({done.returncode}):\n{words}")
    return done.stdout.strip()
