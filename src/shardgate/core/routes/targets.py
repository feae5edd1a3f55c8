"""The paths that the gateway itself asks shards for, as a configuration writes them: `/orders/{id}?fields=id`.

Holds: a path without a mistake, its variables filled in, is a request target (RFC 9112 section 3.2.1).
"""

import re
from collections.abc import Collection, Iterator

from shardgate.core.routes.mistakes import Mistake

_FILLED = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,=:@/%]*(\?[A-Za-z0-9\-._~!$&'()*+,=:@/%?;\[\]]*)?")
_NAMES = re.compile(r"\{([^{}]*)\}")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def check_target(field: str, path: str, example: str, names: Collection[str] | None = None) -> Iterator[Mistake]:
    """What is wrong with a path. `names`: the variables that have a value there; None: that is not known."""
    written = _NAMES.findall(path)
    filled = _NAMES.sub("x", path)
    if not path.startswith("/"):
        yield Mistake(field, f"{path!r} is no path", f"begin it with `/`: `{example}`")
    elif "" in written or "{" in filled or "}" in filled:
        yield Mistake(field, f"{path!r} has braces without a name in them", f"write it as `{example}`")
    elif not _FILLED.fullmatch(filled) or _PERCENT.search(filled):
        cure = "write other characters percent-encoded, like `%C3%A9` for é, and leave out what stands behind a `#`"
        yield Mistake(field, f"{path!r} has characters that no request can have", cure)
    elif any(segment in {".", ".."} for segment in filled.partition("?")[0].split("/")) or filled.startswith("//"):
        yield Mistake(
            field, f"{path!r} is read differently by different servers", "write the path without `.` and `..`"
        )
    for name in written if names is not None else ():
        if name and names is not None and name not in names:
            known = " or ".join(f"`{{{other}}}`" for other in names)
            cure = f"take {known}" if known else f"write it without variables, like `{_NAMES.sub('7', example)}`"
            yield Mistake(field, f"{path!r} has the variable {name!r}, which has no value", cure)
