"""The statements that make a target's schema, whoever wrote them down."""

from collections.abc import Mapping

from msgspec import Struct

from shardgate.split.values import Kinds


class Ddl(Struct, frozen=True):
    """A schema in the order in which it is made: what the rows need, then what they may not need.

    Indexes, foreign keys, views and triggers come after the rows: faster, and no trigger fires.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    objects: tuple[str, ...] = ()  # every name it makes: what --restart may take away
    undo: tuple[str, ...] = ()  # how; a SQLite target is simply a file to delete
    opening: tuple[str, ...] = ()  # settings of the file, before its first page is written
    closing: tuple[str, ...] = ()  # and those that only an application needs
    kinds: Mapping[str, Kinds] = {}  # by table, where values must be carried between two kinds
    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
