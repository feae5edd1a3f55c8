"""How long a reply is fresh, and how old it is (RFC 9111 section 4.2)."""

from email.utils import formatdate
from math import inf

import pytest

from shardgate.core.replies.cache.freshness import initial_age_s, lifetime_s, own_lifetime_s
from tests.core.replies.cache.heads import head

NOW = 1_700_000_000.0


def date(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ((), None),
        (("Cache-Control: public",), None),
        (("Last-Modified: Tue, 01 Jan 2019 00:00:00 GMT",), None),  # section 4.2.2: no heuristics
        (("Cache-Control: max-age=60",), 60),
        (("Cache-Control: max-age=60, s-maxage=5",), 5),
        (("Cache-Control: s-maxage=60, max-age=5",), 60),
        (("Cache-Control: max-age=60", f"Expires: {date(-5)}"), 60),
        ((f"Date: {date(0)}", f"Expires: {date(30)}"), 30),
        ((f"Date: {date(-10)}", f"Expires: {date(30)}"), 40),
        ((f"Expires: {date(30)}",), 30),
        ((f"Expires: {date(-30)}",), 0),
        (("Expires: 0",), 0),  # section 5.3
        ((f"Expires: {date(30)}", f"Expires: {date(60)}"), 0),
        (("Cache-Control: max-age=x",), 0),
    ],
)
def test_lifetimes(lines: tuple[str, ...], seconds: float | None) -> None:
    assert lifetime_s(head(*lines), NOW) == seconds


def test_the_lifetime_for_a_cache_of_one_client_knows_no_s_maxage() -> None:
    assert own_lifetime_s(head("Cache-Control: max-age=60, s-maxage=5"), NOW) == 60


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ((), 2),  # section 4.2.3: the time that the reply took
        ((f"Date: {date(-30)}",), 30),
        ((f"Date: {date(30)}",), 2),
        (("Age: 7",), 9),
        (("Age: 7", f"Date: {date(-30)}"), 30),
        (("Age: 0, 7200",), 7202),
        (("Age: 7200", "Age: 0"), 7202),
        (("Age: -7",), inf),
        (("Age: 7.5",), inf),
        (("Age: a",), inf),
        (("Age:",), inf),
    ],
)
def test_ages(lines: tuple[str, ...], seconds: float) -> None:
    assert initial_age_s(head(*lines), 2.0, NOW) == seconds
