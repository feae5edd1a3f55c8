"""AUTO_INCREMENT in MySQL and MariaDB: reading the id that comes next, and setting it."""

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery
from shardgate.split.mysql.catalogue import counter, shown


def read_mysql_counter(query: RunQuery, table: str) -> int:
    """The id that the table gives next."""
    return counter(shown(query, "TABLE", table)["text"])


def statement_to_set_mysql_counter(table: str, following: int) -> str:
    return f"ALTER TABLE {sql.quote(table)} AUTO_INCREMENT = {following}"
