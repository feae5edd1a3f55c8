"""Reports into one report: rows of the same key become one row.

Sums add; an average does not, so that it is recombined from the sums it was made of; other properties must be equal.

Holds: the rows are sorted by their key; properties keep the order in which the application writes them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shardgate.core.contracts import NO_MOMENT, Ask, Moment, Strategy
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply, Request
from shardgate.core.refusals import unite
from shardgate.core.topology import ShardId

_Row = dict[str, Any]


class Average(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An average, as the application computes it: `round(of / over, decimals)`, and 0.0 over nothing."""

    of: str
    over: str
    decimals: int = 2


class Groups(Strategy, frozen=True, tag="groups"):
    """United rows: one for each value of `key`."""

    key: str
    sum: tuple[str, ...]
    average: Mapping[str, Average] = msgspec.field(default_factory=dict)

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> "GroupsMerging":
        """Start the merge of one request."""
        return GroupsMerging(self, request, shards)

    def describe(self) -> str:
        """The merge in one line."""
        return f"groups by {self.key}, sums of {', '.join(self.sum)}"


class GroupsMerging:
    """One request's report under way."""

    __slots__ = ("_request", "_rule", "_shards")

    def __init__(self, rule: Groups, request: Request, shards: Sequence[ShardId]) -> None:
        self._rule = rule
        self._request = request
        self._shards = shards

    def asks(self) -> Sequence[Ask]:
        """The client's own request to each shard."""
        return [Ask(shard, self._request.target) for shard in self._shards]

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply:
        """The united rows. Raises BrokenReplyError where a row is not what the rule says."""
        refusal = unite([replies[shard] for shard in self._shards])
        if refusal is not None:
            return refusal
        groups: dict[Any, _Row] = {}
        try:
            for shard in self._shards:
                for row in msgspec.json.decode(replies[shard].body, type=list[_Row]):
                    self._add(groups, row)
            rows = [groups[key] for key in sorted(groups)]
            for row in rows:
                self._recombine(row)
        except (
            msgspec.DecodeError,
            UnicodeDecodeError,
            RecursionError,
            ArithmeticError,
            KeyError,
            TypeError,
        ) as error:
            raise BrokenReplyError("a shard's report is not what its rule says") from error
        first = replies[self._shards[0]]
        return Reply(200, list(first.fields), msgspec.json.encode(rows))

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """Nothing: a group has no shard."""
        return ()

    def explain(self) -> Sequence[str]:
        """How the rows are united."""
        rule = self._rule
        said = [f"rows of the same {rule.key} become one; {', '.join(rule.sum)} are added"]
        said += [f"{name} is {a.of} / {a.over} again" for name, a in rule.average.items()]
        return said

    def _add(self, groups: dict[Any, _Row], row: _Row) -> None:
        rule = self._rule
        for name in rule.sum:
            if type(row[name]) not in {int, float}:
                raise TypeError(f"{name} is not a number")
        united = groups.setdefault(row[rule.key], row)
        if united is row:
            return
        if united.keys() != row.keys():
            raise TypeError("a property is missing on some shard")
        for name, value in row.items():
            if name in rule.sum:
                united[name] += value
            elif name not in rule.average and united[name] != value:
                raise TypeError(f"{name} is not the same on every shard")

    def _recombine(self, row: _Row) -> None:
        for name, average in self._rule.average.items():
            over = row[average.over]
            row[name] = round(row[average.of] / over, average.decimals) if over else 0.0
