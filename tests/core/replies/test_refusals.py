"""Many refusals, one answer."""

from itertools import permutations

import pytest

from shardgate.core.errors import BrokenReplyError
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
        ([503, 500], 500),
        ([200, 304], 304),
    ],
)
def test_what_concerns_the_caller_comes_first(statuses: list[int], status: int) -> None:
    for order in permutations(statuses):
        united = unite([Reply(code, []) for code in order])
        assert united is not None
        assert united.status == status


@pytest.mark.parametrize("others", [[200], [206, 304], [200, 500]])
def test_a_success_that_is_not_expected_is_never_the_reply_for_all(others: list[int]) -> None:
    # Found (L1): one of two shards answered 204, and its reply was the whole list.
    for order in permutations([204, *others]):
        with pytest.raises(BrokenReplyError) as caught:
            unite([Reply(code, []) for code in order], shards=[f"s{code}" for code in order])
        assert caught.value.log.startswith("found 204, expected 200")
        assert caught.value.shard == "s204"
    united = unite([Reply(204, []), Reply(401, [])])
    assert united is not None
    assert united.status == 401  # nobody is asked to say what is wrong with a shard before the caller is known
    with pytest.raises(BrokenReplyError):
        unite([Reply(202, [], b"later"), Reply(202, [], b"later")])


def test_a_success_without_a_body_of_every_shard_is_the_applications_own() -> None:
    nothing = Reply(204, [])
    assert unite([nothing, Reply(204, [])]) is nothing


def test_a_shard_that_has_nothing_refuses_nothing_while_another_accepts() -> None:
    not_here = (204, 403, 404)
    assert unite([Reply(404, []), Reply(200, []), Reply(204, [])], not_here=not_here) is None
    assert unite([Reply(403, []), Reply(200, [])], not_here=not_here) is None
    for statuses, status in ([(404, 200, 500), 500], [(404, 404), 404], [(404, 403), 403], [(404, 200, 401), 401]):
        united = unite([Reply(code, []) for code in statuses], not_here=not_here)
        assert united is not None
        assert united.status == status
