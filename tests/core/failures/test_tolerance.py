"""Which partial answers a rule and a client allow."""

import pytest

from shardgate.core.failures.tolerance import PARTIAL_RULE, STRICT_RULE, Missing, Tolerance
from shardgate.core.topology import Shard

SHARDS = {name: Shard(name, "h", 1, alias) for name, alias in (("a", "north"), ("b", "east"), ("c", "south"))}


@pytest.mark.parametrize(
    ("tolerance", "missing", "allowed"),
    [
        (Tolerance(partial=False), "", True),
        (Tolerance(partial=False), "c", False),
        (Tolerance(partial=True), "c", True),
        (Tolerance(partial=True), "bc", True),
        (Tolerance(partial=True), "abc", False),
        (Tolerance(partial=True, quorum=2), "c", True),
        (Tolerance(partial=True, quorum=2), "bc", False),
        (Tolerance(partial=True, required=frozenset("a")), "bc", True),
        (Tolerance(partial=True, required=frozenset("a")), "a", False),
    ],
)
def test_who_may_be_missing(tolerance: Tolerance, missing: str, allowed: bool) -> None:
    assert tolerance.allows("abc", missing) is allowed


def test_where_fewer_shards_are_asked_than_the_quorum_all_of_them_must_answer() -> None:
    quorum = Tolerance(partial=True, quorum=3, required=frozenset("c"))
    assert quorum.allows("a", "")
    assert not quorum.allows("a", "a")
    assert not quorum.allows("ab", "b")


def test_what_no_rule_lets_a_client_ask_for_is_ignored() -> None:
    for rule in (STRICT_RULE, PARTIAL_RULE, Missing(clients=("quorum",))):
        for wish in (None, b"shards=strict", b"shards=partial", b"shards=nonsense"):
            found = rule.tolerance(wish, SHARDS)
            assert (found.partial, found.applied) == (rule.answer == "partial", b"")


def test_a_client_can_ask_for_more_than_the_rule_and_never_for_less() -> None:
    rule = Missing(quorum=2, required=("a",), clients=("quorum", "required", "strict"))
    assert rule.tolerance(b"shards=quorum;count=1", SHARDS).quorum == 2
    assert rule.tolerance(b"shards=quorum;count=3", SHARDS).quorum == 3
    assert rule.tolerance(b'shards=required;names="south"', SHARDS).required == {"a", "c"}
    assert not rule.tolerance(b"shards=strict", SHARDS).partial
    for wish in (b"shards=quorum;count=4", b"shards=quorum;count=\xb2", b"shards=quorum;count=0", b"shards=required"):
        assert rule.tolerance(wish, SHARDS).applied == b""


@pytest.mark.parametrize("rule", [STRICT_RULE, Missing(answer="strict", clients=("strict",)), Missing(member="a..b")])
def test_rules_that_mean_nothing(rule: Missing) -> None:
    assert [*rule.problems()]


def test_it_is_explained() -> None:
    assert STRICT_RULE.tolerance(None, SHARDS).explained() == "every shard must answer"
    explained = Missing(quorum=2, required=("a",)).tolerance(None, SHARDS).explained()
    assert explained.endswith("as long as 2 shards answer with a among them")
