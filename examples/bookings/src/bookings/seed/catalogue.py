"""The rows of the catalogue: categories, vendors, events, dates."""

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple, TypeAlias

from bookings import tables as t
from bookings.search import search_text
from bookings.seed import moments
from bookings.seed.chance import Chance
from bookings.seed.cities import Cities, City
from bookings.seed.sizes import Sizes
from bookings.seed.words import COMMON, DETAILS, MANNERS, OFFERS, TRADES
from bookings.trade.placing import CURRENCY

Row: TypeAlias = dict[str, Any]


class Home(NamedTuple):
    """A vendor as the rest of the seed needs it."""

    id: str
    city: City
    events: int


def categories(chance: Chance) -> Iterator[Row]:
    random = chance.of("categories")
    for number, offer in enumerate(OFFERS):
        created, updated = moments.stamps(random, moments.CATALOGUE)
        row = {
            "id": chance.id("category", number),
            "slug": offer.slug,
            "name": offer.name,
            "created_at": created,
            "updated_at": updated,
        }
        yield {**row, "search": search_text(t.categories, row)}


def homes(chance: Chance, cities: Cities, sizes: Sizes) -> list[Home]:
    random = chance.of("homes")
    return [
        Home(chance.id("vendor", number), cities.draw(random), events)
        for number, events in enumerate(sizes.events_of_vendors())
    ]


def vendors(chance: Chance, homes: list[Home]) -> Iterator[Row]:
    random = chance.of("vendors")
    for number, home in enumerate(homes):
        created, updated = moments.stamps(random, moments.CATALOGUE, 2)
        row = {
            "id": home.id,
            "name": f"{home.city.name} {random.choice(TRADES)}",
            "email": f"office@vendor-{number + 1}.example",
            "city": home.city.name,
            "country": home.city.country,
            "rating": _rating(random),
            "active": random.random() < 0.97,
            "created_at": created,
            "updated_at": updated,
        }
        yield {**row, "search": search_text(t.vendors, row)}


def events(chance: Chance, cities: Cities, homes: list[Home]) -> Iterator[Row]:
    random = chance.of("events")
    number = 0
    for home in homes:
        for _ in range(home.events):
            # Most of what a vendor offers is at home.
            city = home.city if random.random() < 0.7 else cities.draw(random)
            yield _event(chance.id("event", number), home.id, city, chance, random)
            number += 1


def _event(id_: str, vendor_id: str, city: City, chance: Chance, random: Random) -> Row:
    category = random.randrange(len(OFFERS))
    noun = random.choice(OFFERS[category].nouns)
    name = _name(city, noun, random)
    created, updated = moments.stamps(random, moments.CATALOGUE, 2)
    row = {
        "id": id_,
        "vendor_id": vendor_id,
        "category_id": chance.id("category", category),
        "name": name,
        "description": f"{noun.capitalize()} in {city.name}. " + " ".join(random.sample(DETAILS, 2)),
        "city": city.name,
        "country": city.country,
        "latitude": round(city.latitude + random.uniform(-0.05, 0.05), 5),
        "longitude": round(city.longitude + random.uniform(-0.05, 0.05), 5),
        "price": random.randrange(5, 250) * 100 - random.choice((0, 0, 1, 50)),
        "currency": CURRENCY,
        "duration_minutes": random.choice((45, 60, 90, 120, 150, 180, 240, 480)),
        "capacity": random.choice((6, 8, 10, 12, 15, 20, 30, 50)),
        "rating": _rating(random),
        "reviews": int(random.paretovariate(0.8)) % 20_000,
        "active": random.random() < 0.95,
        "created_at": created,
        "updated_at": updated,
    }
    return {**row, "search": search_text(t.events, row)}


def _name(city: City, noun: str, random: Random) -> str:
    manner = random.choice(MANNERS)
    forms = (
        f"{city.name}: {manner} {noun}",
        f"{manner.capitalize()} {noun} in {city.name}",
        f"{noun.capitalize()} {city.name}",
        f"{noun} of {city.name}",
        f"{city.name.upper()} {noun}",
        random.choice(COMMON),
    )
    return random.choices(forms, weights=(30, 30, 20, 10, 4, 6))[0]


def _rating(random: Random) -> float | None:
    return None if random.random() < 0.15 else round(random.triangular(2.5, 5.0, 4.6), 1)


def dates(chance: Chance, event_rows: list[Row]) -> Iterator[Row]:
    """About nine dates an event, no seat booked yet."""
    random = chance.of("dates")
    number = 0
    for event in event_rows:
        for _ in range(random.randrange(4, 15)):
            created, updated = moments.stamps(random, moments.ORDERS)
            weekend = random.random() < 0.25
            yield {
                "id": chance.id("date", number),
                "event_id": event["id"],
                "start_date": moments.day(random),
                "start_time": f"{random.randrange(8, 21):02}:{random.choice(('00', '30'))}",
                "capacity": event["capacity"],
                "booked": 0,
                "price": event["price"] * 6 // 5 if weekend else event["price"],
                "currency": CURRENCY,
                "created_at": created,
                "updated_at": updated,
            }
            number += 1
