"""Which tenant each row belongs to, by its keys alone. The tables are lists in memory."""

from collections.abc import Iterator, Sequence

from shardgate.split.database.rows import ColumnValues, RowBatch
from shardgate.split.database.schema import ForeignKey, Schema, Table
from shardgate.split.decide.ownership import TableRoles, decide_ownership
from shardgate.split.decide.survey import Survey, take_survey

VENDORS = Table("vendors", ("id", "slug"), ("id",))
MENUS = Table(
    "menus", ("id", "vendor_id", "parent_id"), ("id",),
    (ForeignKey(("vendor_id",), "vendors", ("id",), nullable=True),
     ForeignKey(("parent_id",), "menus", ("id",), nullable=True)),
)  # fmt: skip
EVENTS = Table("events", ("id", "vendor_id"), ("id",), (ForeignKey(("vendor_id",), "vendors", ("id",)),))
ORDERS = Table(
    "orders", ("id", "vendor_id", "event_id"), ("id",),
    (ForeignKey(("vendor_id",), "vendors", ("id",)),
     ForeignKey(("event_id",), "events", ("id",), nullable=True)),
)  # fmt: skip


class Lists:
    """Reads tables that are lists. The size of a row is 10 bytes."""

    prints_values = False

    def __init__(self, **rows: list[ColumnValues]) -> None:
        self._rows = rows
        self._columns = {each.name: each.columns for each in (VENDORS, MENUS, EVENTS, ORDERS)}

    def values(self, table: str, columns: Sequence[str], weigh: Sequence[str] = ()) -> Iterator[Sequence[ColumnValues]]:
        places = [self._columns[table].index(column) for column in columns]
        yield [(*(row[place] for place in places), 10) for row in self._rows[table]]

    def rows(self, table: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]]) -> Iterator[RowBatch]:
        raise NotImplementedError

    def query(self, statement: str) -> list[tuple[object, ...]]:
        raise NotImplementedError

    def close(self) -> None: ...


def survey(*tables: Table, by: str = "id", **rows: list[ColumnValues]) -> Survey:
    ownership = decide_ownership(Schema((VENDORS, *tables)), TableRoles("vendors"))
    return take_survey(Lists(**rows), ownership, by)


def test_each_key_has_an_owner_and_each_tenant_a_weight() -> None:
    found = survey(
        EVENTS, ORDERS,
        vendors=[(1, "a"), (2, "b")],
        events=[(10, 1), (20, 2)],
        orders=[(100, 2, 20), (101, 2, None), (102, 1, 10)],
    )  # fmt: skip
    assert found.tenants == {"1": 0, "2": 1}
    assert found.owners["events", ("id",)] == {10: 0, 20: 1}
    assert found.rows == {"vendors": [1, 1], "events": [1, 1], "orders": [1, 2]}
    assert found.weights == [30, 40]
    assert found.findings.lines() == ()


def test_the_directory_can_be_keyed_by_another_column() -> None:
    found = survey(EVENTS, by="slug", vendors=[(1, "a"), (2, "b")], events=[(10, 2)])
    assert found.tenants == {"a": 0, "b": 1}
    assert found.owners["vendors", ("id",)] == {1: 0, 2: 1}


def test_a_tree_takes_its_tenant_from_its_root_in_any_order() -> None:
    found = survey(
        MENUS, vendors=[(1, "a"), (2, "b")],
        menus=[(5, None, 4), (4, None, 3), (3, 2, None), (6, 1, None), (7, 1, 6)],
    )  # fmt: skip
    assert found.owners["menus", ("id",)] == {5: 1, 4: 1, 3: 1, 6: 0, 7: 0}
    assert found.findings.lines() == ()


def test_a_row_with_parents_in_two_tenants_is_named_with_both() -> None:
    found = survey(EVENTS, ORDERS, vendors=[(1, "a"), (2, "b")], events=[(10, 1)], orders=[(100, 2, 10)])
    (line,) = found.findings.lines()
    assert line.startswith("orders: row 100 has parents in two tenants, 2 and 1")


def test_a_row_that_is_read_before_its_parent_is_checked_too() -> None:
    found = survey(MENUS, vendors=[(1, "a"), (2, "b")], menus=[(5, 1, 4), (4, 2, None)])
    (line,) = found.findings.lines()
    assert line.startswith("menus: row 5 has parents in two tenants, 1 and 2")


def test_a_row_without_an_owner_is_named() -> None:
    found = survey(MENUS, vendors=[(1, "a")], menus=[(5, None, None)])
    (line,) = found.findings.lines()
    assert line.startswith("menus: row 5 belongs to no tenant")
    assert "Set it, or say where such rows go: --unowned menus=all" in line


def test_a_row_that_refers_to_nothing_is_named() -> None:
    found = survey(EVENTS, vendors=[(1, "a")], events=[(10, 9)])
    (line,) = found.findings.lines()
    assert line.startswith("events: row 10 refers to vendors 9, which does not exist")


def test_rows_in_a_ring_without_a_root_are_named() -> None:
    found = survey(MENUS, vendors=[(1, "a")], menus=[(5, None, 6), (6, None, 5)])
    assert len(found.findings.lines()) == 2


def test_of_many_wrong_rows_three_are_named_and_the_others_counted() -> None:
    found = survey(EVENTS, vendors=[(1, "a")], events=[(key, 9) for key in range(1000)])
    assert len(found.findings.lines()) == 4
    assert found.findings.lines()[-1] == "events: 997 more rows like these"


def test_the_column_that_names_tenants_must_be_unique_and_never_null() -> None:
    lines = survey(by="slug", vendors=[(1, "a"), (2, "a"), (3, None)]).findings.lines()
    assert "vendors: two rows have slug a" in lines[0]
    assert "vendors: a row has NULL in slug" in lines[1]


def test_a_link_to_a_column_that_is_not_unique_is_refused() -> None:
    by_slug = ForeignKey(("vendor_id",), "vendors", ("slug",))
    events = Table("events", ("id", "vendor_id"), ("id",), (by_slug,))
    found = survey(events, vendors=[(1, "same"), (2, "same")], events=[(10, "same")])
    assert "a foreign key refers to same, but rows of two tenants have that value" in (found.findings.lines()[0])
