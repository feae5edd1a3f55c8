"""The Python that the bench's programs in Python run on: of those on this machine, the quickest that can compile.

One built with profile-guided optimisation, as distributions and container images have it, is about a fifth quicker than
one built without, as `pyenv` makes it unless told otherwise: that would be measured, and not the programs.
"""

import os
import re
import subprocess
import sys
from functools import cache
from math import inf
from pathlib import Path

_NAME = re.compile(r"python3(\.1[1-9])?")
_YARDSTICK = """
import sys, sysconfig, time
from pathlib import Path
assert sys.version_info >= (3, 11) and sys.prefix == sys.base_prefix and "free-threading" not in sys.version
assert (Path(sysconfig.get_path("include")) / "Python.h").exists()
class Thing:
    __slots__ = ("name", "size")
    def __init__(self, name, size):
        self.name = name
        self.size = size
def work(table):
    for number in range(3000):
        thing = Thing(b"%d" % number, number)
        table[thing.name] = table.get(thing.name, 0) + thing.size
def took():
    began = time.process_time()
    work({})
    return time.process_time() - began
print(min(took() for _ in range(40)))
"""

_ROUNDS = 5  # in turns: a machine's speed changes within seconds, and the slower one was chosen in a quick second


@cache
def interpreter() -> str:
    """The path of the one that is used; this one, where no other can be."""
    found: dict[Path, float] = {}
    paths = {file.resolve() for file in _programs()}
    for path in [*paths] * _ROUNDS:
        done = subprocess.run([path, "-c", _YARDSTICK], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found[path] = min(found.get(path, inf), float(done.stdout))
    return str(min(found, key=lambda path: found[path])) if found else sys.executable


def _programs() -> list[Path]:
    folders = [Path(folder) for folder in os.get_exec_path()] + [Path(sys.base_prefix) / "bin"]
    return [
        file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir()) if _NAME.fullmatch(file.name)
    ]
