"""Every object of a SQLite database, from its table sqlite_master and its header."""

from typing import Final

from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.inventory import Inventory, inventory_of
from shardgate.split.database.mark import FINISHED, MARK

_OBJECTS: Final = (
    "SELECT type, name, sql FROM sqlite_master"
    f" WHERE tbl_name NOT IN ('{MARK}', '{FINISHED}') AND name NOT LIKE 'sqlite~_stat%' ESCAPE '~'"
)
_SETTINGS: Final = ("user_version", "application_id", "encoding", "page_size", "auto_vacuum")


def read_inventory(query: RunQuery) -> Inventory:
    """Every object of the file. The journal mode is set last, when all is verified, so it is not one of them."""
    settings = [("setting", name, query(f"PRAGMA {name}")[0][0]) for name in _SETTINGS]
    return inventory_of([*query(_OBJECTS), *settings])
