"""Route: one operation of the application, and the rule that serves it."""

import msgspec

from shardgate.core.contracts import Locator
from shardgate.core.routes.rule import AnyShard, One, Rule


class Filter(msgspec.Struct, frozen=True):
    """A query parameter, a variable of the path, or a claim of the token, by which a list keeps only what belongs to
    some tenants, or only some ids."""

    parameter: str
    separator: str | None
    """What stands between two keys; None: a parameter has one."""
    space: str
    locators: tuple[Locator, ...]
    shown: bool = False
    """The keys are what the list's rows are told apart by, so that a page shows whether it has all of them."""
    unless: tuple[str, ...] = ()
    """Parameters that name a row, which the filter may not let through: who has it is asked of all."""
    claim: str = ""
    """The claim that names the keys, where no parameter does."""
    variable: str = ""
    """The variable of the path that does."""


class Route(msgspec.Struct, frozen=True):
    """An operation. `rule` is None where the gateway is configured not to serve it; `unserved` says why."""

    method: str
    template: str
    operation: str
    rule: Rule | None
    locators: tuple[Locator, ...] = ()
    whole_locators: tuple[Locator, ...] = ()
    """Of a `divide`: those of `whole_locate`."""
    unserved: str = ""
    keyed: bool = False
    """The rule says where a request has its idempotency key, or that it must have one."""
    filters: tuple[Filter, ...] = ()
    parts_space: str | None = None
    """Of what may be in parts: the space of its keys."""
    ages: bool = False
    """Its replies hold what is signed and grows too old: a client needs new ones even if no shard has anything new."""

    @property
    def streams(self) -> bool:
        """Whether a request can be sent on before its body is whole: nothing in the body decides where it goes."""
        rule = self.rule
        if isinstance(rule, One):
            sources = (rule.key,) if isinstance(rule.key, str) else rule.key
            return rule.parts is None and not any(source.startswith(("body.", "form.")) for source in sources)
        return rule is None or isinstance(rule, AnyShard)


class Routes(msgspec.Struct, frozen=True):
    """Every operation of the application, and what matching them needs to know."""

    routes: tuple[Route, ...]
    method_override: str | None = None
    """The query parameter by which a POST says that it is another method."""
    method_override_header: str | None = None
    """The header by which it says so."""
    trailing_slash: bool = True
    """`/events/` is `/events`."""
