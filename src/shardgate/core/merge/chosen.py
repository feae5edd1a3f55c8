"""One of several merges, chosen by the parameters of the request: an application that pages by `_page`, by `_start`, or
not at all; a report that `group_by` makes a list of.

Holds: a request is merged by one choice, the first whose parameters it has. A parameter of another choice is refused,
unless the rule says that the application ignores it then.
Never: reads what a parameter that pages says; the dialect of the choice does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import force_setattr, replace

from shardgate.core.contracts import NO_MOMENT, UNKNOWN, Merging, Moment, Strategy
from shardgate.core.dialect.custom import CustomDialect
from shardgate.core.errors import UnreadablePageError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request
from shardgate.core.merge import AnyMerger
from shardgate.core.merge.combining import Aggregating
from shardgate.core.merge.listed import Listed
from shardgate.core.paging.parameters import Parameters
from shardgate.core.paging.query import pairs_of
from shardgate.core.paging.reading import Reading, read_number
from shardgate.core.topology import ShardId
from shardgate.core.twins import is_twin, lowered

Needs = tuple[tuple[str, str | None], ...]
"""What a query must have, all of it: names, each with the value that it must have, or None for any."""
Given = Mapping[str, Sequence[str]]
"""The parameters of a request: name → its values."""

_NUMBER = re.compile(r"[\s\ufeff]*[-+]?[0-9]")  # JavaScript skips spaces of every script; a dialect refuses those
_LEADING = Reading(number="leading")


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merge, and the parameters by which a request asks for it."""

    when: str | tuple[str, ...]
    """What the request's query must have, written like a query: `_page`, the parameter is there; `_start&_end`, both
    are; `view=summary`, it has this value. Of a list, one is enough: `[_start, _limit]`."""
    merge: AnyMerger
    """How the replies then become one."""

    def __post_init__(self) -> None:
        """A shard's request must have what the client's request was chosen by. Raises ValueError."""
        if not self.alternatives or any(not name for needs in self.alternatives for name, _ in needs):
            raise ValueError("`when` names parameters, written like a query: `_page`, `_start&_end`, `view=summary`")
        if any(not needs for needs in self.alternatives):
            raise ValueError(
                "`when` has an empty text, which every request would meet; write that merge as `otherwise`"
            )
        dialect = _parameters(self.merge)
        if dialect is None:
            return
        for name in [name for needs in self.alternatives for name, _ in needs]:
            if name in dialect.parameters and name not in dialect.always_sent:
                cure = "write `states_offset: true` in the dialect" if name == dialect.offset else "name another one"
                raise ValueError(f"shards are not always sent `{name}`, so that they would page otherwise; {cure}")

    @property
    def alternatives(self) -> list[Needs]:
        """What a query must have, in each way in which it can meet `when`."""
        return [_needs(text) for text in ((self.when,) if isinstance(self.when, str) else self.when)]


