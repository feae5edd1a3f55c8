"""Vouchers: money paid ahead, to be spent with one vendor."""

from bookings.api.vendor_children import Child, router_of
from bookings.resources import VOUCHERS
from bookings.schemas.trade import NewVoucher, Voucher, VoucherChange
from bookings.trade.placing import CURRENCY

router = router_of(
    Child(
        VOUCHERS,
        Voucher,
        NewVoucher,
        VoucherChange,
        unique_by="code",
        also=lambda body: {"balance": body.value, "currency": CURRENCY},
    )
)
