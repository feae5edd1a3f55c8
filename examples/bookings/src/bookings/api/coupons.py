"""Coupons: the discounts that a vendor gives."""

from bookings.api.vendor_children import Child, router_of
from bookings.resources import COUPONS
from bookings.schemas.trade import Coupon, CouponChange, NewCoupon

router = router_of(
    Child(COUPONS, Coupon, NewCoupon, CouponChange, unique_by="code", also=lambda _: {"active": True}),
)
