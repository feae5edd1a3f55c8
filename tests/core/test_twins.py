"""Names that some parser takes for one another, and names that none does."""

import pytest

from shardgate.core.twins import is_header_twin, is_other_spelling, is_twin

SPELLINGS = [
    "Vendor_Id",
    "vendorId",
    "vendor-id",
    "vendor.id",
    "vendor id",
    "vendorid",
    " vendor_id",
    "vendor_id ",
    "vendor_id\0",
    "vendor_id\0x",
    "vendor_\u0131d",
    "vendor_\u0130d",
    "\uff56\uff45\uff4e\uff44\uff4f\uff52_id",
    "vendor_id[]",
]
PARTS = ["vendor_id[0]", "vendor_id[a][b]", "vendor_id.x", "%76endor_id", "vendorId[0]"]
OTHERS = [
    "vendor_id",
    "vendor",
    "vendor_ids",
    "_vendor_id",
    "vendor_id_",
    "vendor__id",
    "vendor_id_x",
    "xvendor_id",
    "",
    "é",
]


@pytest.mark.parametrize("name", SPELLINGS)
def test_another_spelling_is_a_twin(name: str) -> None:
    assert is_twin(name, "vendor_id")
    assert is_other_spelling(name, "vendor_id")


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_a_twin_of_a_parameter_and_no_member(name: str) -> None:
    assert is_twin(name, "vendor_id")
    assert not is_other_spelling(name, "vendor_id")


@pytest.mark.parametrize("name", OTHERS)
def test_what_no_parser_folds_is_no_twin(name: str) -> None:
    assert not is_twin(name, "vendor_id")
    assert not is_other_spelling(name, "vendor_id")


@pytest.mark.parametrize(
    ("name", "key"), [("to\u212aen", "token"), ("\u017fhop", "shop"), ("\ufb01lter", "filter"), ("STRASSE", "straße")]
)
def test_letters_that_fold_into_others(name: str, key: str) -> None:
    assert is_twin(name, key)
    assert is_other_spelling(name, key)


def test_a_long_name_is_folded_at_its_beginning_only() -> None:
    assert is_twin("vendor[" + "é" * 100_000, "vendor")
    assert not is_twin("é" * 100_000, "vendor")
    assert not is_other_spelling("vendor" + "é" * 100_000, "vendor")


@pytest.mark.parametrize(("name", "twin"), [(".shop", True), (" .shop", True), ("%2Eshop", True), ("shop", False)])
def test_a_point_at_the_beginning_is_an_underscore_to_php(name: str, twin: bool) -> None:
    assert is_twin(name, "_shop") is twin
    assert not is_twin("_shop", "_shop")


@pytest.mark.parametrize(("name", "twin"), [(b"x_vendor", True), (b"x.vendor", True), (b"x-vendors", False)])
def test_a_header_that_cgi_folds_is_a_twin(name: bytes, twin: bool) -> None:
    assert is_header_twin(name, b"x-vendor") is twin
    assert not is_header_twin(b"x-vendor", b"x-vendor")
