"""All attacks, in the order in which they are tried."""

from collections.abc import Mapping

import msgspec

from proof.hostile.attack import Attack
from proof.hostile.attacks.bodies import BODIES
from proof.hostile.attacks.changes import CHANGES
from proof.hostile.attacks.crowds import CROWDS
from proof.hostile.attacks.framing import FRAMING
from proof.hostile.attacks.heads import HEADS
from proof.hostile.attacks.replies import REPLIES
from proof.hostile.attacks.tls import TLS
from proof.hostile.attacks.tokens import ISSUER, TOKENS

_FAMILIES: tuple[tuple[str, Mapping[str, Attack]], ...] = (
    ("body", BODIES),
    ("head", HEADS),
    ("bytes", FRAMING),
    ("token", TOKENS),
    ("issuer", ISSUER),
    ("tls", TLS),
    ("change", CHANGES),
    ("crowd", CROWDS),
    ("shard", REPLIES),
)


def all_attacks() -> list[Attack]:
    """Each with its family's name before its own."""
    return [
        msgspec.structs.replace(attack, name=f"{family}: {name}")
        for family, attacks in _FAMILIES
        for name, attack in attacks.items()
    ]
