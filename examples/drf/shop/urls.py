"""The router of REST framework."""

from django.urls import include, path
from rest_framework import routers

from shop import views

router = routers.DefaultRouter()
router.register("stores", views.StoreViewSet)
router.register("products", views.ProductViewSet)
router.register("orders", views.OrderViewSet)
router.register("reviews", views.ReviewViewSet)

urlpatterns = [path("", include(router.urls))]
