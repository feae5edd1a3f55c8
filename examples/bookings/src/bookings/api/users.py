"""Users: who works for a vendor."""

from bookings.api.vendor_children import Child, router_of
from bookings.resources import USERS
from bookings.schemas.trade import NewUser, User, UserChange

router = router_of(Child(USERS, User, NewUser, UserChange, unique_by="address", also=lambda _: {"active": True}))
