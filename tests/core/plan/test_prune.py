"""A filter that names tenants or ids: only their owners are asked, and all where that is not sure."""

import pytest

from shardgate.core.contracts import Known
from shardgate.core.errors import BoundClientError
from shardgate.core.locate.directory import Directory
from shardgate.core.locate.learned import Learned
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.locate.probe import Probe
from shardgate.core.plan.prune import prune
from shardgate.core.routes.route import Filter
from shardgate.core.topology import Shard, Topology

SHARDS = {name: Shard(name, "h", 1, name) for name in ("north", "south", "west")}
VENDOR = Filter("vendors", ",", "vendor", (Directory(),))
EVENT = Filter("ids", ",", "event", (Learned(), Probe(path="/events/{key}")), shown=True)
ONE = Filter("vendor", None, "vendor", (Directory(),))
OWNERS = {"n1": "north", "n2": "north", "s1": "south", "w1": "west", "gone": "east", "a,b": "west"}


def asked(query: str, *filters: Filter, **seen: str) -> str | None:
    memory = LearnedKeys(100)
    for key, shard in seen.items():
        memory.learn("event", key, shard)
    pruned = prune(filters or (VENDOR,), query, Known(Topology(SHARDS, {"vendor": OWNERS}), memory))
    if pruned is None:
        return None
    return " ".join(pruned.shards) + "".join(f" if {key} is shown" for key in sorted(pruned.hoped))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("vendors=n1", "north"),
        ("limit=5&vendors=n1,n2&order=name", "north"),
        ("vendors=n1,s1", "north south"),
        ("vendors=n1%2Cs1", "north south"),
        ("vendor%73=s1", "south"),
        ("vendors=s1&vendors=w1", "south west"),
        ("vendors=s1,n1,w1", None),
        ("other=n1", None),
        ("", None),
    ],
)
def test_only_the_owners_of_what_a_filter_names_are_asked(query: str, expected: str | None) -> None:
    assert asked(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "vendors=",
        "vendors",
        "vendors=n1,",
        "vendors=n1,unheard",
        "vendors=n1,%20n2",
        "vendors=N1",
        "vendors=gone",
        "vendors=%ff",
        "vendors=n1&vendors=unheard",
        "vendors=n1&vendors[]=s1",
        "vendors=n1&Vendors=s1",
        "vendors[]=n1",
        "vendors=n1&vendors.x=s1",
        "vendors=n1&vendors[0]=s1",
        "vendors=n1&%EF%BD%96endors=s1",
        "vendors=n1&%2576endors=s1",
        "vendors=n1&vendors%00=s1",
        "vendors=n1&+vendors=s1",
        "vendors=n1;vendors=s1",
        "vendors=n1&x=1;vendors=s1",
        "vendors=n1" + "&a=1" * 1000,
    ],
)
def test_all_are_asked_where_a_value_or_a_name_is_not_surely_known(query: str) -> None:
    assert asked(query) is None


def test_a_parameter_that_holds_one_key_is_not_cut() -> None:
    assert asked("vendor=a,b", ONE) == "west"
    assert asked("vendor=n1,s1", ONE) is None


def test_a_name_with_brackets_is_a_name_as_the_rule_says_it() -> None:
    brackets = Filter("vendor[]", None, "vendor", (Directory(),))
    assert asked("vendor[]=n1&vendor%5B%5D=s1", brackets) == "north south"
    assert asked("vendor[]=n1&vendor=s1", brackets) is None


def test_several_filters_narrow_together() -> None:
    assert asked("vendors=n1,s1&vendor=s1", VENDOR, ONE) == "south"
    assert asked("vendors=n1,s1&vendor=unheard", VENDOR, ONE) == "north south"


def test_filters_that_exclude_each_other_leave_one_shard_to_give_the_empty_list() -> None:
    assert asked("vendors=s1&vendor=w1", VENDOR, ONE) == "north"


def test_what_was_only_seen_before_must_be_shown() -> None:
    assert asked("ids=e1,e2", EVENT, e1="south", e2="west") == "south west if e1 is shown if e2 is shown"
    assert asked("ids=e1,e2", EVENT, e1="south") is None
    assert asked("ids=e1&vendors=s1", VENDOR, EVENT, e1="south") == "south"
    unseen = Filter("ids", ",", "event", (Learned(),))
    assert asked("ids=e1", unseen, e1="south") is None
    kept = Filter("ids", ",", "event", (Learned(), Directory(space="vendor")))
    assert asked("ids=w1", kept, w1="south") == "west"


def test_a_variable_of_the_path_names_the_tenant() -> None:
    of_path = Filter("path.vendor_id", ",", "vendor", VENDOR.locators, variable="vendor_id")
    known = Known(Topology(SHARDS, {"vendor": OWNERS}), LearnedKeys(10))
    key, owner = next(iter(OWNERS.items()))
    pruned = prune([of_path], "", known, None, {"vendor_id": key})
    assert pruned is not None
    assert pruned.shards == (owner,)
    assert prune([of_path], "", known, None, {"vendor_id": "nobody's"}) is None


@pytest.mark.parametrize(
    ("query", "claim", "shards"),
    [
        ("", "n1", ("north",)),
        ("vendors=s1", "n1", ("north",)),
        ("vendors=n1,s1", ["n1", "s1"], ("north", "south")),
        ("vendors=s1", ["n1", "s1"], ("south",)),
        ("vendors=w1", ["n1", "s1"], ("north",)),
        ("vendors=unheard", "s1", ("south",)),
        ("Vendors=w1", "s1", ("south",)),
        ("after=7", "s1", ("south",)),
    ],
)
def test_a_claim_that_binds_narrows_whatever_the_filters_say(
    query: str, claim: object, shards: tuple[str, ...]
) -> None:
    # Found: filters that exclude each other were answered by the first shard, which may be another tenant's.
    known = Known(Topology(SHARDS, {"vendor": OWNERS}), LearnedKeys(10))
    filters = [VENDOR, Filter("claim.v", None, "vendor", (Directory(),), claim="v", unless=("after",))]
    pruned = prune(filters, query, known, {"v": claim}, None, frozenset({"v"}))
    assert pruned is not None
    assert pruned.shards == shards


@pytest.mark.parametrize("claim", [None, "", [], 1.5, "unheard", "gone", ["n1", "unheard"]])
def test_a_claim_that_binds_to_nothing_known_is_refused(claim: object) -> None:
    known = Known(Topology(SHARDS, {"vendor": OWNERS}), LearnedKeys(10))
    filters = [Filter("claim.v", None, "vendor", (Directory(),), claim="v")]
    with pytest.raises(BoundClientError):
        prune(filters, "", known, {"v": claim}, None, frozenset({"v"}))
    with pytest.raises(BoundClientError):
        prune(filters, "", known, None, None, frozenset({"v"}))


def test_a_claim_that_binds_is_never_looked_up_in_what_was_only_seen() -> None:
    memory = LearnedKeys(10)
    memory.learn("event", "e1", "south")
    known = Known(Topology(SHARDS, {}), memory)
    filters = [Filter("claim.e", None, "event", (Learned(),), shown=True, claim="e")]
    with pytest.raises(BoundClientError):
        prune(filters, "", known, {"e": "e1"}, None, frozenset({"e"}))
