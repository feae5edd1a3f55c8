"""The options of the command, parsed before any database is opened."""

import pytest

from shardgate.split.database.schema import ColumnKind, DeclaredLink
from shardgate.split.errors import SplitRefusedError
from shardgate.split.request import listed_names, name_targets, parse_link, parse_type


def test_names_are_separated_by_commas_or_given_one_by_one() -> None:
    assert listed_names(["a, b", "c", "a", ""]) == ("a", "b", "c")


def test_shards_without_names_are_numbered() -> None:
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
        (["a", "b"], None, 3, [], "--shards 3: but --into or --names give 2 shards"),
        (["a", "b"], None, None, ["n"], "--names gives 1 names for 2 shards"),
        (["a", "b"], None, None, ["n", "n"], "the same name twice"),
        (["a", "a"], None, None, [], "the same database twice"),
    ],
)
def test_what_does_not_fit_together_is_refused(into, template, shards, names, complaint) -> None:
    with pytest.raises(SplitRefusedError) as refused:
        name_targets(into, template, shards, names)
    assert complaint in str(refused.value)


def test_a_link_names_columns_of_two_tables() -> None:
    assert parse_link("orders.shop=shops.id") == DeclaredLink("orders", ("shop",), "shops", ("id",))
    assert parse_link("lines.(shop,no)=orders.(shop,no)") == DeclaredLink(
        "lines", ("shop", "no"), "orders", ("shop", "no")
    )


@pytest.mark.parametrize("text", ["orders", "orders.a", "orders.a=shops", "o.(a,b)=s.c"])
def test_half_a_link_is_refused(text: str) -> None:
    with pytest.raises(SplitRefusedError, match=r"write TABLE\.COLUMN=PARENT\.COLUMN"):
        parse_link(text)


def test_a_type_is_one_of_those_that_are_known() -> None:
    assert parse_type("events.id=uuid").kind is ColumnKind.UUID
    with pytest.raises(SplitRefusedError, match=r"Did you mean uuid\?"):
        parse_type("events.id=uid")
