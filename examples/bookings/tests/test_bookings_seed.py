"""The seed: the same rows every time, and rows that hold together."""

import hashlib
from pathlib import Path

import pytest
from bookings_running import Platform, running, seed
from sqlalchemy import func, inspect, select

from bookings import tables as t
from bookings.database import Database
from bookings.seed.loading import NotEmptyError
from bookings.seed.sizes import Sizes
from bookings.settings import Settings, database_url


def content(database: Database) -> dict[str, str]:
    """A hash of every table's rows."""
    found = {}
    with database.read() as connection:
        for table in t.metadata.sorted_tables:
            rows = connection.execute(select(table).order_by(*table.primary_key)).all()
            found[table.name] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


def seeded(url: str, number: int) -> Database:
    seed(url, number=number)
    return Database(url)


def test_a_seed_gives_the_same_rows_on_any_run_and_any_database(tmp_path: Path, scratch_url: str) -> None:
    files = [database_url(str(tmp_path / name)) for name in ("one.db", "again.db", "other.db")]
    databases = [seeded(url, 7) for url in (*files[:2], scratch_url)]
    databases.append(seeded(files[2], 8))
    one, again, postgres, other = map(content, databases)
    assert one == again == postgres
    different = {name for name in one if one[name] != other[name]}
    assert different >= {"vendors", "events", "dates", "orders", "tickets", "clients"}
    for database in databases:
        database.close()
    with pytest.raises(NotEmptyError):
        seed(scratch_url)


def test_both_databases_give_the_same_bytes(tmp_path: Path, scratch_url: str) -> None:
    urls = (database_url(str(tmp_path / "bookings.db")), scratch_url)
    replies: list[list[bytes]] = []
    for url in urls:
        seed(url, force=True)
        with running(Settings(database=url)) as platform:
            replies.append(
                [
                    platform.client().get(f"/v3/{what}?{query}&with_count=true").content
                    for what in ("events", "dates", "orders", "vouchers", "users")
                    for query in ("", "order=-updated_at", "match=É", "limit=7&offset=3")
                ]
            )
    assert replies[0] == replies[1]


def test_a_target_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    url = database_url(str(tmp_path / "bookings.db"))
    seed(url)
    with pytest.raises(NotEmptyError):
        seed(url)
    seed(url, force=True)
    assert [each.name for each in tmp_path.iterdir()] == ["bookings.db"]


def test_seats_add_up_and_are_never_oversold(tmp_path: Path) -> None:
    database = seeded(database_url(str(tmp_path / "bookings.db")), 11)
    items, orders, dates = t.order_items.c, t.orders.c, t.dates.c
    sold = (
        select(items.date_id, func.sum(items.quantity).label("seats"))
        .join_from(t.order_items, t.orders)
        .where(orders.status != "cancelled")
        .group_by(items.date_id)
        .subquery()
    )
    statement = select(dates.booked, dates.capacity, func.coalesce(sold.c.seats, 0)).select_from(
        t.dates.outerjoin(sold, sold.c.date_id == dates.id)
    )
    with database.read() as connection:
        for booked, capacity, seats in connection.execute(statement):
            assert seats == booked <= capacity
    database.close()


def test_the_data_has_what_makes_sorting_hard(platform: Platform) -> None:
    rows = platform.get("/v3/events")
    names = [row["name"] for row in rows]
    assert len(set(names)) < len(names)
    assert any(not name.isascii() for name in names)
    assert {name[0].isupper() for name in names} == {True, False}
    assert any(row["rating"] is None for row in rows)


def test_sizes_at_full_scale() -> None:
    sizes = Sizes.at(1)
    counts = sizes.events_of_vendors()
    assert (sizes.vendors, sizes.events, sizes.orders) == (1_200, 33_000, 50_000)
    assert (len(counts), sum(counts), min(counts)) == (1_200, 33_000, 4)
    assert max(counts) > 100 * min(counts)


def test_every_table_of_a_vendor_reaches_it_by_foreign_keys(either: Platform) -> None:
    inspector = inspect(either.database.engine)
    owned, aside = {"vendors"}, {"categories", "clients", "tokens", "usage"}
    while True:
        reached = {
            name
            for name in inspector.get_table_names()
            if any(key["referred_table"] in owned for key in inspector.get_foreign_keys(name))
        }
        if reached <= owned:
            break
        owned |= reached
    assert owned | aside == set(t.metadata.tables)
    assert not owned & aside
