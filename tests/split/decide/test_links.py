"""Foreign keys that the user declares."""

from shardgate.split.database.schema import DeclaredLink, ForeignKey, Schema, Table
from shardgate.split.decide.links import with_links

SCHEMA = Schema((Table("vendors", ("id",), ("id",)), Table("orders", ("id", "vendor"), ("id",), counts_up=True)))


def test_a_link_becomes_a_foreign_key_that_may_be_null() -> None:
    schema, problems = with_links(SCHEMA, [DeclaredLink("orders", ("vendor",), "vendors", ("id",))])
    assert problems == []
    assert schema.table("orders").foreign_keys == (
        ForeignKey(("vendor",), "vendors", ("id",), nullable=True, by_user=True),
    )
    assert schema.table("orders").counts_up
    assert schema.table("vendors") == SCHEMA.table("vendors")


def test_a_link_that_names_what_does_not_exist_is_reported() -> None:
    links = [
        DeclaredLink("order", ("vendor",), "vendors", ("id",)),
        DeclaredLink("orders", ("vender",), "vendors", ("idx",)),
    ]
    schema, problems = with_links(SCHEMA, links)
    assert problems == [
        "--link: there is no table order. Did you mean orders?",
        "--link: orders has no column vender. Did you mean vendor?",
        "--link: vendors has no column idx. Did you mean id?",
    ]
    assert schema == SCHEMA
