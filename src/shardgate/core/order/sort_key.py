"""Sort keys: the type of each, where its value stands in a row, and how values compare.

Holds: numbers compare exactly, however long and however written. Times compare as instants, whatever their offset.
Values of several types compare only where the rule says which type stands first.
Never: reads a row (key_reader.py does).
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal, get_args

import msgspec

from shardgate.core.excerpt import excerpt
from shardgate.core.order.alike import alike
from shardgate.core.order.collation import collated, collation

KeyType = Literal["text", "number", "decimal", "boolean", "time", "any"]
ValueType = Literal["boolean", "number", "text"]

# RFC 3339 section 5.6, whose note lets a space stand for the T.
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)


Nulls = Literal["first", "last", "always_first", "always_last"]


_TYPES: tuple[ValueType, ...] = ("boolean", "number", "text")


class SortKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows compare by one property."""

    type: KeyType = "text"
    """The type of the value. `decimal` is a number that may be written as a text (`"9.50"`), `time` an RFC 3339 time
    with its offset. `any`: rows have values of several types, in the order of `types`."""
    types: tuple[ValueType, ...] = _TYPES
    """The types that values of `any` have, in the order in which the application sorts them: `[number, text]`, all
    numbers before all texts. A value of another type is a 502."""
    nulls: Nulls | None = None
    """Where rows without a value stand: `first` or `last` in ascending order, and at the other end in descending order;
    `always_first` or `always_last` in both. A value is missing where its member is `null` or left out. Null: every row
    has a value."""
    collation: str = "binary"
    """How texts compare: `binary` (by code point), `utf16`, `case_insensitive`, `ascii_case_insensitive`, or `icu:` and
    a locale (`icu:sv`)."""
    deterministic: bool | None = None
    """What decides between texts that the collation takes for equal, such as `é` and `e` with a combining accent. True:
    their bytes in UTF-8, before the next key, as in PostgreSQL unless the collation was made with `deterministic =
    false`. False: the next key, as for `Intl.Collator`. Null: it is not known, so that such texts are a 502 with an
    `icu:` collation; with the others the next key decides."""
    pad_space: bool | None = None
    """Whether spaces at the end of a text make no difference, so that `Bern` and `Bern ` are equal: true for most
    collations of MySQL, MariaDB and SQL Server (`PAD SPACE`), false for PostgreSQL, SQLite and `utf8mb4_0900_…` (`NO
    PAD`). Null: it is not known. Then they make a difference; but where a collation takes texts for equal, keys of a
    report and values of a union that differ in them alone between two shards are a 502."""
    path: str | tuple[str, ...] | None = None
    """The path of the value in a row: `vendor.name`, or a list of names where one has dots; null: the key's name."""

    def __post_init__(self) -> None:
        """The collation is known, and the key is text. Raises ValueError."""
        if self.collation != "binary" and (self.type not in {"text", "any"} or "text" not in self.types):
            raise ValueError("only text has a collation")
        if self.deterministic is not None and self.collation in {"binary", "utf16"}:
            raise ValueError(f"`{self.collation}` takes no two texts for equal; remove `deterministic`")
        if self.pad_space is not None and (self.type not in {"text", "any"} or "text" not in self.types):
            raise ValueError("only text has spaces at its end; remove `pad_space`")
        if self.pad_space and self.deterministic:
            raise ValueError("`deterministic: true` tells apart what differs in spaces; remove it, or `pad_space`")
        if self.type != "any" and self.types != _TYPES:
            raise ValueError("`types` is the order of the types of `type: any`; remove it")
        if not self.types or len({*self.types}) < len(self.types):
            raise ValueError("`types` names each type that values have, once")
        collation(self.collation)

    def place(self, name: str) -> tuple[str, ...]:
        """The path of the value in a row: one name a step."""
        path = name if self.path is None else self.path
        return tuple(path.split(".")) if isinstance(path, str) else path


KeyConfig = KeyType | SortKey
"""A sort key as configuration writes it: the name of a type, or a whole SortKey."""


