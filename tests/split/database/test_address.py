"""Database URLs, parsed and checked."""

import pytest

from shardgate.split.database.address import SqlDialect, parse_address
from shardgate.split.errors import SplitRefusedError


def test_any_driver_in_the_url_is_ignored() -> None:
    for url in ("postgresql://app@db/shop", "postgresql+asyncpg://app@db/shop", "postgres://app@db/shop"):
        address = parse_address(url, "--source")
        assert address.dialect is SqlDialect.POSTGRESQL
        assert str(address) == "postgresql+psycopg://app@db/shop"


def test_a_relative_path_is_made_absolute() -> None:
    address = parse_address("sqlite:///shop.db", "--source")
    assert address.dialect is SqlDialect.SQLITE
    assert address.path.is_absolute()
    assert address.path.name == "shop.db"


def test_the_password_is_never_shown() -> None:
    assert "secret" not in str(parse_address("postgresql://app:secret@db/shop", "--into"))
    with pytest.raises(SplitRefusedError) as refused:
        parse_address("mssql://app:secret@db/shop", "--into")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app@db/shop?password=hunter2",
        "mysql://app@db/shop?ssl_password=hunter2",
        "postgresql://app:hunter2@ss@db/shop",
        "postgresql://app:ss@hunter2@db/shop",
        "postgresql://app:ss@hunter2/x@db/shop",
        "postgresql://app:hunter2@db:port/shop",
        "postgresql://app:hunter2#?/@db/shop",
        "postgresql:/app:hunter2@db/shop",
        "host=db password=hunter2",
        "postgresql://app@db/shop;password=hunter2",
        "postgresql://app@db/shop?sslmode=require;password=hunter2",
        "postgresql://app%3Ahunter2@db/shop",
        "mysql://app@db/shop?ssl_key_pwd=hunter2",
    ],
)
def test_no_part_of_a_password_is_shown_wherever_it_stands(url: str) -> None:
    """Found: one in a parameter was shown, and one of a text that is no URL, and a wrong port ended in a traceback."""
    try:
        shown = f"{parse_address(url, '--into')}"
    except SplitRefusedError as refused:
        shown = str(refused)
        assert shown.startswith("--into")
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("shop.db", "this is not a database URL"),
        ("mssql://root@localhost/shop", "mssql is not supported"),
        ("sqlite://", "give the path of a file"),
        ("sqlite:///:memory:", "give the path of a file"),
        ("sqlite:///shop.db?mode=ro", "give the path of a file"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_its_option(url: str, reason: str) -> None:
    with pytest.raises(SplitRefusedError, match=reason) as refused:
        parse_address(url, "--into")
    assert str(refused.value).startswith("--into ")
