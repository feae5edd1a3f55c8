"""Whole runs with one SQLAlchemy application, on all four pairs of databases.

From the shards together, the application reads the values that it read from the monolith.
"""

import datetime as dt
import random
import uuid
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from shardgate.store.sqlite import SqliteStore

shop = sa.MetaData()
countries = sa.Table(
    "countries", shop,
    sa.Column("code", sa.String(2), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)  # fmt: skip
vendors = sa.Table(
    "vendors", shop,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("country", sa.ForeignKey("countries.code"), nullable=False),
    sa.Column("since", sa.Date),
    sa.Column("settings", sa.JSON),
)  # fmt: skip
events = sa.Table(
    "events", shop,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("vendor_id", sa.ForeignKey("vendors.id"), nullable=False, index=True),
    sa.Column("after_id", sa.ForeignKey("events.id")),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("live", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("price", sa.Numeric(10, 2)),
    sa.Column("rating", sa.Double),
    sa.Column("opens", sa.Time),
    sa.Column("changed_at", sa.DateTime, server_default=sa.func.now()),
    sa.Column("photo", sa.LargeBinary),
    sa.CheckConstraint("price >= 0", name="price_not_negative"),
    sa.Index("live_names", "name", sqlite_where=sa.text("live = 1"), postgresql_where=sa.text("live")),
)  # fmt: skip
dates = sa.Table(
    "dates", shop,
    sa.Column("event_id", sa.ForeignKey("events.id"), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("seats", sa.Integer, nullable=False),
)  # fmt: skip
orders = sa.Table(
    "orders", shop,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("note", sa.Text),
    sa.ForeignKeyConstraint(["event_id", "day"], ["dates.event_id", "dates.day"]),
    sqlite_autoincrement=True,
)  # fmt: skip
visits = sa.Table("visits", shop, sa.Column("id", sa.Integer, primary_key=True))

# SQLite has no type for a UUID. SQLAlchemy stores one as CHAR(32), and only the user knows which columns hold one.
UUIDS = ("events.id", "events.after_id", "dates.event_id", "orders.event_id")
KINDS = ("sqlite", "postgresql")
TEXTS = ("plain", "", "tab\tand\nline", "back\\slash \\N", "ünïcode 漢字 🎈", "quote ' \" %s {x}", None)


def fill(engine: sa.Engine) -> None:
    chance = random.Random(7)
    shop.create_all(engine)
    some_countries = [{"code": code, "name": code * 2} for code in ("PT", "DE", "IT")]
    some_vendors = [
        {"id": f"v{n}", "country": chance.choice(("PT", "DE")), "since": dt.date(2020, 1, n + 1),
         "settings": chance.choice((None, {"b": 1, "a": [1.50, "x"]}, 7, "text"))}
        for n in range(9)
    ]  # fmt: skip
    some_events = [event(chance, n) for n in range(60)]
    some_dates = [
        {"event_id": each["id"], "day": dt.date(2030, 1, day), "seats": 2**31 + day if day == 2 else day}
        for each in some_events for day in (1, 2, 3)
    ]  # fmt: skip
    for each in some_dates:
        each["seats"] = min(each["seats"], 2**31 - 1)
    some_orders = [
        {"event_id": each["event_id"], "day": each["day"], "note": chance.choice(TEXTS)}
        for each in chance.choices(some_dates, k=300)
    ]
    with engine.begin() as connection:
        connection.execute(countries.insert(), some_countries)
        connection.execute(vendors.insert(), some_vendors)
        connection.execute(events.insert(), some_events)
        connection.execute(dates.insert(), some_dates)
        connection.execute(orders.insert(), some_orders)
        connection.execute(orders.delete().where(orders.c.id == 300))
        connection.execute(visits.insert(), [{"id": 1}])


def event(chance: random.Random, number: int) -> dict[str, object]:
    return {
        "id": uuid.UUID(int=chance.getrandbits(128)),
        "vendor_id": f"v{min(chance.randrange(9), chance.randrange(9))}",
        "after_id": None,
        "name": chance.choice([text for text in TEXTS if text is not None]),
        "live": chance.random() < 0.5,
        "price": chance.choice((None, Decimal("0.10"), Decimal("99.00"), Decimal("12345678.90"))),
        "rating": chance.choice((None, 0.1, 1 / 3, 1e300, -2.5, 5.0)),
        "opens": chance.choice((None, dt.time(9, 30), dt.time(23, 59, 59, 123456))),
        "changed_at": dt.datetime(2024, 2, 29, 12, number % 60, 1, number),
        "photo": chance.choice((None, b"", bytes(range(256)))),
    }


def everything(engine: sa.Engine, table: sa.Table) -> list[str]:
    with engine.connect() as connection:
        return sorted(repr(tuple(row)) for row in connection.execute(table.select()))


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_the_shards_together_hold_what_the_monolith_held(
    source: str, target: str, split, sqlite, postgres, engine, tmp_path: Path
) -> None:
    make = {"sqlite": sqlite, "postgresql": postgres}
    monolith = make[source]()
    fill(engine(monolith))
    into = [make[target]() for _ in range(3)]

    uuids = {("sqlite", "postgresql"): [f"{column}=uuid" for column in UUIDS]}
    result = split(
        monolith,
        into=into,
        names="a,b,c",
        reference="countries",
        empty="visits",
        type=uuids.get((source, target), []),
    )

    assert result.exit_code == 0, result.output
    assert "split: verified, 5 tables, 551 rows, 3 shards in" in result.output
    whole, parts = engine(monolith), [engine(url) for url in into]
    for table in (vendors, events, dates, orders):
        found = [row for part in parts for row in everything(part, table)]
        assert sorted(found) == everything(whole, table), table.name
    for part in parts:
        assert everything(part, countries) == everything(whole, countries)
        assert everything(part, visits) == []
        assert next_order(part) == 301
        names = (set(sa.inspect(each).get_table_names()) for each in (part, whole))
        assert next(names) == next(names)
    with SqliteStore(tmp_path / "directory.db") as store:
        found = {vendor: name for name, part in zip("abc", parts, strict=True) for vendor in vendor_ids(part)}
        assert store.read("vendors") == found


def next_order(engine: sa.Engine) -> int:
    """The id that a new order gets. It refers to a date that this shard has."""
    with engine.begin() as connection:
        day = connection.execute(dates.select().limit(1)).one()
        made = connection.execute(orders.insert().values(event_id=day.event_id, day=day.day))
        (number,) = made.inserted_primary_key
        connection.execute(orders.delete().where(orders.c.id == number))
        return int(number)


def vendor_ids(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(vendors.c.id)).scalars())


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_the_schema_still_protects_the_data(source: str, target: str, split, sqlite, postgres, engine) -> None:
    make = {"sqlite": sqlite, "postgresql": postgres}
    monolith = make[source]()
    fill(engine(monolith))
    into = [make[target]() for _ in range(2)]
    result = split(monolith, into=into, reference="countries", empty="visits")
    assert result.exit_code == 0, result.output

    part = engine(into[0])
    found = sa.inspect(part)
    assert found.get_pk_constraint("dates")["constrained_columns"] == ["event_id", "day"]
    assert {tuple(k["constrained_columns"]) for k in found.get_foreign_keys("events")} == {
        ("vendor_id",), ("after_id",)
    }  # fmt: skip
    assert found.get_foreign_keys("orders")[0]["referred_columns"] == ["event_id", "day"]
    assert found.get_unique_constraints("countries")[0]["column_names"] == ["name"]
    assert {index["name"] for index in found.get_indexes("events")} == {
        "ix_events_vendor_id", "live_names"
    }  # fmt: skip
    assert found.get_check_constraints("events")[0]["name"] == "price_not_negative"
    nullable = {column["name"]: column["nullable"] for column in found.get_columns("events")}
    assert nullable["name"] is False
    assert nullable["price"] is True
    with part.begin() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(events.update().values(price=-1))
