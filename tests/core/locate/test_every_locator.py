"""What holds for every locator of the table `AnyLocator`, and what is each one's own."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.contracts import UNKNOWN, AskAll, Known
from shardgate.core.locate import AnyLocator
from shardgate.core.locate.custom import CustomLocator
from shardgate.core.locate.directory import Directory
from shardgate.core.locate.hashed import Hash
from shardgate.core.locate.learned import Learned
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.locate.prefix import Prefix
from shardgate.core.locate.probe import Probe
from shardgate.core.topology import Shard, Topology

NAMES = ["north", "south", "east", "west"]
EXAMPLES: dict[type, Any] = {
    CustomLocator: CustomLocator(named="a:B", plugin=Probe(path="/x/{key}")),
    Directory: Directory(),
    Hash: Hash(overrides={"pinned": "south"}),
    Learned: Learned(),
    Prefix: Prefix(shards={"n": "north", "s": "south"}),
    Probe: Probe(path="/x/{key}"),
}
KEYS = st.text(max_size=20) | st.sampled_from(["n-1", "s-2", "pinned", "7", "learned", "", "..", "a/b", "\0", "é"])


def known(names: list[str] = NAMES, *, epoch: int = 0) -> Known:
    memory = LearnedKeys(10)
    memory.learn("space", "learned", names[0])
    shards = {name: Shard(name, "h", 1, name) for name in names}
    return Known(Topology(shards, {"space": {"7": names[-1]}, "other": {"7": names[0]}}, epoch), memory)


def test_every_locator_of_the_table_is_tried_here() -> None:
    assert set(EXAMPLES) == set(get_args(AnyLocator)), "add the new locator to EXAMPLES"


@pytest.mark.parametrize("locator", EXAMPLES.values(), ids=lambda locator: type(locator).__name__)
@given(key=KEYS)
def test_the_same_key_is_on_the_same_shard_and_it_exists(locator: Any, key: str) -> None:
    place = locator.locate("space", key, known())
    assert place == locator.locate("space", key, known(epoch=1))
    assert place is UNKNOWN or isinstance(place, AskAll) or place in NAMES


@pytest.mark.parametrize("locator", EXAMPLES.values(), ids=lambda locator: type(locator).__name__)
@given(key=KEYS)
def test_a_probe_stays_below_its_path(locator: Any, key: str) -> None:
    place = locator.locate("space", key, known())
    if isinstance(place, AskAll):
        segment = place.path.removeprefix("/x/")
        assert segment not in {"", ".", ".."}
        assert not set("/?#;\\ \r\n") & set(segment)
        assert place.path.isascii()


@given(key=KEYS)
@pytest.mark.parametrize("locator", [Hash(), Hash(overrides={"pinned": "south"}), Hash(compare="integer")])
def test_what_finds_a_shard_sooner_than_a_hash_finds_the_same(locator: Hash, key: str) -> None:
    assert (locator.finder is locator) == (locator != Hash())
    assert locator.finder.locate("space", key, known()) == locator.locate("space", key, known())


def test_a_hash_spreads_keys_evenly_and_a_new_shard_moves_only_its_part() -> None:
    keys = [f"key-{number}" for number in range(4000)]
    before = {key: Hash().locate("space", key, known(NAMES[:3])) for key in keys}
    after = {key: Hash().locate("space", key, known(NAMES)) for key in keys}
    moved = [key for key in keys if before[key] != after[key]]
    assert {after[key] for key in moved} == {"west"}
    assert 0.22 < len(moved) / len(keys) < 0.28
    for name in NAMES:
        assert 0.22 < list(after.values()).count(name) / len(keys) < 0.28


def test_a_hash_does_not_depend_on_the_order_of_the_shards() -> None:
    for key in map(str, range(200)):
        assert Hash().locate("space", key, known(NAMES)) == Hash().locate("space", key, known(NAMES[::-1]))


def test_the_same_hash_as_ever() -> None:
    # Were these to change, every key that is placed by its hash would be looked for on the wrong shard.
    found = [Hash().locate("space", key, known(NAMES)) for key in ("a", "b", "c", "1", "2", "é")]
    assert found == ["east", "north", "south", "east", "south", "south"]


def test_an_override_pins_a_key() -> None:
    assert EXAMPLES[Hash].locate("space", "pinned", known()) == "south"


@pytest.mark.parametrize(
    ("key", "shard"),
    [("n-1", "north"), ("s-", "south"), ("s-a-b", "south"), ("n", UNKNOWN), ("x-1", UNKNOWN), ("-1", UNKNOWN)],
)
def test_a_prefix_is_what_stands_before_the_separator(key: str, shard: Any) -> None:
    assert EXAMPLES[Prefix].locate("space", key, known()) == shard


def test_the_directory_is_looked_up_in_its_space() -> None:
    assert Directory().locate("space", "7", known()) == "west"
    assert Directory(space="other").locate("space", "7", known()) == "north"
    assert Directory().locate("none", "7", known()) is UNKNOWN


def test_what_was_learned_of_a_shard_that_is_gone_is_not_known() -> None:
    smaller = Topology({"south": Shard("south", "h", 1, "south")})
    assert Learned().locate("space", "learned", Known(smaller, known().memory)) is UNKNOWN


def test_the_memory_is_bounded_and_the_oldest_leave_first() -> None:
    memory = LearnedKeys(2)
    for key in ("a", "b", "b", "c"):
        memory.learn("space", key, "north")
    assert [memory.recall("space", key) for key in "abc"] == [UNKNOWN, "north", "north"]
    memory.forget("space", "b")
    memory.forget("space", "never seen")
    assert memory.recall("space", "b") is UNKNOWN
    assert memory.recall("other", "c") is UNKNOWN


@pytest.mark.parametrize(
    ("key", "path"), [("7", "/x/7"), ("a b", "/x/a%20b"), ("é", "/x/%C3%A9"), ("a?b#c", "/x/a%3Fb%23c")]
)
def test_a_probe_asks_for_the_key_encoded(key: str, path: str) -> None:
    assert EXAMPLES[Probe].locate("space", key, known()) == AskAll(path)
