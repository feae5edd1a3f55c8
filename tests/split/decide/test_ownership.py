"""Which tables are divided, and by which path: decided without a database."""

from shardgate.split.database.schema import ForeignKey, Schema, Table
from shardgate.split.decide.ownership import Ownership, TableRoles, clashing_ids, decide_ownership


def table(name: str, *parents: str, primary_key: str = "id") -> Table:
    """`table("orders", "vendors", "coupons?")`: one foreign key to each parent, nullable if the name ends in `?`."""
    keys = tuple(
        ForeignKey((f"{p.rstrip('?')}_id",), p.rstrip("?"), ("id",), nullable=p.endswith("?")) for p in parents
    )
    columns = ("id", *(column for key in keys for column in key.columns))
    return Table(name, columns, tuple(filter(None, [primary_key])), keys)


def decide(*tables: Table, reference: str = "", empty: str = "") -> Ownership:
    roles = TableRoles("vendors", tuple(reference.split()), tuple(empty.split()))
    return decide_ownership(Schema(tables), roles)


def paths(ownership: Ownership) -> dict[str, str]:
    return {owned.table.name: " ".join(owned.path) for owned in ownership.owned}


def test_a_table_belongs_to_the_tenant_by_its_foreign_keys() -> None:
    found = decide(
        table("lines", "orders"), table("orders", "vendors"), table("vendors"), table("events", "vendors")
    )  # fmt: skip
    assert found.refusals == ()
    assert paths(found) == {
        "vendors": "vendors",
        "events": "events vendors",
        "orders": "orders vendors",
        "lines": "lines orders vendors",
    }


def test_parents_come_before_children() -> None:
    found = decide(
        table("a", "vendors", "c"), table("b", "vendors", "a"), table("c", "vendors"), table("vendors")
    )  # fmt: skip
    assert [owned.table.name for owned in found.owned] == ["vendors", "c", "a", "b"]


def test_a_longer_path_that_is_never_null_beats_a_shorter_one_that_may_be() -> None:
    found = decide(table("vendors"), table("events", "vendors"), table("tickets", "vendors?", "events"))
    assert paths(found)["tickets"] == "tickets events vendors"
    (tickets,) = (owned for owned in found.owned if owned.table.name == "tickets")
    assert [link.parent for link in tickets.links] == ["events", "vendors"]  # all must agree


def test_a_table_may_refer_to_itself() -> None:
    found = decide(table("vendors"), table("menus", "vendors", "menus?"))
    assert paths(found)["menus"] == "menus vendors"


def test_tables_may_stand_in_a_ring() -> None:
    found = decide(table("vendors", "contacts?"), table("contacts", "vendors"))
    assert [owned.table.name for owned in found.owned] == ["vendors", "contacts"]
    assert found.refusals == ()


def test_a_reference_table_does_not_belong_to_the_tenant() -> None:
    found = decide(table("vendors", "countries"), table("countries"), reference="countries")
    assert [each.name for each in found.reference] == ["countries"]
    assert paths(found) == {"vendors": "vendors"}


def test_a_table_without_a_path_must_be_declared() -> None:
    (refusal,) = decide(table("vendors"), table("countries")).refusals
    assert refusal.startswith("countries: no foreign key leads from it to vendors.")
    for cure in ("--reference countries", "--empty countries", "--link countries."):
        assert cure in refusal


def test_a_reference_table_must_not_refer_to_a_tenants_row() -> None:
    (refusal,) = decide(table("vendors"), table("logos", "vendors"), reference="logos").refusals
    assert "logos: is --reference, but (vendors_id) -> vendors(id)" in refusal


def test_a_kept_table_cannot_need_a_row_of_an_empty_one() -> None:
    found = decide(table("vendors", "plans"), table("plans"), empty="plans")
    assert "plans is --empty" in found.refusals[0]
    assert decide(table("vendors", "plans?"), table("plans"), empty="plans").refusals == ()


def test_the_tenants_own_table_needs_a_primary_key_and_others_do_not() -> None:
    (refusal,) = decide(table("vendors", primary_key=""), table("logs", "vendors", primary_key="")).refusals
    assert refusal.startswith("vendors: has no primary key")


def test_names_that_do_not_exist_get_the_nearest_that_does() -> None:
    found = decide_ownership(
        Schema((table("vendors"), table("countries"))),
        TableRoles("vendor", reference=("contries",), empty=("xyz",)),
    )
    assert "--tenant vendor: the source has no such table. Did you mean vendors?" in found.refusals
    assert "--reference contries: the source has no such table. Did you mean countries?" in found.refusals
    assert "--empty xyz: the source has no such table." in found.refusals


def test_a_table_has_one_role() -> None:
    found = decide(table("vendors"), table("plans"), reference="plans vendors", empty="plans")
    assert "plans: is given with --reference and with --empty. Choose one of them" in found.refusals
    assert any("vendors: the --tenant table can be neither" in line for line in found.refusals)


def test_a_key_that_counts_up_gets_a_warning() -> None:
    counting = Table("vendors", ("id",), ("id",), counts_up=True)
    assert "vendors: the database counts up its ids" in clashing_ids(decide(counting), ())[0]
    assert clashing_ids(decide(counting), {"vendors"}) == []
