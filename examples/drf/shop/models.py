"""Stores, and what is theirs: every row belongs to one store."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone


class Store(models.Model):
    """The tenant."""

    name = models.CharField(max_length=60)
    city = models.CharField(max_length=40)
    opened = models.DateField()
    active = models.BooleanField(default=True)


class Product(models.Model):
    """Named by its stock-keeping unit."""

    sku = models.CharField(max_length=20, primary_key=True)
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="products")
    name = models.CharField(max_length=80)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    stock = models.PositiveIntegerField(default=0)
    rating = models.FloatField(null=True, blank=True)


class Order(models.Model):
    """Numbered by the database."""

    class Status(models.TextChoices):
        """What became of it."""

        OPEN = "open"
        PAID = "paid"
        SENT = "sent"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="orders")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="orders")
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    placed = models.DateTimeField(default=timezone.now)


class Review(models.Model):
    """Named by chance."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="reviews")
    stars = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    text = models.TextField(blank=True)
    created = models.DateTimeField(default=timezone.now)
