"""Made-up configurations: plain data for any struct, most of it as a person would write it, some of it odd.

What can be written is read off the structs, so that a new field is made up too. A number makes a case: the same number
makes the same case again.
"""

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any, get_args

import msgspec
from msgspec import inspect

from shardgate.core.locate import AnyLocator
from shardgate.core.rules import Rule

ODD = [
    "",
    "-id",
    "é",
    "a.b",
    "#",
    "a b",
    "{id}",
    "/x",
    ".",
    "..",
    "*",
    "%",
    "a\nb",
    "A",
    "0",
    "\0",
    "?x",
    "[]",
    '"',
    "\\",
]
SOURCES = ["path.id", "query.v", "header.X-V", "body.v", "body.a.b", "form.v", "basic.username", "claim.v"]
CREDENTIALS = ["cookie.s", "bearer.token", "header.X-V", "basic.username", "claim.v"]
ODD_SOURCES = [
    *(
        "header.",
        "header.é",
        "header.a b",
        "body..",
        "body.é",
        "query.é",
        "query.",
        "cookie.",
        "bearer.x",
        "id",
        "",
        "path.",
    ),
    "path.none",
]
PATHS = ["/x/{id}", "/x", "/x?n={id}", "/x/{id}/y"]
ODD_PATHS = [
    *("x", "/é/{id}", "/x#{id}", "/x y/{id}", "/x/{}", "/{id", "/x/%zz/{id}", "//{id}", "/../{id}", "/?{id}", ""),
    *("/%41/{id}", "/x/{other}", "/x\n/{id}"),
]
LOCATORS = ["first", "second", "third"]
PLAIN = ["id", "name", "v", "items", "total", "X-Total"]
MEMBERS = [f"m{n}" for n in range(9)]
DIALECT_NAMES = ["limit", "offset", "page", "fields", "order", "total", "items", "after", "before", "next"]

Texts = tuple[list[str], list[str]]
"""What a person would write, and what is odd."""
# By the name of the field, or of its struct's tag and the field.
TEXTS: dict[str, Texts] = {
    **dict.fromkeys(("check", "read", "row", "undo.path", "confirm.path"), (PATHS, ODD_PATHS)),
    "probe.path": ([path.replace("id", "key") for path in PATHS if "id" in path], ODD_PATHS),
    "bulk.path": (["/x?v={keys}", "/x?n=1&id={keys}", "/x?id={keys}&n=9"], ODD_PATHS),
    "bulk.separator": ([",", ";", "%2C", "::"], ["", "é", " "]),
    "least_data.path": (["/x", "/x?limit=1"], ODD_PATHS),
    **dict.fromkeys(("locate", "whole_locate", "prune"), (LOCATORS, ["fourth"])),
    **dict.fromkeys(("one.key", "place.key", "pinned_by", "whole_key"), (SOURCES, ODD_SOURCES)),
    **dict.fromkeys(("idempotency.key", "idempotency.name"), (SOURCES[1:], ODD_SOURCES)),
    "credential.key": (CREDENTIALS, ODD_SOURCES),
    **dict.fromkeys(("request.method", "request.path", "request.body", "request.headers"), (MEMBERS, ODD)),
    **dict.fromkeys(("request.id", "reply.id"), (["id"], ODD)),
    **dict.fromkeys(("reply.status", "reply.headers", "reply.body"), (MEMBERS, ODD)),
    **dict.fromkeys(("reply.success", "reply.error"), (MEMBERS, ODD)),
    "base": (["/v1", "/a/b"], ["v1", "/v1/", "/?a", ""]),
    "method": (["DELETE", "POST", "PATCH"], ["delete", "ANY", "", "GET /", "é"]),
    "separator": ([",", "-", "::"], ["", "é", " "]),
    "position": (["items.{n}"], ["items", "{n}{n}", ""]),
    "origin": (["https://a.example", "/"], ODD),
    "assign": (["hex", "uuid", "B-?????"], ["??", ""]),
    "default_order": (["id", "-id", "name", "-name"], ["-", "--id", "other", ""]),
    "tie": (["id"], ["-id", "other", "", "name"]),
    **dict.fromkeys(("overrides", "pinned", "shards"), (["north", "south"], ["west"])),
    "upgrade": (["websocket"], ["", "é"]),
    "collation": (["binary", "utf16"], ["none", ""]),
    "learn": (["id"], ODD),
    **dict.fromkeys(DIALECT_NAMES, (DIALECT_NAMES, ODD)),
}
NAMES: dict[str, Texts] = {
    "learn": (LOCATORS, ["fourth", ""]),
    "prune": (["v", "vendor", "path.id", "claim.v"], ["", "header.X", "query.v", "path.none", "a[b]", "é", "path."]),
    "keys": (["name", "a.b", "B"], ["-id", "é", "", "a", "%"]),
    "weights": (["north", "south"], ["west", ""]),
}
TEMPLATES: Texts = (
    ["/a", "/a/{id}", "/{id}", "/a/{id}/{x}", "/a/"],
    [
        *("/é", "/a/{id}/{id}", "/a/**", "/a#b", "/a?b", "/a//b", "/a/{}", "/a/{id}.pdf", "/a b", "/%C3%A9", "/;x"),
        *("/.", "/a/{*id}", "a", "/%zz", "/*", "/a/{é}", "/%2F", "/\0", "/a/{a b}", "/\\", "/a%62", ""),
    ],
)
ODD_METHODS = ["get", "ANY", "TRACE", "CONNECT", "OPTIONS", "LINK", "É", "*", ""]
USUAL = {"gather": ["GET", "HEAD"], "every": ["POST", "PUT", "DELETE"], "place": ["POST"], "divide": ["POST"]}
USUAL["batch"] = ["POST"]


