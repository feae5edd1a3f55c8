"""A merge of your own: a class that the rule names.

The class is a frozen msgspec Struct, or a dataclass, that is a Merger (contracts.py). Most derive from `Combining`,
which needs only `combine` and `describe`. `options` become its fields; their types are checked when the configuration
is read.

Holds: configuration is trusted. The class runs inside the gateway, and may do whatever the gateway may.
Never: loads anything while requests are served.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any

import msgspec

from shardgate.core.contracts import NO_MOMENT, Merger, Merging, Moment, Strategy
from shardgate.core.http import Request
from shardgate.core.topology import ShardId


class Custom(Strategy, frozen=True, tag="custom", dict=True):
    """`{kind: custom, class: "package.module:Class", options: {…}}`"""

    class_: str = msgspec.field(name="class")
    """The class, as `package.module:Class`. The gateway must be able to import it: install it in the same environment,
    or put it on PYTHONPATH."""
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """The values of the class's fields."""

    def __post_init__(self) -> None:
        """The class can be loaded, and takes the options. Raises ValueError with what to do."""
        _ = self.merger

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> Merging:
        """Start the merge of one request."""
        return self.merger.begin(request, shards, moment)

    def describe(self) -> str:
        """The merge in one line."""
        return self.merger.describe()

    @cached_property
    def merger(self) -> Merger:
        """The class with its options. Raises ValueError."""
        kind = _load(self.class_)
        try:
            merger: Merger = msgspec.convert(dict(self.options), kind)
        except (msgspec.ValidationError, TypeError) as error:
            raise ValueError(f"{self.class_} does not take these options: {_worded(str(error))}") from error
        return merger


def _worded(problem: str) -> str:
    """msgspec's message about the options, in words that fit the message about the rule."""
    problem = problem.replace("Object missing required field", "they lack").replace(" - at `$", " at `options")
    return problem.replace("Object contains unknown field", "the class has no field")


def _load(name: str) -> Any:
    place, _, attribute = name.partition(":")
    if not place or not attribute:
        raise ValueError(f"{name!r} names no class; write it as `package.module:Class`")
    try:
        module = import_module(place)
    except Exception as error:
        # A module can raise anything when it is imported: it is a mistake in the configuration.
        raise ValueError(f"{place} cannot be imported: {type(error).__name__}: {error}") from error
    kind = getattr(module, attribute, None)
    if not isinstance(kind, type):
        raise ValueError(f"{place} has no class {attribute!r}")
    missing = [method for method in ("begin", "describe") if not callable(getattr(kind, method, None))]
    if missing:
        raise ValueError(f"{name} is no merge: it has no {' and no '.join(missing)}")
    return kind
