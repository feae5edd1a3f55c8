"""Everything that may differ between two installations, read once at start.

Never: read after start; a running app holds one frozen value.
"""

import os
from dataclasses import dataclass
from pathlib import Path

DEVELOPMENT_SECRET = "bookings-development-secret-not-for-production"  # noqa: S105

CALLS_A_MONTH = 500_000

OCTO_ENDPOINT = "https://bookings.example/octo"


@dataclass(frozen=True, slots=True)
class Settings:
    """What one running instance is told."""

    database: str
    secret: str = DEVELOPMENT_SECRET
    token_lifetime_s: int = 3600
    calls_a_month: int = CALLS_A_MONTH
    """Of each client; 0: as many as it likes, because somebody else counts."""
    usage_flush_s: float = 5.0
    expiry_sweep_s: float = 1.0
    octo_endpoint: str = OCTO_ENDPOINT

    @classmethod
    def load(cls, database: str) -> "Settings":
        return cls(
            database=database_url(database),
            secret=os.environ.get("BOOKINGS_SECRET", DEVELOPMENT_SECRET),
            calls_a_month=int(os.environ.get("BOOKINGS_CALLS_A_MONTH", CALLS_A_MONTH)),
            octo_endpoint=os.environ.get("BOOKINGS_OCTO_ENDPOINT", OCTO_ENDPOINT),
        )


def database_url(text: str) -> str:
    """A bare path is a SQLite file; PostgreSQL is always spoken to through psycopg 3."""
    if "://" not in text:
        return f"sqlite:///{Path(text).absolute()}"
    scheme, rest = text.split("://", 1)
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    return text
