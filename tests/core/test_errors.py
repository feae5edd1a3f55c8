"""What an error says of itself, so that nobody decides by its number."""

import inspect

from shardgate.core import errors
from shardgate.core.errors import ShardgateError
from shardgate.core.exchange import CUT_OFFS

ERRORS = [
    each
    for each in vars(errors).values()
    if inspect.isclass(each) and issubclass(each, ShardgateError) and hasattr(each, "code")
]


def codes(errors: list[type[ShardgateError]]) -> set[str]:
    return {each.code for each in errors}


def test_a_code_and_a_title_are_one_error_s() -> None:
    assert len(codes(ERRORS)) == len({each.title for each in ERRORS}) == len(ERRORS)


def test_whose_fault_it_is_is_in_the_code() -> None:
    for each in ERRORS:
        assert each.fault == {"1": "client", "2": "shard"}.get(each.code[2], "gateway"), each.code


def test_a_reply_is_cut_off_for_a_reason_that_metrics_know() -> None:
    assert {each.cut_off for each in ERRORS} <= set(CUT_OFFS)
    assert {each.code: each.cut_off for each in ERRORS if each.code in {"SG1025", "SG2003", "SG2002", "SG9001"}} == {
        "SG1025": "client_slow",
        "SG2003": "deadline",
        "SG2002": "shard",
        "SG9001": "gateway",
    }


def test_after_which_failures_it_is_certain_that_nothing_was_done() -> None:
    """A call that got no reply, a broken one or one that is pending may have changed something.

    What the gateway could not write down first, or held back at a tenant's movement, was sent to no shard.
    """
    certain = {code for code in codes([each for each in ERRORS if each.nothing_done]) if code >= "SG2"}
    shards, gateway = {"SG2001", "SG2004", "SG2009", "SG2012"}, {"SG4001", "SG4002", "SG4005", "SG4010", "SG4011"}
    assert certain == shards | gateway


def test_a_503_has_retry_after_where_nothing_was_done_and_only_there() -> None:
    """A gateway before this one reads them so (core/changes/busy.py)."""
    of_503 = [each for each in ERRORS if each.status == 503]
    assert codes([each for each in of_503 if each.retry_after_s is not None]) == codes(
        [each for each in of_503 if each.nothing_done]
    )
    assert codes([each for each in of_503 if not each.nothing_done]) == {"SG4004"}


def test_which_failures_leave_a_list_without_a_shard() -> None:
    assert codes([each for each in ERRORS if each.no_reply]) == {"SG2001", "SG2003", "SG2013", "SG4001"}
