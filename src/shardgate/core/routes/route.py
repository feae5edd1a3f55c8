"""Route: one operation of the application, and the rule that serves it."""

import msgspec

from shardgate.core.contracts import Locator
from shardgate.core.routes.rule import AnyShard, One, Rule


class Route(msgspec.Struct, frozen=True):
    """An operation. `rule` is None where the gateway is configured not to serve it; `unserved` says why."""

    method: str
    template: str
    operation: str
    rule: Rule | None
    locators: tuple[Locator, ...] = ()
    unserved: str = ""

    @property
    def streams(self) -> bool:
        """Whether a request can be sent on before its body is whole: nothing in the body decides where it goes."""
        rule = self.rule
        if isinstance(rule, One):
            sources = (rule.key,) if isinstance(rule.key, str) else rule.key
            return not any(source.startswith(("body.", "form.")) for source in sources)
        return rule is None or isinstance(rule, AnyShard)


class Routes(msgspec.Struct, frozen=True):
    """Every operation of the application, and what matching them needs to know."""

    routes: tuple[Route, ...]
    method_override: str | None = None
    """The query parameter by which a POST says that it is another method."""
    trailing_slash: bool = True
    """`/events/` is `/events`."""
