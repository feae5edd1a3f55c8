"""The directory as a CSV file with the columns `key` and `shard`, and `space` where it has several.

Holds: a file is read whole, and every mistake in it is named with its line, before anything is written. It is written
all or none, in one transaction.
Never: changes the shard of a key that the directory has already, unless it is told to.
"""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Final, TextIO

from msgspec import Struct

from shardgate.store.database import Store, StoreError
from shardgate.store.directory_entries import Entries

MISTAKES_NAMED: Final = 20  # enough to see what they have in common
KEY_CHARACTERS_MAX: Final = 1_000  # far more than any tenant's name; a longer one is a line whose quotes do not match
PROGRESS_LINES: Final = 100_000  # about a third of a second

_COLUMNS: Final = ("space", "key", "shard")

_PAGE_ROWS: Final = 5_000
_PROGRESS_KEYS: Final = 10_000


class DirectoryFileError(Exception):
    """A file that cannot be imported, with its mistakes as the user reads them, one line each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class _Reading(Struct):
    """What was read so far, and what was wrong with it."""

    entries: Entries
    mistakes: list[str]
    more: int = 0

    def wrong(self, line: int, problem: str) -> None:
        if len(self.mistakes) < MISTAKES_NAMED:
            self.mistakes.append(f"line {line}: {problem}")
        else:
            self.more += 1


def read_csv(
    file: TextIO, space: str | None, shards: Collection[str], progress: Callable[[int], None] = lambda _: None
) -> Entries:
    """The entries of a file. `space` is that of lines that name none; `shards` are the names to accept, none for any.

    `progress` is called with the number of lines read. Raises DirectoryFileError with all mistakes.
    """
    found = _Reading(Entries(), [])
    reader = csv.reader(file, strict=True)
    try:
        places = _header(next(reader, []), space)
        for row in reader:
            if any(row):
                _line(found, reader.line_num, row, places, space, shards)
            if reader.line_num % PROGRESS_LINES == 0:
                progress(reader.line_num)
    except (csv.Error, UnicodeDecodeError) as error:
        reason = "is not UTF-8. Save the file as CSV in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        found.wrong(reader.line_num + 1, reason)
    if found.more:
        found.mistakes.append(f"{found.more:,} more mistakes like these")
    if found.mistakes:
        raise DirectoryFileError(found.mistakes)
    return found.entries


def _header(row: list[str], space: str | None) -> dict[str, int]:
    names = [name.strip().lower() for name in row]
    wanted = "key,shard" if space is not None else "space,key,shard"
    needed = {"key", "shard"} | ({"space"} if space is None else set())
    unknown = [name for name in names if name not in _COLUMNS]
    if not needed <= {*names} or unknown or len({*names}) != len(names):
        written = ",".join(row) or "nothing"
        other = next(
            (mark for mark in ";\t|" if needed <= {name.strip().lower() for name in written.split(mark)}), None
        )
        cure = (
            "Add that line in front of the others" if other is None else "Separate the columns by commas in all lines"
        )
        raise DirectoryFileError([f"line 1: must name the columns, as in {wanted}, but says {written}. {cure}"])
    return {name: place for place, name in enumerate(names)}


def _line(
    found: _Reading, line: int, row: list[str], places: dict[str, int], space: str | None, shards: Collection[str]
) -> None:
    if len(row) != len(places):
        found.wrong(line, f"has {len(row)} columns instead of {len(places)}. A text with a comma must be in quotes")
        return
    where = row[places["space"]].strip() if "space" in places else space or ""
    key, shard = row[places["key"]], row[places["shard"]].strip()
    if problem := _problem(where, key, shard, shards):
        found.wrong(line, problem)
        return
    known = found.entries.add(where, key, shard, line)
    if known is not None and known[0] != shard:
        found.wrong(line, f"key {key!r} is on {shard}, but line {known[1]} says {known[0]}. A key has one shard")


def _problem(space: str, key: str, shard: str, shards: Collection[str]) -> str:
    if not (space and key):
        return "has no key" if space else "has no space. Name the kind of tenant, as in vendors"
    if len(key) > KEY_CHARACTERS_MAX:
        return f"has a key of {len(key):,} characters. Is a quotation mark missing?"
    if key != key.strip():
        return f"has a key that begins or ends with a space, {key!r}. Requests would not find it: remove the space"
    if not shard:
        return f"key {key!r} has no shard"
    if shards and shard not in shards:
        near = get_close_matches(shard, shards, n=1)
        return f"there is no shard {shard!r}." + (
            f" Did you mean {near[0]}?" if near else f" There are {_names(shards)}"
        )
    return ""


def _names(shards: Collection[str]) -> str:
    return ", ".join(sorted(shards))


def store_entries(
    store: Store, entries: Entries, *, replace: bool, progress: Callable[[int], None] = lambda _: None
) -> tuple[int, int]:
    """Store all entries in one transaction. Returns how many keys are new, and how many have another shard now.

    `progress` is called with the number of each page of keys that was stored. Raises StoreError, and stores nothing, if
    a key would get another shard and `replace` is not set.
    """
    new = moved = 0
    first = ""
    with store.transaction():
        known = store.counts()
        for space in entries.spaces():
            for page in entries.pages(space):
                before = store.find_many(space, [*page]) if space in known else {}
                new += len(page) - len(before)
                for key, shard in before.items():
                    if shard != page[key]:
                        moved += 1
                        first = first or f"{key!r} of {space} is on {shard}, and would be on {page[key]}"
        if moved and not replace:
            raise StoreError(
                f"{moved:,} keys are on other shards already: {first}. Nothing was written. Move the data first, then"
                " give --replace"
            )
        for space in entries.spaces():
            store.record(space, _counted(entries.of(space), progress))
    return new, moved


def _counted(pairs: Iterable[tuple[str, str]], progress: Callable[[int], None]) -> Iterator[tuple[str, str]]:
    for number, pair in enumerate(pairs, 1):
        yield pair
        if number % _PROGRESS_KEYS == 0:
            progress(_PROGRESS_KEYS)


def write_csv(file: TextIO, store: Store, spaces: Iterable[str]) -> int:
    """Write the entries of these spaces, sorted by key. Returns how many there are."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    count = 0
    for row in _rows(store, spaces):
        writer.writerow(row)
        count += 1
    return count


def _rows(store: Store, spaces: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for space in spaces:
        for page in store.pages(space, _PAGE_ROWS):
            for key, shard in page:
                yield space, key, shard
