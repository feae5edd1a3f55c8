"""What is remembered of keys, and whom it believes."""

from shardgate.core.contracts import UNKNOWN
from shardgate.core.limits import LEARNED_KEY_CHARACTERS_MAX
from shardgate.core.locate.memory import LearnedKeys


def test_a_second_claim_replaces_nothing_and_is_told_once() -> None:
    """Found: a row that named another shard's id sent the requests for it, tokens and all, to the liar."""
    told: list[tuple[str, ...]] = []
    memory = LearnedKeys(10, lambda *dispute: told.append(dispute))
    memory.learn("event", "7", "north")
    for _ in range(3):
        memory.learn("event", "7", "south")
        memory.learn("event", "7", "north")
    assert memory.recall("event", "7") is UNKNOWN
    assert memory.is_disputed("event", "7")
    assert told == [("event", "7", "north", "south")]


def test_a_dispute_ends_where_all_were_asked_or_none_has_the_key() -> None:
    memory = LearnedKeys(10)
    for key in ("moved", "gone"):
        memory.learn("event", key, "north")
        memory.learn("event", key, "south")
    memory.settle("event", "moved", "south")
    memory.forget("event", "gone")
    memory.learn("event", "gone", "west")
    assert [memory.recall("event", key) for key in ("moved", "gone")] == ["south", "west"]


def test_the_rows_of_a_page_are_learned_as_each_alone_would_be() -> None:
    told: list[tuple[str, ...]] = []
    memory = LearnedKeys(10, lambda *dispute: told.append(dispute))
    for _ in range(2):
        memory.learn_rows("event", [("7", "north"), ("8", "south"), ("9", "north")])
    assert [memory.recall("event", key) for key in "789"] == ["north", "south", "north"]
    memory.learn_rows("event", [("7", "north"), ("8", "north")])
    assert memory.recall("event", "8") is UNKNOWN
    memory.learn_rows("event", [("6", "north"), ("6", "south")])
    assert told == [("event", "8", "south", "north"), ("event", "6", "north", "south")]


def test_copies_of_a_row_are_no_dispute() -> None:
    memory = LearnedKeys(10)
    for shard in ("north", "south"):
        memory.learn_copy("event", "7", shard)
    assert memory.recall("event", "7") == "north"
    assert not memory.is_disputed("event", "7")


def test_a_long_key_is_not_remembered() -> None:
    memory = LearnedKeys(10)
    memory.learn("event", "k" * (LEARNED_KEY_CHARACTERS_MAX + 1), "north")
    memory.learn("event", "k" * LEARNED_KEY_CHARACTERS_MAX, "north")
    assert memory.recall("event", "k" * (LEARNED_KEY_CHARACTERS_MAX + 1)) is UNKNOWN
    assert memory.recall("event", "k" * LEARNED_KEY_CHARACTERS_MAX) == "north"


def test_the_space_with_the_most_keys_makes_room() -> None:
    """A space whose keys come in floods does not push out those of another."""
    memory = LearnedKeys(20)
    memory.learn("tenant", "acme", "north")
    for number in range(100):
        memory.learn("event", f"{number}", "south")
    assert memory.recall("tenant", "acme") == "north"
    assert memory.recall("event", "0") is UNKNOWN
    assert memory.recall("event", "99") == "south"
    assert len(memory.entries()) <= 20
    memory.forget("event", "99")
    memory.forget("event", "99")
    for number in range(100):
        memory.learn("event", f"{number}", "south")
    assert 15 < len(memory.entries()) <= 20
