"""Coupons, vouchers and users: what belongs to a vendor, and is served alike."""

from typing import Any

import pytest

from api_tests.client import Api
from api_tests.making import UNKNOWN, Making

KINDS = ["coupon", "voucher", "user"]
CHANGES: dict[str, dict[str, Any]] = {
    "coupon": {"percent": 20, "active": False},
    "voucher": {"balance": 1, "expires_on": "2031-12-31"},
    "user": {"role": "manager", "active": False},
}
UNIQUE = {"coupon": "code", "voucher": "code", "user": "email"}
WRONG: dict[str, dict[str, Any]] = {
    "coupon": {"percent": 101},
    "voucher": {"value": 0},
    "user": {"role": "king"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_created_listed_read_and_changed(api: Api, making: Making, vendor: str, kind: str) -> None:
    body = making.child(kind)
    made = api.call(f"create_{kind}", vendor_id=vendor, body=body).expect(201)
    assert made["vendor_id"] == vendor
    assert {name: made[name] for name in body} == body
    path = {"vendor_id": vendor, f"{kind}_id": made["id"]}
    assert api.call(f"get_{kind}", **path).expect(200) == made
    assert made in api.call(f"list_vendor_{kind}s", vendor_id=vendor).expect(200)
    assert api.call(f"list_{kind}s", query={"accept": made["id"]}).expect(200) == [made]
    changed = api.call(f"change_{kind}", body=CHANGES[kind], **path).expect(200)
    assert {name: changed[name] for name in CHANGES[kind]} == CHANGES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_of_one_vendor_are_alike(api: Api, making: Making, vendor: str, kind: str) -> None:
    body = making.child(kind)
    api.call(f"create_{kind}", vendor_id=vendor, body=body).expect(201)
    api.call(f"create_{kind}", vendor_id=vendor, body={**making.child(kind), UNIQUE[kind]: body[UNIQUE[kind]]}).refused(
        409
    )
    other = making.new_vendor()
    api.call(f"create_{kind}", vendor_id=other, body=body).expect(201)


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_cannot_be_is_422(api: Api, making: Making, vendor: str, kind: str) -> None:
    api.call(f"create_{kind}", vendor_id=vendor, body={**making.child(kind), **WRONG[kind]}).refused(422)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_read_below_its_own_vendor_alone(api: Api, making: Making, vendor: str, kind: str) -> None:
    made = api.call(f"create_{kind}", vendor_id=vendor, body=making.child(kind)).expect(201)
    other = making.new_vendor()
    for owner, id_ in ((other, made["id"]), (vendor, UNKNOWN)):
        path: dict[str, Any] = {"vendor_id": owner, f"{kind}_id": id_}
        api.call(f"get_{kind}", **path).refused(404)
