"""One view set for each model; the three ways in which REST framework pages."""

from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import pagination, viewsets

from shop import serializers
from shop.models import Order, Product, Review, Store


class Pages(pagination.PageNumberPagination):
    """`page` and `page_size`."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100


class Slices(pagination.LimitOffsetPagination):
    """`limit` and `offset`."""

    default_limit = 25
    max_limit = 100


class Newest(pagination.CursorPagination):
    """`cursor`: the newest first."""

    page_size = 15
    page_size_query_param = "page_size"
    max_page_size = 60
    ordering = ("-created", "id")


class StoreViewSet(viewsets.ModelViewSet):
    """/stores/"""

    queryset = Store.objects.order_by("id")
    serializer_class = serializers.StoreSerializer
    pagination_class = Pages
    filterset_fields = {"city": ["exact"], "active": ["exact"], "opened": ["gte", "lte"]}
    search_fields = ["name", "city"]
    ordering_fields = ["id", "name", "city", "opened", "active"]


class ProductViewSet(viewsets.ModelViewSet):
    """/products/"""

    queryset = Product.objects.order_by("sku")
    serializer_class = serializers.ProductSerializer
    pagination_class = Pages
    filterset_fields = {
        "store": ["exact"],
        "price": ["exact", "gte", "lte"],
        "name": ["exact", "icontains"],
        "rating": ["isnull", "gte"],
    }
    search_fields = ["name", "sku"]
    ordering_fields = ["sku", "name", "price", "stock", "rating"]


class OrderViewSet(viewsets.ModelViewSet):
    """/orders/"""

    queryset = Order.objects.order_by("id")
    serializer_class = serializers.OrderSerializer
    pagination_class = Slices
    filterset_fields = {
        "store": ["exact"],
        "product": ["exact"],
        "status": ["exact", "in"],
        "quantity": ["gte", "lte"],
        "placed": ["gte", "lte"],
    }
    ordering_fields = ["id", "quantity", "status", "placed"]


class ReviewViewSet(viewsets.ModelViewSet):
    """/reviews/"""

    queryset = Review.objects.all()
    serializer_class = serializers.ReviewSerializer
    pagination_class = Newest
    filterset_fields = {"store": ["exact"], "stars": ["exact", "gte"]}
    filter_backends = [DjangoFilterBackend]
