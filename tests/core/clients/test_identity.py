"""Who a client is."""

import pytest

from shardgate.core.clients.identity import ANONYMOUS, identity_of
from shardgate.core.http import Request
from tests.core.requests import request


def verified(asked: Request, **claims: object) -> Request:
    asked.claims = claims
    return asked


def test_a_renewed_token_is_the_same_client() -> None:
    old = verified(request("GET /", "Authorization: Bearer old"), sub="7", exp=1, jti="a")
    new = verified(request("GET /", "Authorization: Bearer new"), sub="7", exp=2, jti="b")
    assert identity_of(old, ("claim.sub",)) == identity_of(new, ("claim.sub",))
    assert identity_of(old, ("Authorization",)) != identity_of(new, ("Authorization",))


@pytest.mark.parametrize(
    ("names", "one", "other"),
    [
        (("claim.sub",), {"sub": "7"}, {"sub": "8"}),
        (("claim.iss", "claim.sub"), {"iss": "a", "sub": "bc"}, {"iss": "ab", "sub": "c"}),
        (("claim.iss", "claim.sub"), {"iss": "a"}, {"sub": "a"}),
        (("claim.groups",), {"groups": ["a", "b"]}, {"groups": ["ab"]}),
    ],
)
def test_other_claims_are_another_client(
    names: tuple[str, ...], one: dict[str, object], other: dict[str, object]
) -> None:
    digests = {identity_of(verified(request("GET /"), **claims), names) for claims in (one, other)}
    assert len(digests) == 2


def test_a_claim_is_no_header_of_the_same_value() -> None:
    by_claim = identity_of(verified(request("GET /"), sub="7"), ("claim.sub", "X-Client"))
    by_header = identity_of(request("GET /", "X-Client: 7"), ("claim.sub", "X-Client"))
    assert by_claim != by_header


@pytest.mark.parametrize("names", [(), ("claim.sub",), ("X-Client", "claim.sub")])
def test_a_client_that_nothing_identifies_is_anonymous(names: tuple[str, ...]) -> None:
    assert identity_of(request("GET /", "Authorization: Bearer unverified"), names) == ANONYMOUS


def test_a_cookie_can_say_who_a_client_is() -> None:
    names = ("cookie.session",)
    one = identity_of(request("GET /", "Cookie: theme=dark; session=7"), names)
    assert one == identity_of(request("GET /", "Cookie: session=7; theme=light"), names)
    assert one != identity_of(request("GET /", "Cookie: session=8"), names)
    assert one != identity_of(request("GET /", "Cookie: session=7; session=8"), names)
    assert identity_of(request("GET /", "Cookie: theme=dark"), names) == ANONYMOUS


def test_where_any_token_counts_a_token_that_was_not_verified_is_its_own_client() -> None:
    names = ("claim.sub",)
    tokens = [request("GET /", f"Authorization: Bearer {token}") for token in ("a", "b")]
    digests = {identity_of(each, names, any_token=True) for each in tokens}
    assert len(digests) == 2
    assert ANONYMOUS not in digests
    assert identity_of(verified(tokens[0]), names, any_token=True) == ANONYMOUS, "verified, and without the claim"
    by_claim = identity_of(verified(tokens[0], sub="Bearer b"), names, any_token=True)
    assert by_claim not in digests


@pytest.mark.parametrize("line", ["Cookie: session=", "X-Client: "])
def test_an_empty_value_identifies_nobody(line: str) -> None:
    assert identity_of(request("GET /", line), ("cookie.session", "X-Client")) == ANONYMOUS