class Case(msgspec.Struct):
    """One made-up configuration."""

    operation: str
    rule: dict[str, Any]
    locators: dict[str, Any]


def make(number: int) -> Case:
    """The case of this number."""
    made = _Maker(Random(number))
    rule = made.struct(made.random.choice(_tagged(Rule)), "")
    usual = USUAL.get(rule["rule"], ["GET", "POST", "PUT", "PATCH", "DELETE"])
    operation = f"{made.text((usual, ODD_METHODS))} {made.text(TEMPLATES)}"
    locators = _tagged(AnyLocator)
    chains = {name: [made.struct(made.random.choice(locators), "") for _ in range(2)] for name in LOCATORS}
    return Case(operation, rule, chains)


def smaller(case: Case) -> Iterator[Case]:
    """The same case with a little less of it, in every way."""
    for name in case.locators:
        plain = {**case.locators, name: [{"kind": "directory"}]}
        if plain != case.locators:
            yield msgspec.structs.replace(case, locators=plain)
    for rule in _with_less(case.rule):
        yield msgspec.structs.replace(case, rule=rule)


def _with_less(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, entry in value.items():
            if name not in {"rule", "kind"}:
                yield {other: rest for other, rest in value.items() if other != name}
            for less in _with_less(entry):
                yield {**value, name: less}
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield value[:number] + value[number + 1 :]
            for less in _with_less(item):
                yield [*value[:number], less, *value[number + 1 :]]


@lru_cache
def _tagged(union: Any) -> list[inspect.StructType]:
    found = [inspect.type_info(kind) for kind in get_args(union)]
    return [kind for kind in found if isinstance(kind, inspect.StructType) and _is_suited(kind)]


def _is_suited(kind: inspect.Type) -> bool:
    """A class of one's own is not made up; `seal` comes from the configuration."""
    if not isinstance(kind, inspect.StructType):
        return True
    return kind.tag != "custom" and "seal" not in {field.encode_name for field in kind.fields}


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random

    def text(self, texts: Texts) -> str:
        """One in fifteen is odd."""
        good, odd = texts
        return self.random.choice(odd if self.random.random() < 1 / 15 else good)

    def value(self, kind: inspect.Type, field: str, outer: str) -> Any:
        match kind:
            case inspect.Metadata():
                return self.value(kind.type, field, outer)
            case inspect.UnionType():
                return self.value(self.one_of([each for each in kind.types if _is_suited(each)], field), field, outer)
            case inspect.StructType():
                return self.struct(kind, field)
            case inspect.DictType():
                return {name: self.value(kind.value_type, field, outer) for name in self.names(field)}
            case inspect.ListType() | inspect.VarTupleType():
                return [self.value(kind.item_type, field, outer) for _ in range(self.random.randrange(3))]
        return self.plain(kind, field, outer)

    def plain(self, kind: inspect.Type, field: str, outer: str) -> Any:
        match kind:
            case inspect.LiteralType():
                return self.random.choice(kind.values)
            case inspect.IntType() | inspect.FloatType():
                return self.number(field)
            case inspect.StrType():
                return self.text(TEXTS.get(f"{outer}.{field}") or TEXTS.get(field, (PLAIN, ODD)))
            case inspect.BoolType():
                return self.random.random() < (0.1 if field == "by_headers" else 0.5)
            case inspect.AnyType() | inspect.CustomType():
                return self.random.choice(["x", 7])
            case inspect.NoneType():
                return None
        raise AssertionError(f"nothing is made up of {kind}")

    def one_of(self, kinds: list[inspect.Type], field: str) -> inspect.Type:
        """A list, where one can be, more often than another merge: most is to be said of lists."""
        lists = [kind for kind in kinds if isinstance(kind, inspect.StructType) and kind.tag == "list"]
        if field in {"limit_default", "limit_max"} and self.random.random() < 0.9:
            kinds = [kind for kind in kinds if not isinstance(kind, inspect.NoneType)]
        return self.random.choice(lists * 9 + kinds)

    def names(self, field: str) -> list[str]:
        names = {self.text(NAMES.get(field, (PLAIN, ODD))) for _ in range(self.random.randrange(3))}
        # An order ends with the tie-breaker: without its key every list is wrong.
        return sorted(names | ({"id"} if field == "keys" and self.random.random() < 0.95 else set()))

    def number(self, field: str) -> int:
        if self.random.random() < 1 / 15:
            return self.random.choice([0, -1, 200, 99, 600, 2**63, 1])
        statuses = field in {"already", "not_here", "past_end"}
        return self.random.choice([404, 409, 410] if statuses else [1, 2, 10, 50])

    def struct(self, kind: inspect.StructType, field: str) -> dict[str, Any]:
        """All required fields, and a few of the others: many at once are seldom right."""
        outer = str(kind.tag) if kind.tag_field is not None else field
        optional = [each for each in kind.fields if not each.required]
        some = self.random.sample(optional, min(len(optional), self.random.randrange(4)))
        if kind.tag in {"pages", "drf", "hal", "json_api", "id_cursor"}:  # most of these need both
            some += [each for each in optional if each.encode_name in {"limit_default", "limit_max"}]
        if kind.tag == "every" and self.random.random() < 1 / 2:  # without its undo and its check most are wrong
            some += [each for each in optional if each.encode_name in {"undo", "check", "assign"}]
        if outer == "reply":  # a batch whose replies have no body is wrong
            some += [each for each in optional if each.encode_name == "body"]
        wanted = [each for each in kind.fields if each.required or each in some]
        made = {each.encode_name: self.value(each.type, each.encode_name, outer) for each in wanted}
        if made.get("by_headers") and self.random.random() < 0.9:
            made["path"] = "/x"
        return made if kind.tag_field is None else {kind.tag_field: kind.tag, **made}
