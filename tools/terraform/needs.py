"""What must be on this machine before anything can be tried."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Final

Version = tuple[int, int]

_NEEDED: Final[tuple[tuple[str, Version, str], ...]] = (
    ("terraform", (1, 11), "install Terraform 1.11 or newer and put `terraform` on the PATH"),
    ("go", (1, 24), "install Go 1.24 or newer and put `go` on the PATH: it builds the stand-in for the AWS provider"),
)


def missing(find: Callable[[str], Version | None] | None = None) -> list[str]:
    """A line for each program that is missing or too old: what to install."""
    find = find or version
    lines: list[str] = []
    for name, least, cure in _NEEDED:
        found = find(name)
        if found is None:
            lines.append(f"{name} is not here: {cure}")
        elif found < least:
            lines.append(f"{name} is {found[0]}.{found[1]}: {cure}")
    return lines


def version(name: str) -> Version | None:
    """The version of a program on the PATH; None: it is not there."""
    if shutil.which(name) is None:
        return None
    command = [name, "version", *(["-json"] if name == "terraform" else [])]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    text = json.loads(said.stdout)["terraform_version"] if name == "terraform" else said.stdout
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None
