"""What is wrong with the versions that are rolled back: a locator of one's own that fails, is slow, or fails for one
event. It is copied into a layer on the real image, as an operator's plug-in would be.
"""

import time

from shardgate.extend import UNKNOWN, Known, Strategy, Unknown


class Failing(Strategy, frozen=True):
    """Raises, so that every request for an event is answered by 500."""

    def locate(self, space: str, key: str, known: Known) -> str | Unknown:
        """Fail."""
        raise RuntimeError("a mistake in a plug-in")


class Slow(Strategy, frozen=True):
    """Holds the worker, as code does that waits in a loop of events."""

    seconds: float = 0.4

    def locate(self, space: str, key: str, known: Known) -> str | Unknown:
        """Take long, and leave the key to the next locator."""
        time.sleep(self.seconds)
        return UNKNOWN


class Picky(Strategy, frozen=True):
    """Fails for one event, which no test asks for and clients do."""

    event: str

    def locate(self, space: str, key: str, known: Known) -> str | Unknown:
        """Fail for the one, leave others to the next locator."""
        if key == self.event:
            raise RuntimeError("a mistake that only one event brings up")
        return UNKNOWN
