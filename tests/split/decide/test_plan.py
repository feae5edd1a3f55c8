"""The plan as a value: the directory, the loads, the fingerprint, and how the tenant of a row is looked up."""

from collections.abc import Sequence

import msgspec

from shardgate.split.database.ddl import Ddl
from shardgate.split.database.schema import ForeignKey, Schema, Table
from shardgate.split.decide.ownership import TableRoles, decide_ownership
from shardgate.split.decide.plan import SplitPlan, lookup_for
from shardgate.split.decide.survey import Survey

VENDORS = Table("vendors", ("id",), ("id",))
EVENTS = Table("events", ("id", "vendor"), ("id",), (ForeignKey(("vendor",), "vendors", ("id",)),))
OWNERSHIP = decide_ownership(Schema((VENDORS, EVENTS)), TableRoles("vendors"))


def plan(weights: Sequence[int], shard_of: Sequence[int]) -> SplitPlan:
    survey = Survey([("vendors", ("id",))])
    survey.tenants = {f"v{number}": number for number in range(len(weights))}
    survey.weights = list(weights)
    survey.rows = {"vendors": [1] * len(weights), "events": [number for number, _ in enumerate(weights)]}
    ddl = Ddl(before=("CREATE TABLE vendors",), after=())
    return SplitPlan("vendors", ("north", "south"), OWNERSHIP, ddl, survey, shard_of)


def test_the_directory_has_every_tenant_with_its_shard() -> None:
    assert plan([1, 1, 1], [0, 1, 0]).directory == [("v0", "north"), ("v1", "south"), ("v2", "north")]


def test_a_load_sums_up_the_tenants_of_a_shard() -> None:
    north, south = plan([10, 20, 30], [0, 1, 0]).loads
    assert (north.tenants, north.rows, north.bytes) == (2, 1 + 0 + 1 + 2, 40)
    assert (south.tenants, south.rows, south.bytes) == (1, 1 + 1, 20)


def test_a_tenant_that_fills_the_fullest_shard_alone_is_named() -> None:
    assert plan([90, 10, 10], [0, 1, 1]).sole_tenant == "v0"
    assert plan([10, 10, 10], [0, 1, 1]).sole_tenant is None


def test_equal_plans_have_equal_fingerprints() -> None:
    assert plan([1, 2], [0, 1]).fingerprint == plan([1, 2], [0, 1]).fingerprint


def test_a_change_of_what_is_made_changes_the_fingerprint() -> None:
    found = plan([1, 2], [0, 1])
    others = [
        plan([1, 2], [1, 0]),
        msgspec.structs.replace(found, space="shops"),
        msgspec.structs.replace(found, shards=("south", "north")),
        msgspec.structs.replace(found, ddl=Ddl(before=("CREATE TABLE vendor",), after=())),
    ]
    assert len({each.fingerprint for each in (found, *others)}) == len(others) + 1


def test_a_table_that_others_refer_to_is_looked_up_by_its_own_key() -> None:
    vendors, events = OWNERSHIP.owned
    survey = Survey([("vendors", ("id",))])
    assert lookup_for(vendors, survey).columns == (("id",),)
    assert lookup_for(events, survey).columns == (("vendor",),)
    assert lookup_for(events, survey).tenants == (survey.owners["vendors", ("id",)],)


def test_nullable_foreign_keys_are_all_tried() -> None:
    keys = (
        ForeignKey(("vendor",), "vendors", ("id",), nullable=True),
        ForeignKey(("event",), "events", ("id",), nullable=True),
    )
    tickets = Table("tickets", ("id", "vendor", "event"), ("id",), keys)
    ownership = decide_ownership(Schema((VENDORS, EVENTS, tickets)), TableRoles("vendors"))
    owned = next(each for each in ownership.owned if each.table.name == "tickets")
    survey = Survey([("vendors", ("id",)), ("events", ("id",))])
    assert set(lookup_for(owned, survey).columns) == {("vendor",), ("event",)}
