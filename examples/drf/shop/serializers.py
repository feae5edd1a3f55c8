"""Every model as it is."""

from rest_framework import serializers

from shop.models import Order, Product, Review, Store


class StoreSerializer(serializers.ModelSerializer):
    """Of a store."""

    class Meta:
        """All fields."""

        model = Store
        fields = "__all__"


class ProductSerializer(serializers.ModelSerializer):
    """Of a product."""

    class Meta:
        """All fields."""

        model = Product
        fields = "__all__"


class OrderSerializer(serializers.ModelSerializer):
    """Of an order."""

    class Meta:
        """All fields."""

        model = Order
        fields = "__all__"


class ReviewSerializer(serializers.ModelSerializer):
    """Of a review."""

    class Meta:
        """All fields."""

        model = Review
        fields = "__all__"
