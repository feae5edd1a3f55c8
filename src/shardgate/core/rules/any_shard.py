"""The rule `any`: any shard answers, since the data is the same on all."""

from collections.abc import Iterator
from typing import Final

from shardgate.core.changes.idempotency import Idempotency
from shardgate.core.contracts import Known
from shardgate.core.http import Request
from shardgate.core.plan.plan import ToAny
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import Clock, Route, Variables
from shardgate.core.rules.calling import CallingRule, check_calls
from shardgate.core.rules.repeating import check_key, check_name, check_required


class AnyShard(CallingRule, frozen=True, kw_only=True, tag="any"):
    """Any healthy shard answers: the data is the same everywhere."""

    idempotency: Idempotency = Idempotency()
    """How repeated requests of this operation are handled."""

    def plan(self, request: Request, route: Route, variables: Variables, known: Known, clock: Clock) -> ToAny:
        """To the first shard that can be reached."""
        return ToAny(route, known.topology.ids)

    def describe(self, route: Route) -> str:
        """One line."""
        return "any: the same on every shard"

    def mistakes(self, method: str, template: str) -> Iterator[Mistake]:
        """What is wrong in `idempotency`, and in what is said of its calls."""
        yield from check_calls(self, method)
        yield from check_key(self)
        yield from check_name(self)
        yield from check_required(self, method)

    @property
    def streams(self) -> bool:
        """Nothing decides where a request goes."""
        return True


OF_ANY_SHARD: Final = AnyShard()
"""For requests that every shard answers alike, where no rule says otherwise."""
