"""The packages that shardgate is made of: read from pyproject.toml and from the metadata of what is installed.

Holds: what is needed only on other systems or by other versions of Python is left out.
"""

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
_LOCKED = re.compile(r"^([A-Za-z0-9][\w.-]*)==", re.MULTILINE)


def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def installed_gateway() -> tuple[set[str], set[str]]:
    """What `pip install shardgate` installs, and what its extras add; names as `canonicalize_name` gives them."""
    described = project()["project"]
    base = closure(described["dependencies"])
    extras = closure([each for extra in described["optional-dependencies"].values() for each in extra])
    return base, extras - base


def closure(requirements: Iterable[str]) -> set[str]:
    """All packages that these requirements lead to, which are installed here."""
    found: set[str] = set()
    pending = [(Requirement(each), "") for each in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while pending:
        wanted, extra = pending.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        found.add(name)
        needed = installed(name).requires or []
        pending += [(Requirement(each), asked) for each in needed for asked in ("", *wanted.extras)]
    return found


def installed(name: str) -> Distribution:
    """An installed package. Raises PackageNotFoundError."""
    return distribution(name)


def is_installed(name: str) -> bool:
    """Whether it is."""
    try:
        installed(name)
    except PackageNotFoundError:
        return False
    return True


def locked(lock: Path = LOCK) -> set[str]:
    """The packages of a lock file."""
    return {canonicalize_name(name) for name in _LOCKED.findall(lock.read_text())}
