"""The whole data set, table by table, parents before children."""

from collections.abc import Iterator

from sqlalchemy import Table

from bookings import tables as t
from bookings.seed import catalogue, people
from bookings.seed.catalogue import Row
from bookings.seed.chance import Chance
from bookings.seed.cities import Cities
from bookings.seed.resold import resold
from bookings.seed.sizes import Sizes
from bookings.seed.trade import Market


def platform(seed: int, scale: float) -> Iterator[tuple[Table, list[Row]]]:
    chance, cities, sizes = Chance(seed), Cities(), Sizes.at(scale)
    homes = catalogue.homes(chance, cities, sizes)
    yield t.clients, list(people.clients(chance, homes))
    yield t.categories, list(catalogue.categories(chance))
    yield t.vendors, list(catalogue.vendors(chance, homes))
    yield t.coupons, list(people.coupons(chance, homes))
    yield t.vouchers, list(people.vouchers(chance, homes))
    yield t.users, list(people.users(chance, homes))
    events = list(catalogue.events(chance, cities, homes))
    yield t.events, events
    # Orders are placed before dates are written: a date says how many of its seats are booked.
    dates = list(catalogue.dates(chance, events))
    trade = Market(chance, events, dates).trade(sizes.orders)
    yield t.dates, dates
    yield t.orders, trade.orders
    yield t.order_items, trade.items
    yield t.tickets, trade.tickets
    yield t.payments, trade.payments
    bookings, units = resold(chance, trade)
    yield t.bookings, bookings
    yield t.booking_units, units
