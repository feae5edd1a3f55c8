"""AUTO_INCREMENT in MySQL and MariaDB: reading the id that comes next, and setting it."""

from typing import Final

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery
from shardgate.split.mysql import catalogue
from shardgate.split.mysql.catalogue import counter, shown

_BITS: Final = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}


def read_mysql_counter(query: RunQuery, table: str) -> int:
    """The id that the table gives next."""
    return counter(shown(query, "TABLE", table)["text"])


def greatest_id(query: RunQuery, table: str) -> int:
    """The greatest number that the table's AUTO_INCREMENT column can hold."""
    for name, _, data_type, _, extra, _, column_type in query(catalogue.COLUMNS):
        if name == table and "auto_increment" in str(extra).lower():
            bits = _BITS.get(str(data_type), 64)
            return (1 << (bits if "unsigned" in str(column_type) else bits - 1)) - 1
    return 0


def statement_to_set_mysql_counter(table: str, following: int) -> str:
    return f"ALTER TABLE {sql.quote(table)} AUTO_INCREMENT = {following}"
