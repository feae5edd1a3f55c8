"""What sources and targets ask a server in the same words."""

from typing import Final

from shardgate.split.database.address import SqlDialect
from shardgate.split.postgres import catalogue

_IDENTITY: Final = {
    SqlDialect.POSTGRESQL: catalogue.IDENTITY,
    SqlDialect.MYSQL: "SELECT @@hostname, @@port, @@datadir, DATABASE()",
}


def identity_query(dialect: SqlDialect) -> str:
    """The query whose one row two connections have in common if they see the same schema of the same database."""
    return _IDENTITY[dialect]
