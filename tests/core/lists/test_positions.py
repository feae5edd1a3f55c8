"""Where pages ended is remembered, up to a bound."""

from shardgate.core.lists.positions import PagePositions


def test_a_page_is_recalled_by_its_list_and_offset() -> None:
    pages = PagePositions(10)
    pages.learn("/events?", 100, {"north": 60, "south": 40})
    assert pages.recall("/events?", 100) == {"north": 60, "south": 40}
    assert pages.recall("/events?", 200) is None
    assert pages.recall("/events?q=a", 100) is None


def test_the_oldest_leaves_first_and_what_is_learned_again_takes_no_place() -> None:
    pages = PagePositions(2)
    pages.learn("a", 1, {})
    pages.learn("b", 1, {})
    pages.learn("b", 1, {"north": 1})
    assert pages.recall("a", 1) == {}
    pages.learn("c", 1, {})
    assert pages.recall("a", 1) is None
    assert pages.recall("b", 1) == {"north": 1}
