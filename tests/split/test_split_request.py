"""The options of the command, before any database is opened."""

import subprocess
import sys

import pytest

from shardgate.split.errors import RefusedError
from shardgate.split.request import listed_names, name_targets, parse_link, parse_type
from shardgate.split.schema import Kind, Link


def test_names_come_in_commas_or_one_by_one() -> None:
    assert listed_names(["a, b", "c", "a", ""]) == ("a", "b", "c")


def test_shards_are_named_one_after_the_other_unless_told() -> None:
    assert name_targets(["sqlite:///x", "sqlite:///y"], None, None, []) == (
        ("shard1", "sqlite:///x"),
        ("shard2", "sqlite:///y"),
    )


def test_a_template_gives_each_shard_its_url() -> None:
    assert name_targets([], "sqlite:///{shard}.db", 2, []) == (
        ("shard1", "sqlite:///shard1.db"),
        ("shard2", "sqlite:///shard2.db"),
    )
    assert name_targets([], "sqlite:///{shard}.db", None, ["north"]) == (("north", "sqlite:///north.db"),)


@pytest.mark.parametrize(
    ("into", "template", "shards", "names", "complaint"),
    [
        ([], None, None, [], "give either --into"),
        (["a"], "b{shard}", None, [], "give either --into"),
        ([], "x.db", 2, [], "must contain {shard}"),
        ([], "{shard}.db", None, [], "needs --shards N or --names"),
        (["a", "b"], None, 3, [], "--shards 3, but 2 are given"),
        (["a", "b"], None, None, ["n"], "--names gives 1 names for 2 shards"),
        (["a", "b"], None, None, ["n", "n"], "the same name twice"),
        (["a", "a"], None, None, [], "the same database twice"),
    ],
)
def test_what_does_not_fit_together_is_refused(into, template, shards, names, complaint) -> None:
    with pytest.raises(RefusedError) as refused:
        name_targets(into, template, shards, names)
    assert complaint in str(refused.value)


def test_a_link_names_columns_of_two_tables() -> None:
    assert parse_link("orders.shop=shops.id") == Link("orders", ("shop",), "shops", ("id",))
    assert parse_link("lines.(shop,no)=orders.(shop,no)") == Link("lines", ("shop", "no"), "orders", ("shop", "no"))


@pytest.mark.parametrize("text", ["orders", "orders.a", "orders.a=shops", "o.(a,b)=s.c"])
def test_half_a_link_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match=r"write TABLE\.COLUMN=PARENT\.COLUMN"):
        parse_link(text)


def test_a_type_is_one_of_those_that_are_known() -> None:
    assert parse_type("events.id=uuid").kind is Kind.UUID
    with pytest.raises(RefusedError, match=r"Did you mean uuid\?"):
        parse_type("events.id=uid")


def test_the_command_loads_without_the_extra_and_says_what_to_install() -> None:
    """`shardgate serve` shares the command table, and runs where no database driver is."""
    script = """
import sys
sys.modules["sqlalchemy"] = sys.modules["psycopg"] = None
import typer
from shardgate.cli.split import split
app = typer.Typer()
app.command()(split)
app(["--source", "sqlite:///x", "--tenant", "t", "--directory", "d", "--into", "sqlite:///y"])
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "pip install 'shardgate[split]'" in ended.stderr
