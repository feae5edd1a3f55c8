"""The words of a rule about its own calls: retries, hedges, and replies that say in their body that they failed."""

from collections.abc import Iterator

import msgspec

from shardgate.core.failures.declared import Signs
from shardgate.core.http import SAFE_METHODS
from shardgate.core.replies.cache.settings import CacheWords
from shardgate.core.routes.calls import IDEMPOTENT, Breaker, CallWords, Hedge, Retry, words_of
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import BaseRule


class CallingRule(BaseRule, frozen=True, kw_only=True):
    """A rule whose calls are guarded, one by one."""

    retry: Retry | None = None
    """What may be sent again at another replica of the shard. `unsent`: only what was not sent, for a read that costs
    much, or changes something after all; it is not hedged either. `idempotent`: also a PUT or DELETE that may have been
    done, since doing it twice comes to the same. Null: reads, and changes of which nothing was sent."""
    hedge: Hedge | None = None
    """Whether a read that is late is sent to a second replica, too. `never`; or a number: not before so many seconds,
    for an operation that is slow by nature. Null: as the shard's `guards` say."""
    breaker: Breaker | None = None
    """Whether a failure of these calls speaks against its replica. `never`: it does not, for an operation that fails or
    takes too long by nature. A number: this one is enough where it is the last of so many failures in a row. Null: as
    the shard's `guards` say (`failures_max`). A replica that answers nobody is left out in any case."""
    failure_is: Signs = msgspec.field(default_factory=dict)
    """A successful reply of a shard that is a failure by the application's convention: path of a member → the values
    that say so, or `any`: `{error: any, status: [failed]}`. It speaks against its replica, and is retried as a 503 is.
    Bodies of up to 64 KiB that are a JSON object are looked at."""

    cache: bool | CacheWords = False
    """Whether each worker keeps replies that the application marks public (`Cache-Control`), and answers from them as a
    shared cache does (RFC 9111). `true`, or the fields of [a mapping](../howto/caching.md#what-a-rule-can-say)."""

    coalesce: bool = False
    """Equal requests that are under way at the same time are asked once: those with the same target, header fields,
    credentials and forwarded address. A reply that is one client's (`Set-Cookie`, `private`, `no-store`) is not shared.
    Each client reads in its own time; one that leaves ends nobody else's reply."""

    @property
    def coalesces(self) -> bool:
        """As `coalesce` says."""
        return self.coalesce

    @property
    def cached(self) -> CacheWords | None:
        """What is kept of replies; None: nothing."""
        if isinstance(self.cache, CacheWords):
            return self.cache
        return CacheWords() if self.cache else None

    @property
    def calls(self) -> CallWords | None:
        """The words; None: there are none."""
        return words_of(self.retry, self.hedge, self.failure_is, self.breaker)


def check_calls(rule: CallingRule, method: str) -> Iterator[Mistake]:
    """What cannot be: a hedge of a change, a retry of what may not be repeated, and signs that say nothing."""
    if rule.retry == "idempotent" and (rule.only_reads or method not in IDEMPOTENT):
        reads = rule.only_reads or method in SAFE_METHODS
        problem = f"{method} is retried in any case" if reads else f"a {method} that is done twice may change more"
        yield Mistake("retry", problem, "remove it; `idempotent` is for PUT and DELETE")
    if rule.hedge is not None and not rule.only_reads and method not in SAFE_METHODS:
        yield Mistake("hedge", f"{method} changes something, and is never sent to two replicas at once", "remove it")
    elif rule.hedge is not None and rule.hedge != "never" and rule.retry == "unsent":
        yield Mistake("hedge", "`retry: unsent` says that nothing is sent twice", "remove one of the two")
    yield from check_signs(rule.failure_is)
    if rule.coalesce and method not in {"GET", "HEAD"}:
        yield Mistake("coalesce", f"a {method} is not shared", "remove it")
    if rule.cached is not None:
        yield from _check_cache(rule, method)


def _check_cache(rule: CallingRule, method: str) -> Iterator[Mistake]:
    if method not in {"GET", "HEAD"}:
        yield Mistake("cache", f"{method} is not answered by what is kept", "remove it; `cache` is for GET")
    for field, sources in rule.key_fields():
        for source in sources:
            if source.partition(".")[0] not in {"path", "query"}:
                problem = f"the reply depends on `{source}` ({field}), of which the application says nothing to caches"
                yield Mistake("cache", problem, "remove it")


def check_signs(signs: Signs) -> Iterator[Mistake]:
    """What is wrong in `failure_is`."""
    for path, values in signs.items():
        if "" in path.split(".") or not values:
            cure = "write a path and what its value then is: `{error: any}`, `{status: [failed]}`"
            yield Mistake(f"failure_is.{path}", "it says nothing", cure)
