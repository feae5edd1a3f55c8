"""Mistakes in what a rule says of repeated requests (`idempotency`)."""

from collections.abc import Iterator

from shardgate.core.http import SAFE_METHODS
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import BaseRule


def check_key(rule: BaseRule) -> Iterator[Mistake]:
    """The client's key must be told by the request itself."""
    if (rule.idempotency.key or "").startswith("path."):
        cure = "take a place in the body, the query or a header"
        yield Mistake("idempotency.key", "the path is the same for all requests", cure)


def check_name(rule: BaseRule) -> Iterator[Mistake]:
    """Only a rule that sends a request to one shard can send it where its name went before."""
    if rule.idempotency.name is not None:
        cure = "remove it: this kind of rule decides otherwise where a request goes"
        yield Mistake("idempotency.name", "only `one` sends a request where its name went", cure)


def check_required(rule: BaseRule, method: str) -> Iterator[Mistake]:
    """A request that changes nothing may be sent twice."""
    if method in SAFE_METHODS and rule.idempotency.required:
        yield Mistake("idempotency", f"{method} needs no key", "remove it")
