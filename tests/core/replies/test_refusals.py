"""Many refusals, one answer."""

from itertools import permutations

import pytest

from shardgate.core.http import Reply
from shardgate.core.replies.refusals import unite


def test_nobody_refuses() -> None:
    assert unite([Reply(200, []), Reply(200, [])]) is None


def test_equal_refusals_are_one_with_the_applications_own_body() -> None:
    united = unite([Reply(404, [(b"X", b"y")], b"mine"), Reply(404, [(b"X", b"y")], b"mine")])
    assert united == Reply(404, [(b"X", b"y")], b"mine")


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([200, 500], 500),
        ([500, 404], 404),
        ([404, 401, 403], 401),
        ([429, 400], 429),
        ([403, 429], 403),
        ([404, 400], 400),
        ([302, 500], 302),
        ([302, 404], 404),
        ([204, 200], 204),
        ([503, 500], 500),
        ([200, 206, 304], 206),
    ],
)
def test_what_concerns_the_caller_comes_first(statuses: list[int], status: int) -> None:
    for order in permutations(statuses):
        united = unite([Reply(code, []) for code in order])
        assert united is not None
        assert united.status == status
