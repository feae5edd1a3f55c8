"""The reference platform's rules: filters that name vendors leave the other shards alone."""

from pathlib import Path

import jwt
import pytest
import yaml

from proof.data import ROOT
from shardgate.config.load import Loaded, load
from shardgate.process.explain import explain_request
from shardgate.store.sqlite import SqliteStore

SECRET = "a-secret-of-the-test-that-is-long-enough"


@pytest.fixture
def platform(tmp_path: Path) -> Loaded:
    """Its configuration, with vendors v1 on north, v2 on south and v3 on west."""
    config = yaml.safe_load((ROOT / "examples/bookings/shardgate.yaml").read_text())
    config["clients"]["jwt"] = {"algorithms": ["HS256"], "key_file": "token.secret"}
    config |= {"openapi": str(ROOT / "examples/bookings/openapi.json"), "directory": "directory.db"}
    with SqliteStore(tmp_path / "directory.db") as store:
        store.put_many("vendors", [("v1", "north"), ("v2", "south"), ("v3", "west")])
    (tmp_path / "token.secret").write_text(SECRET)
    (tmp_path / "shardgate.yaml").write_text(yaml.safe_dump(config))
    return load(tmp_path / "shardgate.yaml")


@pytest.mark.parametrize("path", ["events", "dates", "coupons", "vouchers", "users", "reports/sales"])
@pytest.mark.parametrize(
    ("vendors", "shards"),
    [("v1", ["north"]), ("v3,v1", ["north", "west"]), ("v1,other", ["north", "south", "west"]), ("", None)],
)
def test_accept_vendors_is_asked_of_their_shards(
    platform: Loaded, path: str, vendors: str, shards: list[str] | None
) -> None:
    said = asked(platform, f"/v3/{path}?group_by=city&accept_vendors={vendors}")
    assert [line.partition(":")[0] for line in said] == (shards or ["north", "south", "west"])


def test_accepted_vendors_and_a_vendors_own_list_are_asked_of_their_shard(platform: Loaded) -> None:
    assert len(asked(platform, "/v3/vendors?accept=v2")) == 1
    lines, _ = explain_request(platform, "GET", "/v3/vendors/v2/events", [], b"")
    assert ("shard", "south owns the key 'v2'") in lines


def test_explain_says_why_a_shard_is_left_out(platform: Loaded) -> None:
    lines, _ = explain_request(platform, "GET", "/v3/events?accept_vendors=v1,v3", [], b"")
    assert ("pruned", "accept_vendors names what north and west own") in lines


def asked(platform: Loaded, target: str) -> list[str]:
    lines, code = explain_request(platform, "GET", target, [], b"")
    assert code == 0
    return [text for title, text in lines if title == "asked"]


@pytest.mark.parametrize(
    "path",
    [f"/v3/{each}" for each in ("vendors", "events", "dates", "orders", "coupons", "vouchers", "users")]
    + ["/v3/reports/sales?group_by=city", "/octo/products", "/octo/bookings"],
)
@pytest.mark.parametrize(("vendor", "count"), [("v2", 1), (None, 3), ("unknown", 3)])
def test_a_client_of_a_vendor_is_asked_of_its_shard_alone(
    platform: Loaded, path: str, vendor: str | None, count: int
) -> None:
    claims = {"sub": "somebody", "vendor": vendor, "exp": 4_000_000_000}
    authorization = f"Authorization: Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"
    lines, code = explain_request(platform, "GET", path, [authorization], b"")
    assert code == 0
    assert len([text for title, text in lines if title == "asked"]) == count
    assert ("client", "verified, by a token with the claims sub, vendor, exp") in lines
