"""Two spellings that the application takes for one key have one owner, whoever looks."""

import pytest

from shardgate.core.contracts import UNKNOWN, AskAll, Known
from shardgate.core.locate import comparisons, equal_key
from shardgate.core.locate.compare import Compare, ComparedMemory, compared
from shardgate.core.locate.directory import Directory
from shardgate.core.locate.hashed import Hash
from shardgate.core.locate.learned import Learned
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.locate.prefix import Prefix
from shardgate.core.locate.probe import Probe
from shardgate.core.plan.prune import prune
from shardgate.core.routes.route import Filter
from shardgate.core.topology import Shard, Topology

SHARDS = {name: Shard(name, "h", 1, name) for name in ("north", "south", "west", "east")}
UUID = "0c5e8f4a-1b2c-4d3e-8f90-a1b2c3d4e5f6"
EQUAL: list[tuple[Compare, str, list[str]]] = [
    ("uuid", UUID, [UUID.upper(), UUID.replace("-", ""), "{" + UUID + "}", f"urn:uuid:{UUID}"]),
    ("uuid", UUID, [f"({UUID})", "0c5e-8f4a-1b2c-4d3e-8f90-a1b2-c3d4-e5f6", UUID.replace("-", "", 1)]),
    ("case_insensitive", "acme", ["ACME", "Acme"]),
    ("integer", "7", ["007", "+7"]),
    ("integer", "-7", ["-007"]),
    ("integer", "0", ["-0", "00"]),
    ("link", "acme", ["/vendors/acme", "https://a.example/v1/vendors/acme", "/vendors/acme/", "/acme?view=full#x"]),
    ("link", "são-1", ["/vendors/s%C3%A3o-1"]),
    ("text", "a", []),
]


def known(directory: dict[str, str] | None = None) -> Known:
    return Known(Topology(SHARDS, {"v": directory or {}}), LearnedKeys(10))


@pytest.mark.parametrize(("how", "key", "others"), EQUAL)
def test_equal_keys_have_one_owner(how: Compare, key: str, others: list[str]) -> None:
    # Found: a UUID in capitals went to another shard than the same in small letters.
    for locator in (Hash(compare=how), Hash(compare=how, overrides={key: "west"}), Directory(compare=how)):
        owners = {str(locator.locate("v", each, known({key: "south"}))) for each in (key, *others)}
        assert len(owners) == 1
    for stored in others:  # the directory has the key as somebody wrote it
        assert Directory(compare=how).locate("v", key, known({stored: "south"})) == "south"
        assert Hash(compare=how, overrides={stored: "west"}).locate("v", key, known()) == "west"


@pytest.mark.parametrize(
    ("how", "key"),
    [
        ("uuid", "ACME"),
        ("uuid", UUID[:-1].upper()),
        ("uuid", "0c5-e8f4a1b2c4d3e8f90a1b2c3d4e5f6"),
        ("integer", "x7"),
        ("integer", "7.0"),
        ("integer", "٣"),
        ("text", "A"),
        ("link", "acme"),
        ("link", "/"),
        ("link", ""),
    ],
)
def test_what_is_not_of_the_kind_stays_as_it_is(how: Compare, key: str) -> None:
    assert compared(key, how) == key


def test_equal_keys_of_several_shards_are_unknown_unless_one_is_written_so() -> None:
    both = known({"Acme": "north", "ACME": "south", "x": "west"})
    directory = Directory(compare="case_insensitive")
    assert directory.locate("v", "acme", both) is UNKNOWN
    assert directory.locate("v", "ACME", both) == "south"
    assert directory.locate("v", "X", both) == "west"
    assert directory.locate("v", "X", known()) is UNKNOWN


def test_a_prefix_in_capitals() -> None:
    prefix = Prefix(shards={"Lis": "south"}, compare="case_insensitive")
    assert prefix.locate("v", "LIS-7", known()) == prefix.locate("v", "lis-7", known()) == "south"
    assert prefix.locate("v", "por-7", known()) is UNKNOWN
    assert prefix.locate("v", "lis", known()) is UNKNOWN


def test_a_link_names_the_last_segment_of_its_path() -> None:
    # Found: HAL applications name the parent of a new row by its link, which no locator could read.
    link = "https://api.example.com/branches/lis-7"
    prefix, probe = Prefix(shards={"lis": "south"}, compare="link"), Probe(path="/branches/{key}", compare="link")
    assert prefix.locate("v", link, known()) == prefix.locate("v", "lis-7", known()) == "south"
    assert prefix.locate("v", "https://lis-7.example.com/branches/por-7", known()) is UNKNOWN
    assert probe.locate("v", link, known()) == AskAll("/branches/lis-7")
    assert probe.locate("v", "/branches/..", known()) is UNKNOWN
    assert equal_key((probe,), link) == "lis-7"


def test_what_was_learned_in_one_spelling_is_recalled_in_another() -> None:
    chain = (Learned(compare="uuid"), Probe(path="/x/{key}"))
    how = comparisons([("v", chain), ("w", (Learned(),))])
    assert how == {"v": "uuid"}
    memory = ComparedMemory(LearnedKeys(10), how)
    seen = Known(Topology(SHARDS), memory)
    memory.learn("v", UUID, "south")
    memory.learn("w", UUID, "south")
    assert chain[0].locate("v", UUID.upper(), seen) == "south"
    assert chain[0].locate("w", UUID.upper(), seen) is UNKNOWN
    memory.forget("v", UUID.upper())
    assert chain[0].locate("v", UUID, seen) is UNKNOWN
    assert equal_key(chain, UUID.upper()) == UUID
    assert equal_key((Probe(path="/x/{key}"),), "A") == "A"


def test_a_filter_in_another_spelling_narrows_to_the_same_shard() -> None:
    vendors = Filter("vendors", ",", "v", (Directory(compare="uuid"),))
    pruned = prune([vendors], f"vendors={UUID.upper()}", known({UUID: "south"}))
    assert pruned is not None
    assert pruned.shards == ("south",)
