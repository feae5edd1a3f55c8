"""Which tokens are accepted, and the keys that their claims name."""

from typing import Any

import pytest

from shardgate.core.changes.idempotency import client_of
from shardgate.core.clients.claims import judge, keys_in
from shardgate.core.clients.terms import KeySource, TokenTerms
from shardgate.core.errors import AmbiguousKeyError, BoundClientError
from shardgate.core.plan.key import read_key
from tests.core.requests import request


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("v1", ("v1",)),
        (7, ("7",)),
        (["a", 2, None], ("a", "2")),
        (None, ()),
        ("", ()),
        (True, ()),
        (1.5, ()),
        ({"a": 1}, ()),
        ([], ()),
    ],
)
def test_the_keys_that_a_claim_names(value: object, keys: tuple[str, ...]) -> None:
    assert keys_in({"vendor": value}, "vendor") == keys
    assert keys_in({}, "vendor") == keys_in(None, "vendor") == ()


def asked(line: str = "GET /?v=q", *lines: str, claims: dict[str, Any] | None = None) -> Any:
    made = request(line, *lines)
    made.claims = claims
    return made


def test_a_claim_is_a_key_where_the_request_names_no_other() -> None:
    sources = ("query.v", "claim.vendor")
    assert read_key(sources, asked(claims={"vendor": "c"}), {}) == "q"
    assert read_key(sources, asked("GET /", claims={"vendor": "c"}), {}) == "c"
    assert read_key(sources, asked("GET /", claims={"vendor": None}), {}) is None
    assert read_key("claim.vendor", asked("GET /"), {}) is None
    with pytest.raises(AmbiguousKeyError):
        read_key("claim.vendor", asked(claims={"vendor": ["a", "b"]}), {})
    with pytest.raises(AmbiguousKeyError):
        read_key(("claim.a", "claim.b"), asked(claims={"a": "1", "b": "2"}), {})


def bound(line: str, claims: dict[str, Any] | None) -> Any:
    made = asked(line, claims=claims)
    made.binding = frozenset({"vendor"})
    return made


def test_a_claim_that_binds_is_never_overridden_by_the_request() -> None:
    # Found: a claim that was meant to bind a client to its tenant was overridden by the body.
    sources = ("query.v", "claim.vendor")
    assert read_key(sources, bound("GET /?v=c", {"vendor": "c"}), {}) == "c"
    assert read_key(sources, bound("GET /", {"vendor": "c"}), {}) == "c"
    assert read_key(sources, bound("GET /?v=b", {"vendor": ["a", "b"]}), {}) == "b"
    assert read_key(("query.v", "claim.sub"), bound("GET /?v=q", {"sub": "c"}), {}) == "q"
    for claims in ({"vendor": "c"}, {"vendor": ["a", "b"]}):
        with pytest.raises(BoundClientError, match="the token does not allow the key `q`"):
            read_key(sources, bound("GET /?v=q", claims), {})
    with pytest.raises(AmbiguousKeyError, match="names several keys"):
        read_key(sources, bound("GET /", {"vendor": ["a", "b"]}), {})


@pytest.mark.parametrize("value", [None, "", [], {}, 1.5, True, {"a": 1}, [None]])
def test_a_claim_that_binds_and_cannot_be_read_is_refused(value: object) -> None:
    for sources in ("claim.vendor", ("query.v", "claim.vendor")):
        for claims in (None, {}, {"vendor": value}):
            with pytest.raises(BoundClientError, match="the token names no key in the claim `vendor`"):
                read_key(sources, bound("GET /?v=q", claims), {})


def test_several_claims_that_bind_must_all_allow_the_key() -> None:
    request = bound("GET /?v=b", {"vendor": ["a", "b"], "tenant": ["b", "c"]})
    request.binding = frozenset({"vendor", "tenant"})
    assert read_key(("query.v", "claim.vendor", "claim.tenant"), request, {}) == "b"
    assert read_key(("claim.vendor", "claim.tenant"), request, {}) == "b"
    request.claims = {"vendor": "a", "tenant": "c"}
    with pytest.raises(BoundClientError):
        read_key(("claim.vendor", "claim.tenant"), request, {})


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), "9", True, 10**18])
def test_an_instant_that_is_no_float_is_refused_and_no_defect(value: object) -> None:
    # Found: `exp` of 400 digits was answered with 500 (SG9001).
    terms = TokenTerms(("HS256",), KeySource("key_file", "", 60.0), None, (), 0.0, "sub")
    assert judge({"sub": "a", "exp": value}, terms, 0.0) == "the access token has no claim `exp`, or it is no number"


def test_a_claim_that_is_too_long_for_a_key_is_refused() -> None:
    with pytest.raises(AmbiguousKeyError, match="1024"):
        read_key("claim.vendor", asked("GET /", claims={"vendor": 10**2000}), {})


def test_a_client_with_a_new_token_is_the_same_client_where_its_claim_says_who_it_is() -> None:
    """And what nobody has verified says nothing but itself."""
    names = ("claim.sub",)
    one, other = (asked("GET /", f"Authorization: Bearer {n}", claims={"sub": "a"}) for n in "12")
    assert client_of(one, names) == client_of(other, names)
    assert client_of(one, names) != client_of(asked("GET /", "Authorization: Bearer 1", claims={"sub": "b"}), names)
    unverified = [asked("GET /", f"Authorization: Bearer {n}") for n in "12"]
    assert len({client_of(each, names) for each in (one, *unverified)}) == 3
    # A list is no name that another client's claims could add up to.
    assert client_of(asked(claims={"sub": ["a", "b"]}), names) != client_of(asked(claims={"sub": "ab"}), names)


@pytest.mark.parametrize(
    ("claims", "at", "why"),
    [
        ({}, 99.9, ""),
        ({}, 100, "has expired"),
        ({"nbf": 50}, 50, ""),
        ({"nbf": 50}, 49.9, "not valid yet"),
        ({"nbf": None}, 50, "not valid yet"),
        ({"exp": float("inf")}, 50, "has no claim `exp`"),
        ({"iss": "i"}, 50, ""),
        ({"aud": "a"}, 50, "another audience"),
        ({"sub": 7}, 50, ""),
        ({"sub": ["a"]}, 50, "which client it is of"),
    ],
)
def test_a_token_is_good_from_its_beginning_to_just_before_its_end(claims: dict[str, Any], at: float, why: str) -> None:
    """RFC 7519 section 4.1."""
    terms = TokenTerms(("HS256",), KeySource("key_env", "X", 1), None, (), 0, "sub")
    judged = judge({"sub": "a", "exp": 100, **claims}, terms, at)
    assert why in judged if isinstance(judged, str) else not why
