"""Prints the part of requirements.lock that an installed gateway needs, extras included, with its hashes.

python -m tools.supply.runtime
"""

import re
from collections.abc import Collection, Iterator

from packaging.utils import canonicalize_name

from tools.supply.packages import LOCK, installed_gateway

_ENTRY = re.compile(r"^([A-Za-z0-9][\w.-]*)==.*\n(?:[ \t]+.*\n)*", re.MULTILINE)


def entries(text: str, names: Collection[str]) -> Iterator[str]:
    """The entries of a lock file that are of these packages."""
    for entry in _ENTRY.finditer(text):
        if canonicalize_name(entry[1]) in names:
            yield entry[0]


if __name__ == "__main__":
    base, extras = installed_gateway()
    print("".join(entries(LOCK.read_text(), base | extras)), end="")
