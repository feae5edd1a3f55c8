"""One rule of the audit as a value: its number, what it finds, why that is dangerous, and what to do.

To add a rule, write a function in the module of its subject and an entry in table.py.

Holds: a number keeps its meaning once it is released. A rule that finds nothing is silent.
"""

from collections.abc import Callable, Iterator

import msgspec

from shardgate.config.load import Loaded


class Danger(msgspec.Struct, frozen=True):
    """What a rule found."""

    path: str
    """Where it is written, as a dotted path: `trusted_proxies[0]`."""
    what: str
    """What is there, as a sentence without a full stop."""


class AuditRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule."""

    number: str
    """`SGA10`."""
    title: str
    """What it looks for, in a few words."""
    why: str
    """What can happen."""
    cure: str
    """What to do."""
    find: Callable[[Loaded], Iterator[Danger]]
    """All that it finds in a configuration without mistakes."""
