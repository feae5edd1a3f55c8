"""Whether each change that was acknowledged is there once, and none is torn.

Holds: a thing that a client chose the name of is on its shard or nowhere; one for all shards is on all or on none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from proof.chaos.record import Record


class Made(msgspec.Struct):
    """What one shard was told to make, over all of its instances."""

    times: Counter[str]
    """Path → how often it was made."""
    kept: set[str]
    """What was not taken back."""


def read_made(file: Path) -> Made:
    """From the file that the instances of a shard append to."""
    made = Made(Counter(), set())
    for line in file.read_text().splitlines():
        word, path, _ = line.split(" ")
        if word == "made":
            made.times[path] += 1
            made.kept.add(path)
        else:
            made.kept.discard(path)
    return made


def torn(records: Iterable[Record], shards: Mapping[str, Made]) -> list[str]:
    """What is wrong; `shards`: letter → what was made there."""
    wrong: Counter[str] = Counter()
    for record in records:
        if record.kind.endswith("create"):
            wrong.update(_of_one(record, shards))
        elif record.kind.endswith("every"):
            wrong.update(_of_all(record, shards))
    return [f"{count} {text}" for text, count in sorted(wrong.items())]


def _of_one(record: Record, shards: Mapping[str, Made]) -> list[str]:
    path = f"/things/{record.thing}"
    there = [letter for letter, made in shards.items() if path in made.kept]
    found = []
    if record.word == "ok" and record.shard not in there:
        found.append("acknowledged creates are not there")
    if any(letter != record.shard for letter in there):
        found.append("creates are on another shard")
    if any(made.times[path] > 1 for made in shards.values()):
        found.append("creates were made twice")
    return found


def _of_all(record: Record, shards: Mapping[str, Made]) -> list[str]:
    path = f"/everyone/{record.thing}"
    there = [letter for letter, made in shards.items() if path in made.kept]
    found = []
    if record.word == "ok" and len(there) < len(shards):
        found.append("acknowledged changes of all are not on all")
    elif 0 < len(there) < len(shards):
        found.append("changes of all are on some")
    if any(made.times[path] > 1 for made in shards.values()):
        found.append("changes of all were made twice")
    return found
