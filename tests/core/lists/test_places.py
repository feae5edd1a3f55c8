"""What a page teaches of where others begin, and what is known of one that is asked for."""

from shardgate.core.contracts import Page
from shardgate.core.dialect.offset import Offset
from shardgate.core.lists.places import Places
from shardgate.core.lists.positions import PagePositions, alone
from tests.core.requests import request

SHARDS = ("north", "south")


def places(target: str, memory: PagePositions | None) -> tuple[Places, Page]:
    dialect, asked = Offset(), request(f"GET {target}")
    page = dialect.read(asked)
    assert isinstance(page, Page)
    return Places(dialect, asked, page, memory), page


def test_a_page_that_was_passed_is_where_the_next_one_begins() -> None:
    memory = alone(9).at(0, SHARDS)
    first, _ = places("/rows?limit=50&offset=1000", memory)
    assert first.are_kept
    first.passed({"north": 700, "south": 350})
    following, page = places("/rows?offset=1050&limit=50", memory)
    assert following.known(page) == ({"north": 700, "south": 350}, (None, None))


def test_a_page_that_was_not_walked_to_is_expected_between_known_places() -> None:
    memory = alone(9).at(0, SHARDS)
    first, _ = places("/rows?limit=50&offset=1000", memory)
    first.passed({"north": 700, "south": 350})
    other, page = places("/rows?limit=50&offset=2000", memory)
    assert other.known(page) == (None, ((1050, {"north": 700, "south": 350}), None))
    of_another_list, page = places("/rows?limit=50&offset=2000&city=Bern", memory)
    assert of_another_list.known(page) == (None, (None, None))


def test_pages_near_the_beginning_and_lists_without_a_memory_keep_nothing() -> None:
    shallow, page = places("/rows?limit=50", alone(9).at(0, SHARDS))
    assert (shallow.are_kept, shallow.known(page)) == (False, (None, (None, None)))
    forgetful, page = places("/rows?limit=50&offset=1000", None)
    forgetful.passed({"north": 700, "south": 350})
    assert (forgetful.are_kept, forgetful.known(page)) == (False, (None, (None, None)))
