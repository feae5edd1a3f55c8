"""Exchanges as tests need them."""

from typing import Any

from shardgate.core.exchange import Exchange


def over(exchange: Exchange, **members: Any) -> Exchange:
    """The exchange with these members filled in, as while its request ran."""
    for name, value in members.items():
        setattr(exchange, name, value)
    return exchange


def noted(**members: Any) -> Exchange:
    """One whose bytes were no request, that began at 0."""
    return over(Exchange(None, b"id", "127.0.0.1", 0.0), **members)
