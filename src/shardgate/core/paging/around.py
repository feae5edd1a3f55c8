"""What stands around the rows of a list: `{"items": [...], "total": 9, "facets": {...}, "took": 3}`.

The dialect writes the members that it names anew. Members that the rule's `around` names are merged as it says. All
others must be the same on every shard, since only one of them can be shown.

Holds: a member that no word describes is never shown where shards differ in it, or where its name says that it
describes the page, which is another one on each shard.
Hot path: where every member is named, a look at the names is all that it costs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.json.totals import Totals

_PREFIX: Final = re.compile(r"^.*[.:@#](?=.)")
_SIGNS: Final = re.compile(r"[^a-z0-9]")
_COUNTED: Final = re.compile(
    r"limit|offset|skip(?:ped)?|take|start(?:index|at)?|from|to|(?:page)?size|(?:items)?perpage|pagelimit|returned|empty|"
    r"(?:total|item|row|record|result|entry|filtered|matched)?count|numberofelements|remaining|"
    r"i?total(?:items|results|elements|(?:display)?records|rows|pages|entries|hits|size|found|matches)?|"
    r"records(?:total|filtered)|n(?:b|um)(?:hits|pages|found|results|items)|(?:hits|rows|results|records)perpage|"
    r"startrow|endrow|startat|end(?:index|at)|maxresults|"
    r"(?:(?:current|last|num|numberof)?pages?|page)(?:count|number|index)?|"
    r"(?:has|is)?more(?:items|results|records|rows|pages|data|available)*|exceededtransferlimit|(?:is)?truncated|"
    r"(?:has)?(?:next|prev|previous|last|first)(?:page|offset)?|is(?:last|first)(?:page)?|(?:is)?(?:done|endoflist|eof)"
)
"""Names of members that describe a page by a number, or by a yes or no."""
_LINKING: Final = re.compile(
    r"(?:next|prev|previous)(?:url|link|page|pageurl|cursor|token|pagetoken)?|(?:first|last)pageurl|"
    r"(?:start|end)?cursor|(?:page|continuation|skip)token|scrollid"
)
"""Names of members that lead to another page, by an address or a cursor; `null` where there is none."""
# What lies deeper, or is longer, describes no page.
_LEVELS_MAX: Final = 2
_OBJECT_BYTES_MAX: Final = 16_384


class Around:
    """What is said of the members around the rows of one list."""

    __slots__ = ("_free", "_named", "_totals")

    def __init__(self, described: Iterable[str | None], totals: Totals) -> None:
        """`described`: the paths of the members that the dialect writes."""
        paths = [path for path in described if path] + totals.paths
        self._totals = totals if totals.paths else None
        self._free = frozenset(totals.first_of)
        levels: dict[str, set[str]] = {"": set()}
        for path in [path.partition(".*")[0] for path in paths]:
            levels[""].add(path)  # a name may have dots itself
            parent, names = "", path.split(".")
            for n, name in enumerate(names):
                levels.setdefault(parent, set()).add(name)
                parent = ".".join(names[: n + 1])
        self._named = [(parent, frozenset(names)) for parent, names in levels.items() if not self._is_free(parent)]

    def check(self, documents: Sequence[JsonObject], path: str) -> None:
        """The objects of the shards have nothing that cannot be shown as it is. `path`: of the request.

        Raises BrokenReplyError.
        """
        for parent, names in self._named:
            for document in documents:
                level = document.level(parent)
                if level is not None and not level.keys() <= names:
                    self._compare(documents, path)
                    return

    def applied(self, reply: Reply, documents: Sequence[JsonObject], path: str) -> Reply:
        """A shard's reply with the members around the rows as all shards say them. Raises BrokenReplyError."""
        if not documents:
            return reply
        self.check(documents, path)
        if self._totals is None:
            return reply
        try:
            changes = self._totals.changes(documents)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise BrokenReplyError("a shard's reply is not what `around` says", log=str(error)) from error
        return Reply(reply.status, reply.fields, JsonObject(reply.body).edited(changes))

    def _is_free(self, parent: str) -> bool:
        return any(parent == each or parent.startswith(each + ".") for each in self._free)

    def _compare(self, documents: Sequence[JsonObject], path: str) -> None:
        for parent, names in self._named:
            levels = [level for document in documents if (level := _unnamed(document, parent, names)) is not None]
            if not levels:
                continue
            for name, value in levels[0].items():
                self._check_page(f"{parent}.{name}".removeprefix("."), name, value, path)
            for other in levels[1:]:
                self._check_same(parent, levels[0], other)

    def _check_same(self, parent: str, first: Mapping[str, bytes], other: Mapping[str, bytes]) -> None:
        if first == other:
            return
        name = next(name for name in (*first, *other) if first.get(name) != other.get(name))
        member = f"{parent}.{name}".removeprefix(".")
        found = [f"`{excerpt(each[name])}`" if name in each else "not there" for each in (first, other)]
        raise BrokenReplyError(
            f"shards differ in {member}, and the rule does not say how it is merged",
            where=f"member {member}",
            log=f"{found[0]} on one shard, {found[1]} on another; name it in the dialect, or in `around` of the list: "
            f"`around: {{first_of: [{member}]}}` shows the first shard's",
        )

    def _check_page(self, member: str, name: str, value: bytes, path: str, level: int = 0) -> None:
        """Raises BrokenReplyError where a member describes the page: each shard is asked for another one."""
        if _describes_page(name, value) or _leads_to(path, value):
            raise BrokenReplyError(
                f"a shard's {member} describes the page that the shard was asked for, and the rule does not name it",
                where=f"member {member}",
                log=f"found `{excerpt(value)}`; name it in the dialect: `echoes: {{{member}: …}}`, or, if it says the "
                f"same of every page, in `around` of the list: `around: {{first_of: [{member}]}}`",
            )
        if value[:1] != b"{" or level >= _LEVELS_MAX or len(value) > _OBJECT_BYTES_MAX:
            return
        for inner, each in JsonObject(value).members("").items():
            below = f"{member}.{inner}"
            if below not in self._free:
                self._check_page(below, inner, each, path, level + 1)


def _unnamed(document: JsonObject, parent: str, names: frozenset[str]) -> dict[str, bytes] | None:
    """The members at a level that nothing is said of; None where no object stands there."""
    level = document.level(parent)
    if level is None:
        return {} if not parent else None
    return {name: document.body[start:end] for name, (start, end) in level.items() if name not in names}


def _describes_page(name: str, value: bytes) -> bool:
    word = _SIGNS.sub("", _PREFIX.sub("", name).lower())
    if value[:1] in b'"n':
        return _LINKING.fullmatch(word) is not None
    return value[:1] in b"-0123456789tf" and _COUNTED.fullmatch(word) is not None


def _leads_to(path: str, value: bytes) -> bool:
    """Whether a text is the address of a page of this list, or such addresses stand in an array."""
    return value[:1] in b'"[' and path.encode() + b"?" in value.replace(b"\\/", b"/")
