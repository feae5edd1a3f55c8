"""The template of an operation's path: `/events/{id}`.

Holds: a template that is right is one that a request can match.
"""

import re
from collections.abc import Iterator

from shardgate.core.routes.mistakes import Mistake

_VARIABLE = re.compile(r"\{([^{}]+)\}")


def variables_of(template: str) -> list[str]:
    """The names of the variables, in their order."""
    return _VARIABLE.findall(template)


def shape_of(template: str) -> str:
    """The template without the names of its variables: two operations of one shape are the same path."""
    return "/".join("{}" if segment.startswith("{") else segment for segment in template.split("/")).rstrip("/")


def check_template(template: str) -> Iterator[Mistake]:
    """What is wrong with a template; paths begin at the operation."""
    if any("{" in segment and not _VARIABLE.fullmatch(segment) for segment in template.split("/")):
        problem = f"{template} has a variable that is only a part of its segment"
        cure = "list it under `unserved`, or give the variable a segment of its own"
        yield Mistake("", problem, cure)
