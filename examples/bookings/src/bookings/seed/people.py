"""The rest of what vendors have (coupons, vouchers, users), and the clients of the API."""

from collections.abc import Iterator
from random import Random

from bookings import tables as t
from bookings.identity.clients import hash_secret
from bookings.search import search_text
from bookings.seed import moments
from bookings.seed.catalogue import Home, Row
from bookings.seed.chance import Chance
from bookings.seed.sizes import CLIENTS_OF_VENDORS
from bookings.seed.words import DESKS
from bookings.trade.placing import CURRENCY


def coupons(chance: Chance, homes: list[Home]) -> Iterator[Row]:
    random = chance.of("coupons")
    for vendor, home in enumerate(homes):
        for percent in random.sample((5, 10, 15, 20, 25, 50), _some(random, home)):
            row = {
                "id": chance.id("coupon", 10 * vendor + percent // 5),
                "vendor_id": home.id,
                "code": f"SAVE{percent}",
                "percent": percent,
                "active": random.random() < 0.8,
                **_stamped(random),
            }
            yield {**row, "search": search_text(t.coupons, row)}


def vouchers(chance: Chance, homes: list[Home]) -> Iterator[Row]:
    random = chance.of("vouchers")
    number = 0
    for home in homes:
        for _ in range(2 * _some(random, home)):
            value = random.choice((2_000, 2_500, 5_000, 10_000))
            row = {
                "id": chance.id("voucher", number),
                "vendor_id": home.id,
                "code": f"GIFT-{chance.bytes('gift', number)[:4].hex().upper()}",
                "value": value,
                "balance": value if random.random() < 0.6 else random.randrange(value),
                "currency": CURRENCY,
                "expires_on": moments.day(random) if random.random() < 0.5 else None,
                **_stamped(random),
            }
            yield {**row, "search": search_text(t.vouchers, row)}
            number += 1


def users(chance: Chance, homes: list[Home]) -> Iterator[Row]:
    random = chance.of("users")
    number = 0
    for vendor, home in enumerate(homes, 1):
        for desk in range(1 + _some(random, home)):
            row = {
                "id": chance.id("user", number),
                "vendor_id": home.id,
                "name": f"{random.choice(DESKS)} {desk + 1}",
                "email": f"desk-{desk + 1}@vendor-{vendor}.example",
                "role": random.choice(("manager", "agent", "guide")) if desk else "owner",
                "active": random.random() < 0.9,
                **_stamped(random),
            }
            yield {**row, "search": search_text(t.users, row)}
            number += 1


def clients(chance: Chance, homes: list[Home]) -> Iterator[Row]:
    """A marketplace, and the largest vendors; each one's secret is its id and `-secret`."""
    names: list[tuple[str, str | None]] = [("marketplace", None)]
    names += [(f"vendor-{n}", home.id) for n, home in enumerate(homes[:CLIENTS_OF_VENDORS], 1)]
    for number, (name, vendor_id) in enumerate(names):
        yield {
            "id": name,
            "kind": "vendor" if vendor_id else "marketplace",
            "vendor_id": vendor_id,
            "secret_hash": hash_secret(f"{name}-secret", chance.bytes("salt", number)),
        }


def _some(random: Random, home: Home) -> int:
    """More for larger vendors, none for some small ones."""
    return min(6, random.randrange(3) + home.events.bit_length() // 3)


def _stamped(random: Random) -> Row:
    created, updated = moments.stamps(random, moments.CATALOGUE, 2)
    return {"created_at": created, "updated_at": updated}
