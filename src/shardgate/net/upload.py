"""A request's body on its way from a client's connection to a shard's: what the two connections know of each other."""

from collections.abc import Callable
from typing import Protocol


class BodyTaker(Protocol):
    """Takes a request's body while it arrives."""

    def body_data(self, data: bytes) -> None:
        """A piece of the body, without its framing."""

    def body_end(self, trailers: bytes) -> None:
        """The body is whole."""


class Upload(Protocol):
    """A request body that is still arriving."""

    @property
    def is_chunked(self) -> bool:
        """Whether its length is unknown."""

    @property
    def has_enough(self) -> bool:
        """Whether SMALL_BODY_BYTES_MAX bytes have come, or all."""

    @property
    def seen(self) -> bytes:
        """All of it, where it has come and nobody has taken it; else nothing."""

    def await_enough(self, then: Callable[[], None]) -> None:
        """Hold what comes until it is SMALL_BODY_BYTES_MAX bytes, or all. Then read no more, and call `then`."""

    def stream_to(self, taker: BodyTaker) -> None:
        """Begin to hand the body on."""

    def pause(self) -> None:
        """The shard is slower than the client."""

    def resume(self) -> None:
        """The shard has caught up."""
