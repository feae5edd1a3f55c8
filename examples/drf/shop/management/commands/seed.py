"""Fills an empty database: the same rows at every call."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from rest_framework.authtoken.models import Token

from shop.models import Order, Product, Review, Store

TOKEN = "3f2b9c54a1d0e6f7"  # noqa: S105 - of an example, on loopback
STORES, PRODUCTS, ORDERS, REVIEWS = 1020, 1500, 1500, 1200
CITIES = ("Lisboa", "Porto", "Braga", "Évora", "Coimbra")
GOODS = ("Tea", "tea", "Coffee", "Honey", "Olive oil", "Azulejo", "Cork bag", "Sardines", "São Jorge cheese")


class Command(BaseCommand):
    """`manage.py seed`"""

    help = "Fill an empty database with stores, products, orders and reviews."

    def handle(self, **_: object) -> None:
        """Rows stand in the order of their ids."""
        chance = Random(1143)
        user = User.objects.create(username="clerk", is_active=True)
        Token.objects.create(user=user, key=TOKEN)
        stores = Store.objects.bulk_create(self.store(number, chance) for number in range(1, STORES + 1))
        products = Product.objects.bulk_create(
            self.product(number, chance.choice(stores), chance) for number in range(1, PRODUCTS + 1)
        )
        Order.objects.bulk_create(
            self.order(number, chance.choice(products), chance) for number in range(1, ORDERS + 1)
        )
        reviews = [self.review(chance.choice(stores), chance) for _ in range(REVIEWS)]
        Review.objects.bulk_create(sorted(reviews, key=lambda review: review.id.hex))

    def store(self, number: int, chance: Random) -> Store:
        """Of a few cities, so that many are equal."""
        opened = date(1950, 1, 1) + timedelta(days=chance.randrange(25_000))
        name = f"{chance.choice(('Casa', 'Loja', 'Mercado'))} {chance.randrange(1, 200)}"
        return Store(id=number, name=name, city=chance.choice(CITIES), opened=opened, active=chance.random() < 0.8)

    def product(self, number: int, store: Store, chance: Random) -> Product:
        """Some without a rating."""
        return Product(
            sku=f"sku-{number:05}",
            store=store,
            name=f"{chance.choice(GOODS)} {chance.randrange(1, 40)}",
            price=Decimal(chance.randrange(100, 3000)) / 100,
            stock=chance.randrange(60),
            rating=None if chance.random() < 0.2 else chance.randrange(10, 51) / 10,
        )

    def order(self, number: int, product: Product, chance: Random) -> Order:
        """Of one product of the same store."""
        return Order(
            id=number,
            store_id=product.store_id,
            product=product,
            quantity=chance.randrange(1, 20),
            status=chance.choice(Order.Status.values),
            placed=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(200_000)),
        )

    def review(self, store: Store, chance: Random) -> Review:
        """Two may be of one second."""
        return Review(
            id=UUID(int=chance.getrandbits(128), version=4),
            store=store,
            stars=chance.randrange(1, 6),
            text=chance.choice(("", "Ótimo!", "fine", "never again", "“again”")),
            created=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=chance.randrange(900)),
        )
