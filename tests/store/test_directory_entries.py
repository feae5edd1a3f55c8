"""The entries of a file: in order, no key twice."""

from shardgate.store.directory_entries import PAGE_ROWS, Entries


def test_a_key_that_is_there_is_told_with_its_line() -> None:
    entries = Entries()
    assert entries.add("v", "a", "north", 2) is None
    assert entries.add("w", "a", "south", 3) is None
    assert entries.add("v", "a", "east", 4) == ("north", 2)
    assert (len(entries), entries.spaces(), [*entries.of("v")]) == (2, ("v", "w"), [("a", "north")])


def test_pages_have_all_keys_in_order() -> None:
    entries = Entries()
    count = 2 * PAGE_ROWS + 1
    for number in reversed(range(count)):
        entries.add("v", f"{number:05}", "north", number)
    pages = [*entries.pages("v")]
    assert [len(page) for page in pages] == [PAGE_ROWS, PAGE_ROWS, 1]
    assert [key for page in pages for key in page] == [f"{number:05}" for number in range(count)]
