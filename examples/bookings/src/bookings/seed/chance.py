"""Chance that repeats itself: every kind of row draws from its own source.

Holds: what is drawn for one kind of row does not depend on how many rows of another are drawn.
"""

import hashlib
from random import Random


class Chance:
    """Ids and random numbers that follow from one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def of(self, kind: str) -> Random:
        return Random(f"{self._seed}:{kind}")

    def id(self, kind: str, number: int) -> str:
        return self.bytes(kind, number).hex()

    def bytes(self, kind: str, number: int) -> bytes:
        text = f"{self._seed}:{kind}:{number}"
        return hashlib.blake2b(text.encode(), digest_size=16).digest()
