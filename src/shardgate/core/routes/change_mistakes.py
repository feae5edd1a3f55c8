"""Mistakes in the rules of changes: what would leave an outcome unknown, or a change half done, is found before it is
served."""

from collections.abc import Iterator, Sequence

from shardgate.core.body.numbering import PLACE
from shardgate.core.changes.idempotency import Idempotency
from shardgate.core.changes.placing import LeastData
from shardgate.core.http import SAFE_METHODS
from shardgate.core.merge.entity import Entity
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.rule import AnyShard, Divide, Every, Gather, One, Place, Rule


def key_fields(rule: Rule) -> Iterator[tuple[str, Sequence[str]]]:
    """The fields of a rule that say where a key is, with the places that they name."""
    if isinstance(rule, One):
        yield "key", _several(rule.key)
    if isinstance(rule, Place) and rule.key is not None:
        yield "key", _several(rule.key)
    if isinstance(rule, Place) and rule.pinned_by is not None:
        yield "pinned_by", (rule.pinned_by,)
    if isinstance(rule, Divide) and rule.whole_key is not None:
        yield "whole_key", _several(rule.whole_key)
    if not isinstance(rule, Gather) and rule.idempotency.key is not None:
        yield "idempotency.key", (rule.idempotency.key,)
    if not isinstance(rule, Gather) and rule.idempotency.name is not None:
        yield "idempotency.name", (rule.idempotency.name,)


def check_write(rule: Rule, method: str, place: str) -> list[Mistake]:
    """What is wrong in how a change is repeated, looked for, or taken back."""
    mistakes: list[Mistake] = []
    if isinstance(rule, Every):
        mistakes += _check_every(rule, method, place)
    elif isinstance(rule, Place):
        mistakes += _check_place(rule, method, place)
    elif isinstance(rule, Divide):
        mistakes += _check_split(rule, place)
    if isinstance(rule, One):
        mistakes += _check_parts(rule, method, place)
    return mistakes + _check_keys(rule, method, place)


def _check_split(rule: Divide, place: str) -> list[Mistake]:
    mistakes: list[Mistake] = []
    if (rule.whole_key is None) != (rule.whole_locate is None):
        cure = "add the other of the two, or remove both"
        mistakes.append(Mistake(f"{place}.whole_key", "`whole_key` and `whole_locate` go together", cure))
    if rule.position is not None and rule.position.count(PLACE) != 1:
        mistakes.append(Mistake(f"{place}.position", "it does not say where the number stands", "write `items.{n}`"))
    if rule.parts is not None and not (rule.mode == "all_or_none" and {*rule.learn.values()} & {*rule.assign}):
        cure = "take `mode: all_or_none`, `assign` its id, and name that under `learn`"
        mistakes.append(Mistake(f"{place}.parts", "what is made in parts must be known by one id", cure))
    return mistakes + (_check_together(rule, place) if rule.mode == "all_or_none" else [])


def _check_keys(rule: Rule, method: str, place: str) -> list[Mistake]:
    """What is said of idempotency keys."""
    mistakes: list[Mistake] = []
    if not isinstance(rule, Gather) and (rule.idempotency.key or "").startswith("path."):
        cure = "take a place in the body, the query or a header"
        mistakes.append(Mistake(f"{place}.idempotency.key", "the path is the same for all requests", cure))
    if not isinstance(rule, Gather | One) and rule.idempotency.name is not None:
        cure = "remove it: this rule says otherwise where a request goes"
        mistakes.append(Mistake(f"{place}.idempotency.name", "only `one` sends a request where its name went", cure))
    if isinstance(rule, One | AnyShard) and method in SAFE_METHODS and rule.idempotency.required:
        mistakes.append(Mistake(f"{place}.idempotency", f"{method} needs no key", "remove it"))
    return mistakes


def repeats(rule: Every, method: str) -> bool:
    """Whether the change may be sent again; RFC 9110 section 9.2.2 where the rule does not say."""
    return method in {"PUT", "DELETE"} if rule.repeat is None else rule.repeat


def needs_store(rule: Rule | None) -> bool:
    """Whether the rule cannot be served without a store."""
    if isinstance(rule, Every | Place) or (isinstance(rule, Divide) and rule.mode == "all_or_none"):
        return True
    if isinstance(rule, One) and rule.change is not None:
        return True
    return rule is not None and has_words_on_keys(rule)


def has_words_on_keys(rule: Rule) -> bool:
    """Whether the rule says more of idempotency keys than that there may be one."""
    return not isinstance(rule, Gather) and rule.idempotency != Idempotency()


def _check_every(rule: Every, method: str, place: str) -> list[Mistake]:
    mistakes = []
    if method in SAFE_METHODS:
        mistakes.append(Mistake(f"{place}.rule", f"`every` changes, and {method} does not", "take `any` or `gather`"))
    if rule.mode == "strict" and rule.undo is None:
        cure = "add `undo`, or take `mode: eventual`"
        mistakes.append(Mistake(f"{place}.undo", "`strict` must be able to take the change back", cure))
    if rule.check is None and not repeats(rule, method):
        cure = "add `check`, the path of what was changed, or `repeat: true` if sending it twice is harmless"
        mistakes.append(Mistake(f"{place}.check", "after a lost reply nobody could say whether it was made", cure))
    return mistakes


def _check_place(rule: Place, method: str, place: str) -> list[Mistake]:
    mistakes = []
    if method in SAFE_METHODS:
        mistakes.append(Mistake(f"{place}.rule", f"`place` creates, and {method} does not", "take another rule"))
    policy = rule.policy
    if isinstance(policy, LeastData) and (policy.count is None) == (policy.count_header is None):
        cure = "add `count_header` or `count`, one of the two"
        mistakes.append(Mistake(f"{place}.policy", "it does not say where the number stands", cure))
    if rule.check is not None and rule.key is None and not rule.assign:
        cure = "add `key`, or `assign` an id"
        mistakes.append(Mistake(f"{place}.check", "a tenant without a name cannot be looked for", cure))
    return mistakes


def _check_together(rule: Divide, place: str) -> list[Mistake]:
    mistakes = []
    if rule.undo is None:
        cure = "add `undo`, or take `mode: independent`"
        mistakes.append(Mistake(f"{place}.undo", "all or none needs a way back", cure))
    if rule.check is None and not rule.repeat:
        cure = "add `check`, the path of what was made, or `repeat: true` if the application knows a repetition"
        mistakes.append(Mistake(f"{place}.check", "after a lost reply nobody could say whether it was made", cure))
    return mistakes


def _check_parts(rule: One, method: str, place: str) -> list[Mistake]:
    mistakes = []
    if rule.parts is not None and method not in SAFE_METHODS and not isinstance(rule.parts, Entity):
        cure = "take `kind: entity`"
        mistakes.append(Mistake(f"{place}.parts", "the replies to a change become one entity", cure))
    if (rule.parts is None) != (rule.change is None) and method not in SAFE_METHODS:
        cure = "add the other of the two, or remove both"
        mistakes.append(Mistake(f"{place}.change", "`parts` and `change` go together", cure))
    if rule.change is not None and method in SAFE_METHODS:
        mistakes.append(Mistake(f"{place}.change", f"{method} changes nothing", "remove it"))
    return mistakes


def _several(key: str | tuple[str, ...]) -> tuple[str, ...]:
    return (key,) if isinstance(key, str) else key
