"""Credentials in a query are not shown."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.clients.masking import is_secret, masked, plain, shown


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/a", "/a"),
        ("/a?b=1&c", "/a?b=1&c"),
        ("/a?access_token=x&b=1", "/a?access_token=***&b=1"),
        ("/a?b=1&access%5Ftoken=x", "/a?b=1&access%5Ftoken=***"),
        ("/a?ACCESS_TOKEN=x=y", "/a?ACCESS_TOKEN=***"),
        ("/a?access-token=x", "/a?access-token=***"),
        ("/a?+client_secret=x&client_secret[]=y", "/a?+client_secret=***&client_secret[]=***"),
        ("/a?token=x?y&tokens=2", "/a?token=***&tokens=2"),
        ("/a?access_token", "/a?access_token"),
        ("/a?", "/a?"),
        ("/a?user[password]=x&user.apiKey=y", "/a?user[password]=***&user.apiKey=***"),
        ("/a?access%255Ftoken=x", "/a?access%255Ftoken=***"),
        ("/a?b=1;token=x;c=2", "/a?b=1;token=***;c=2"),
        ("/a;jsessionid=x/b;v=1?c=2", "/a;jsessionid=***/b;v=1?c=2"),
        ("/a?X-Amz-Signature=x&X-Amz-Date=d", "/a?X-Amz-Signature=***&X-Amz-Date=d"),
        ("/a?=x&&;", "/a?=x&&;"),
    ],
)
def test_credentials_in_a_query_are_not_shown(target: str, shown: str) -> None:
    assert masked(target) == shown


@pytest.mark.parametrize(
    "name",
    [
        *("api_key", "apiKey", "X-API-Key", "APIKEY", "api key", "password", "Passwd", "pwd", "new_password", "code"),
        *("sig", "signature", "X-Goog-Signature", "token", "secret", "clientSecret", "refresh_token", "id_token"),
        *("access_token", "jwt", "session_id", "sessionid", "PHPSESSID", "otp", "pin", "SAMLResponse", "code_verifier"),
        *("X-Amz-Security-Token", "X-Amz-Credential", "AWSAccessKeyId", "client_assertion", "private_key", "hmac"),
        *("auth", "authorization", "csrf_token", "ticket", "passphrase", "subscription-key", "tok%65n", "t%6f%6b%65n"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    ["limit", "offset", "sort", "code_country", "countrycode", "keyword", "key", "author", "signed", "tokens", "pinned",
     "postcode", "passenger", "session_type", "vendor", "id", "q", "secretary", "cursor", ""],
)  # fmt: skip
def test_names_of_other_things(name: str) -> None:
    assert not is_secret(name)


def test_further_names_can_be_given() -> None:
    assert masked("/a?Passport-No=x&b=1", {plain("passport_no")}) == "/a?Passport-No=***&b=1"


def test_what_an_error_says_of_a_value() -> None:
    assert shown("api_key", "abc") == "***"
    assert shown("vendor", "abc\n") == "abc\\x0a"


SPELLINGS: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "percent": lambda name: f"%{ord(name[0]):02x}{name[1:]}" if name[0] != "%" else name,
    "twice": lambda name: name if "%25" in name else name.replace("%", "%25"),
    "dash": lambda name: name.replace("_", "-"),
    "bracket": lambda name: name if "[" in name else f"user[{name}]",
    "dot": lambda name: f"user.{name}",
}


@given(
    st.sampled_from(["api_key", "password", "access_token", "sig", "code", "client_secret"]),
    st.lists(st.sampled_from([*SPELLINGS]), max_size=4),
)
def test_no_spelling_of_a_secret_is_shown(name: str, spellings: list[str]) -> None:
    for spelling in spellings:
        name = SPELLINGS[spelling](name)
    assert "S3CR" not in masked(f"/a?b=1&{name}=S3CR;{name}=S3CR")
