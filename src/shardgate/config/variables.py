"""The variables of the environment that stand for fields of shardgate.yaml, derived from the schema.

`listen` is SHARDGATE_LISTEN, `timeouts.drain_timeout_s` is SHARDGATE_TIMEOUTS_DRAIN_TIMEOUT_S: every field that is a
text, a number, a word, true or false, or a list of texts has a variable. Shards have two of their own.

Never: reads the environment.
"""

import re
from collections.abc import Iterator
from functools import cache
from math import isfinite
from typing import Any, Final

import msgspec
from msgspec import inspect

from shardgate.config.schema import Config

PREFIX: Final = "SHARDGATE_"
SHARDS: Final = f"{PREFIX}SHARDS"
"""All shards: `north=http://10.0.0.1:8000,south=http://10.0.0.2:8000`, or a mapping in YAML or JSON."""
SHARD_URL: Final = re.compile(rf"{PREFIX}SHARD_([A-Z0-9_]+)_URL")
"""The address of one shard that the configuration names."""
DATABASE_URL: Final = re.compile(rf"{PREFIX}DATABASE_[A-Z0-9_]+")
"""The database of one shard, for `shardgate move` alone."""
OF_THE_COMMAND_LINE: Final = frozenset({f"{PREFIX}CONFIG", f"{PREFIX}LOG_FORMAT"})
"""Those that stand for options of the command line instead of fields."""
# Kubernetes gives every container the addresses of all services: of one named `shardgate` in these variables.
OF_A_SERVICE: Final = re.compile(
    rf"{PREFIX}(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
)


class Variable(msgspec.Struct, frozen=True):
    """One variable, and the field that it stands for."""

    name: str
    path: tuple[str, ...]
    types: tuple[inspect.Type, ...]
    """What the field may be."""

    def read(self, text: str) -> Any:
        """The value of the field. Raises ValueError that says what the text is not, without the text."""
        kinds = {type(each): each for each in self.types}
        if isinstance(many := kinds.get(inspect.VarTupleType), inspect.VarTupleType) and (
            inspect.StrType not in kinds or "," in text
        ):
            return [_word(part.strip(), many.item_type) for part in text.split(",") if part.strip()]
        if isinstance(words := kinds.get(inspect.LiteralType), inspect.LiteralType):
            return _word(text, words)
        if inspect.StrType in kinds:
            return text
        if inspect.BoolType in kinds:
            if text.lower() not in {"true", "false"}:
                raise ValueError("it is neither `true` nor `false`")
            return text.lower() == "true"
        return _number(text, whole=inspect.FloatType not in kinds)


@cache
def variables() -> dict[str, Variable]:
    """Every variable that stands for a field, by its name."""
    return {each.name: each for each in _of_struct(Config, ())}


def _of_struct(kind: type[msgspec.Struct], path: tuple[str, ...]) -> Iterator[Variable]:
    for field in msgspec.structs.fields(kind):
        at = (*path, field.name)
        known = inspect.type_info(field.type)
        types = known.types if isinstance(known, inspect.UnionType) else (known,)
        for each in types:
            if isinstance(each, inspect.StructType):
                yield from _of_struct(each.cls, at)
        if any(isinstance(each, _LEAVES) for each in types):
            yield Variable(f"{PREFIX}{'_'.join(at).upper()}", at, tuple(types))


_LEAVES: Final = (
    inspect.StrType,
    inspect.IntType,
    inspect.FloatType,
    inspect.BoolType,
    inspect.LiteralType,
    inspect.VarTupleType,
)


def _word(text: str, kind: inspect.Type) -> str:
    if isinstance(kind, inspect.LiteralType) and text not in kind.values:
        raise ValueError(f"it must be one of {', '.join(str(each) for each in kind.values)}")
    return text


def _number(text: str, *, whole: bool) -> float:
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        raise ValueError("it is no whole number" if whole else "it is no number") from None
    if not isfinite(value):
        raise ValueError("it is no number")
    return value