class Chosen(Strategy, frozen=True, tag="chosen"):
    """The merge of the first choice that the request's parameters meet."""

    choices: tuple[Choice, ...]
    """The merges that parameters ask for. The first whose `when` the request meets is taken, so the order is the
    application's own: what it looks at first stands first."""
    otherwise: AnyMerger
    """The merge of all other requests."""
    given: Literal["named", "filled", "number"] = "named"
    """What the application takes for a parameter that is there. `named`: also one without a value (`_page=`).
    `filled`: one with a value. `number`: one whose value begins like a number; it ignores others, and `_page=00` and
    `_page=0.5` meet `when: _page=0`."""
    mixed: Literal["refuse", "ignore"] = "refuse"
    """What becomes of a request that has parameters of the choice that is taken and of another, `_page=2&_start=5`.
    `refuse`: it is refused. `ignore`: the application ignores those of the other choice; they reach the shards as they
    came."""
    names: Literal["strict", "exact", "any_case"] = "strict"
    """How the application reads the names of these parameters, as `names` of a dialect."""

    def __post_init__(self) -> None:
        """Each choice can be taken. Raises ValueError."""
        if not self.choices:
            raise ValueError("there is no choice; write the merge of `otherwise` in its place")
        before: list[Needs] = []
        for choice in self.choices:
            covered = [any(_implies(needs, earlier) for earlier in before) for needs in choice.alternatives]
            if all(covered):
                raise ValueError(f"the choice of `{choice.when}` is never taken: one before it is met by the same")
            before += choice.alternatives
        if self.mixed == "ignore":
            self._pass_on()

    def _pass_on(self) -> None:
        """Each merge lets the parameters of the other choices pass, which the application ignores then."""
        names = {name for _, merge in self.merges for name in _read_by(merge)}
        names |= {name for choice in self.choices for needs in choice.alternatives for name, _ in needs}
        choices = tuple(replace(choice, merge=_passing(choice.merge, names)) for choice in self.choices)
        force_setattr(self, "choices", choices)
        force_setattr(self, "otherwise", _passing(self.otherwise, names))

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> Merging:
        """Start the merge of one request. Raises UnreadablePageError."""
        return self.merge_for(request.query).begin(request, shards, moment)

    def describe(self) -> str:
        """The merge in one line."""
        chosen = [f"where `{_written(choice.when)}` is given {choice.merge.describe()}" for choice in self.choices]
        return "; ".join([*chosen, f"otherwise {self.otherwise.describe()}"])

    @property
    def merges(self) -> Iterator[tuple[str, AnyMerger]]:
        """Every merge that may be taken, and where it stands."""
        for n, choice in enumerate(self.choices):
            yield f"choices[{n}].merge", choice.merge
        yield "otherwise", self.otherwise

    def merge_for(self, query: str) -> AnyMerger:
        """The merge of the first choice that the query meets.

        Raises UnreadablePageError where the query could be read as another choice, too.
        """
        given: dict[str, list[str]] = {}
        for name, value in pairs_of(query):
            given.setdefault(self._spelled(name), []).append(value)
        self._check_names(given)
        taken = next((choice for choice in self.choices if self._meets(choice, given)), None)
        merge = self.otherwise if taken is None else taken.merge
        if self.mixed == "refuse":
            self._check_mixed(given, taken, merge)
        return merge

    def _meets(self, choice: Choice, given: Given) -> bool:
        return any(all(self._has(given, *need) for need in needs) for needs in choice.alternatives)

    def _has(self, given: Given, name: str, value: str | None) -> bool:
        values = given.get(self._spelled(name), ())
        if value is None:
            return any(self._counts(each) for each in values)
        if len(values) > 1:
            raise UnreadablePageError(f"the parameter `{excerpt(name)}` stands twice: one is accepted")
        return value in values or (self.given == "number" and any(_is_as_great(each, value) for each in values))

    def _counts(self, value: str) -> bool:
        if self.given == "number":
            return _NUMBER.match(value) is not None
        return self.given == "named" or bool(value)

    def _check_mixed(self, given: Given, taken: Choice | None, merge: AnyMerger) -> None:
        """Raises UnreadablePageError where a parameter is of another choice than the one that is taken."""
        own = [*_read_by(merge), *[name for needs in (taken.alternatives if taken else ()) for name, _ in needs]]
        others = [name for _, other in self.merges for name in _read_by(other)]
        for choice in self.choices:
            others += [name for needs in choice.alternatives for name, value in needs if self._has(given, name, value)]
        for name in sorted({*map(self._spelled, others)} - {*map(self._spelled, own)}):
            if any(self._counts(value) for value in given.get(name, ())):
                beside = "without the parameters that it belongs to"
                if taken is not None:
                    met = next(needs for needs in taken.alternatives if all(self._has(given, *need) for need in needs))
                    beside = f"beside `{met[0][0]}`"
                problem = f"the parameter `{excerpt(name)}` is not accepted {beside}: it pages the list in another way"
                raise UnreadablePageError(problem, about={"parameter": excerpt(name)})

    def _check_names(self, given: Given) -> None:
        """Raises UnreadablePageError where a name can be read as one that a choice is made by."""
        if self.names == "exact":
            return
        known = {self._spelled(name) for choice in self.choices for needs in choice.alternatives for name, _ in needs}
        for name in given:
            if name in known:
                continue
            if (meant := next((key for key in known if is_twin(name, key)), None)) is not None:
                detail = f"the parameter `{excerpt(name)}` can be read as `{meant}`; only `{meant}` is accepted"
                raise UnreadablePageError(detail, about={"parameter": excerpt(name)})

    def _spelled(self, name: str) -> str:
        return lowered(name) if self.names == "any_case" else name


def _needs(text: str) -> Needs:
    named = [(name, value) for name, value in pairs_of(text)]
    valued = ["=" in part for part in text.split("&") if part]
    return tuple((name, value if has else None) for (name, value), has in zip(named, valued, strict=True))


def _is_as_great(text: str, value: str) -> bool:
    """Whether both begin with the same number. False where one could be read as several: `0x10`."""
    number = read_number(text, _LEADING, default=None, least=0)
    return number is not UNKNOWN and number == read_number(value, _LEADING, default=None, least=0)


def _implies(needs: Needs, other: Needs) -> bool:
    """Whether every query that meets the one meets the other."""
    met = {*needs, *((name, None) for name, _ in needs)}
    return met >= {*other}


def _written(when: str | tuple[str, ...]) -> str:
    return when if isinstance(when, str) else "` or `".join(when)


def _parameters(merge: AnyMerger) -> Parameters | None:
    """The dialect of a list whose page stands in the query."""
    if not isinstance(merge, Listed) or merge.dialect.posted:
        return None
    dialect = merge.dialect.plugin if isinstance(merge.dialect, CustomDialect) else merge.dialect
    return dialect if isinstance(dialect, Parameters) else None


def _passing(merge: AnyMerger, names: set[str]) -> AnyMerger:
    """The merge, which lets these parameters pass where its dialect does not read them."""
    if not isinstance(merge, Listed) or isinstance(merge.dialect, CustomDialect):
        return merge
    dialect = merge.dialect
    return replace(merge, dialect=replace(dialect, passes=tuple(sorted({*dialect.passes, *names}))))


def _read_by(merge: AnyMerger) -> Sequence[str]:
    """The parameters that a merge reads."""
    if isinstance(merge, Aggregating):
        return merge.own
    dialect = _parameters(merge)
    return () if dialect is None else sorted(dialect.parameters)
