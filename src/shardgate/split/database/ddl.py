"""The statements that make the schema of a target, and what was found while they were written."""

from collections.abc import Mapping

from msgspec import Struct

from shardgate.split.database.schema import ColumnKinds


class Ddl(Struct, frozen=True):
    """A schema as statements in the order in which they run: some before the rows are copied, the others after.

    Indexes, foreign keys, views and triggers come after the rows. That is faster, and no trigger fires.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    objects: tuple[str, ...] = ()  # every name that the statements make: --restart may delete these and no others
    undo: tuple[str, ...] = ()  # the statements that delete them; empty for SQLite, where the file is deleted
    opening: tuple[str, ...] = ()  # settings of a SQLite file that must be made before its first page is written
    closing: tuple[str, ...] = ()  # settings that only the application needs, made after verification
    kinds: Mapping[str, ColumnKinds] = {}  # by table; empty between two databases of the same kind
    rowids: Mapping[str, str] = {}  # table → the name of its hidden rowid, which is copied with the rows; SQLite alone
    repeatable: bool = False  # CREATE commits at once, so a run that continues makes what is missing of `before` again
    made_by: str = ""  # the program that wrote the statements, with its version, where it is not this package
    not_carried: frozenset[str] = frozenset()  # kinds of objects that the statements do not make
    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
