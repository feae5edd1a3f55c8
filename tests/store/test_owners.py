"""What is known of keys that compare equal, after one of them changed: right, or nothing at all."""

import itertools

from shardgate.store.map_writer import DISPUTED, EQUAL, EQUALS
from shardgate.store.owners import UNSURE, spelled

SPELLINGS = ("acme", "ACME", "Acme")


def said(owners: dict[str, str]) -> str:
    """What a new map would say."""
    if not owners:
        return ""
    shards = {*owners.values()}
    if len(shards) > 1:
        return DISPUTED
    return (EQUAL if len(owners) == 1 else EQUALS) + shards.pop()


def test_after_each_change_it_is_what_a_new_map_would_say_or_unsure() -> None:
    moves = [(spelling, shard) for spelling in SPELLINGS for shard in ("n", "s", None)]
    unsure = 0
    for changes in itertools.product(moves, repeat=4):
        owners: dict[str, str] = {}
        known = ""
        for spelling, shard in changes:
            known = spelled(known, spelling in owners, shard)
            if shard is None:
                owners.pop(spelling, None)
            else:
                owners[spelling] = shard
            unsure += known == UNSURE
            assert known in {UNSURE, said(owners)}
    assert 0 < unsure < len(moves) ** 4
