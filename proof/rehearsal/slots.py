"""Where instances of the gateway run: two sets, blue and green, of some slots each, and one slot for staging.

*Holds:* a slot has its ports for the whole rehearsal, whichever version is in it.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from tools.ports import reserved_port

Colour = Literal["blue", "green"]
INSTANCES = 2
"""In each set, as a service in two zones has."""


class Slot(msgspec.Struct, frozen=True):
    """One place for one instance."""

    name: str
    port: int
    admin_port: int

    @classmethod
    def free(cls, name: str) -> "Slot":
        """A slot on ports of loopback that nobody listens on."""
        return cls(name, reserved_port(), reserved_port())

    @property
    def url(self) -> str:
        """Where the instance answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ready_url(self) -> str:
        """Where it says whether clients may be sent to it."""
        return f"http://127.0.0.1:{self.admin_port}/readyz"


def slots_of(colour: Colour) -> Sequence[Slot]:
    """The slots of a set, on free ports."""
    return [Slot.free(f"{colour}-{number}") for number in range(INSTANCES)]


def other(colour: Colour) -> Colour:
    """The set that does not serve."""
    return "green" if colour == "blue" else "blue"
