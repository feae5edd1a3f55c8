"""Route: one operation of the application, and the rule that serves it."""

import msgspec

from shardgate.core.contracts import Locator
from shardgate.core.routes.rule import Rule


class Route(msgspec.Struct, frozen=True):
    """An operation. `rule` is None where the gateway is configured not to serve it; `unserved` says why."""

    method: str
    template: str
    operation: str
    rule: Rule | None
    locators: tuple[Locator, ...] = ()
    whole_locators: tuple[Locator, ...] = ()
    """Of a `split`: those of `whole_locate`."""
    unserved: str = ""
    keyed: bool = False
    """The rule says where a request has its idempotency key, or that it must have one."""


class Routes(msgspec.Struct, frozen=True):
    """Every operation of the application, and what matching them needs to know."""

    routes: tuple[Route, ...]
    method_override: str | None = None
    """The query parameter by which a POST says that it is another method."""
    method_override_header: str | None = None
    """The header by which it says so."""
    trailing_slash: bool = True
    """`/events/` is `/events`."""