def sort_key(config: KeyConfig) -> SortKey:
    """A key's configuration in full."""
    return config if isinstance(config, SortKey) else _BY_TYPE[config]


_BY_TYPE: dict[KeyType, SortKey] = {kind: SortKey(type=kind) for kind in get_args(KeyType)}


EVERY: Final = "*"
"""The name under which `keys` says how the properties compare that it does not name."""
ANY_KEYS: Final[Mapping[str, KeyConfig]] = {EVERY: SortKey(type="any", nulls="first")}
"""What `keys: any` means."""


def null_place(nulls: Nulls, *, descends: bool) -> tuple[int, int]:
    """What a missing value compares as, where a value is the pair (1, value)."""
    if nulls.startswith("always") and descends:
        return (2, 0) if nulls == "always_first" else (0, 0)
    return (0, 0) if nulls.endswith("first") else (2, 0)


def clash(keys: Mapping[str, SortKey]) -> str | None:
    """Why no row can have these keys together; None where rows can."""
    places = {name: key.place(name) for name, key in keys.items()}
    for name, place in places.items():
        for other, longer in places.items():
            if len(place) < len(longer) and longer[: len(place)] == place:
                return f"the sort key {name!r} is a value, and {other!r} is inside of it; change the path of one"
            if place == longer and keys[name].type != keys[other].type:
                return f"the sort keys {name!r} and {other!r} are the same value, in different types"
    return None


def transform(key: SortKey) -> Callable[[Any], Any] | None:
    """The function that makes a value comparable; None where values are. It raises ValueError for an invalid value."""
    if key.type == "time":
        return instant
    if key.type == "decimal":
        return _finite
    if key.type == "any":
        return _of_several_types(key)
    return _collated(key) if key.type == "text" else None


def _collated(key: SortKey) -> Callable[[Any], Any] | None:
    return collated(key.collation, key.deterministic, pads=bool(key.pad_space))


def likeness(config: KeyConfig | None) -> Callable[[Any], Any]:
    """The function that makes one of values which the application may take for one, as far as a key says it.

    `config`: None where nothing is said. It raises ValueError for an invalid value.
    """
    if config is None:
        return alike
    key = sort_key(config)
    takes_for_equal = key.collation not in {"binary", "utf16"} and not key.deterministic
    if takes_for_equal:  # what is not said may be either
        pads = True if key.pad_space is None else key.pad_space
        key = msgspec.structs.replace(key, pad_space=pads, deterministic=False)
    return transform(key) or _itself


def _itself(value: Any) -> Any:
    return value


def _of_several_types(key: SortKey) -> Callable[[Any], Any]:
    """Makes a pair of a value: the place of its type, and what compares within the type."""
    places = {kind: n for n, kind in enumerate(key.types)}
    collate = _collated(key)

    def compared(value: Any) -> tuple[int, Any]:
        kind = _KINDS.get(type(value), "")
        if kind not in places:
            found = kind or f"a {'list' if isinstance(value, list) else 'mapping'}"
            raise ValueError(f"a value is {found}; its key is of {', '.join(key.types)}")
        return places[kind], value if collate is None or kind != "text" else collate(value)

    return compared


_KINDS: dict[type, str] = {bool: "boolean", int: "number", Decimal: "number", str: "text"}


def instant(text: str) -> tuple[int, str]:
    """The time as seconds, and the decimals of a second: compares exactly, to any precision. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"`{excerpt(text)}` is no RFC 3339 time with an offset")
    day, hour, minute, second, decimals, sign, offset_h, offset_min = match.groups()
    seconds = ((date.fromisoformat(day).toordinal() * 24 + int(hour)) * 60 + int(minute)) * 60 + int(second)
    if sign is not None:
        offset_s = (int(offset_h) * 60 + int(offset_min)) * 60
        seconds += offset_s if sign == "-" else -offset_s
    return seconds, (decimals or "").rstrip("0")


def _finite(value: int | Decimal) -> int | Decimal:
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"`{excerpt(str(value))}` is no finite number")
    return value
