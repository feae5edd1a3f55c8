"""Compiles the modules of the hot path, when a wheel is built with HATCH_BUILD_HOOK_ENABLE_CUSTOM=1.

mypyc compiles the `modules`, the source as it stands; a C compiler the `c_modules`, each of which has a twin in Python
that is used where it is not there. With or without, the gateway answers the same, and `make test-compiled` asks the
tests. The sources stay in the wheel, for tracebacks. An editable installation is never compiled.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SOURCE = Path("src")
_PACKAGE = "shardgate"
_SETUP = """
import sys
from setuptools import Extension, setup
modules = [Extension(name.replace("/", "."), [f"{name}.c"]) for name in sys.argv[1:]]
setup(name="shardgate", packages=[], ext_modules=modules, script_args=["build_ext", "--inplace"])
"""


def _flags() -> dict[str, str]:
    """Without names for a debugger, and without a number of the build: the same sources then make the same bytes.

    No other library may replace a function of ours: functions are called directly, or stand where they are called.
    """
    flags = {"CFLAGS": "-O3 -g0 -fvisibility=hidden -fno-semantic-interposition"}
    if sys.platform == "linux":
        flags["LDFLAGS"] = "-Wl,--strip-all,--build-id=none"
    return {name: f"{os.environ.get(name, '')} {flag}".strip() for name, flag in flags.items()}


_LOST_DEFAULT = "Unsupported default attribute value"
"""What mypyc says, as a warning, of a member of a class whose default is no literal: compiled, it has none."""


class CompileHook(BuildHookInterface[Any]):
    """Adds one extension module for each of `modules` and `c_modules`, and the one that holds the former's code."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile a copy, so that nothing compiled is left beside the sources."""
        if version == "editable":
            return
        self._folder = Path(tempfile.mkdtemp(prefix="shardgate-build-"))
        shutil.copytree(Path(self.root) / _SOURCE / _PACKAGE, self._folder / _PACKAGE)
        modules = [f"{_PACKAGE}/{name}.py" for name in self.config["modules"]]
        self._run("mypyc", ["-m", "mypyc", *modules])
        self._run("the C compiler", ["-c", _SETUP, *[f"{_PACKAGE}/{name}" for name in self.config["c_modules"]]])
        shutil.rmtree(self._folder / "build")
        for file in self._folder.rglob("*.so"):
            build_data["force_include"][str(file)] = str(file.relative_to(self._folder))
        build_data["infer_tag"] = True
        build_data["pure_python"] = False

    def _run(self, name: str, words: list[str]) -> None:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self._folder,
            env={**os.environ, "MYPYC_OPT_LEVEL": "3", **_flags()},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = "\n".join((done.stdout + done.stderr).splitlines()[-12:])
            raise RuntimeError(f"{name} failed; it needs a C compiler and Python's headers (python3-dev):\n{said}")
        if lost := [line for line in (done.stdout + done.stderr).splitlines() if _LOST_DEFAULT in line]:
            raise RuntimeError(
                "a member of a compiled class would have no value: set it in __init__:\n" + "\n".join(lost)
            )

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Nothing is left."""
        if version != "editable":
            shutil.rmtree(self._folder)
