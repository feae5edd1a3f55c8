"""What a rule says of a list: its dialect, its order, which of its rows are one; and what follows for a page.

Holds: an order is total: it ends with the tie-breaker.
Never: looks at a reply.
"""

from collections.abc import Mapping
from typing import Final

from shardgate.core.contracts import Page, Strategy
from shardgate.core.dialect import AnyCursor, AnyDialect
from shardgate.core.dialect.offset import Offset
from shardgate.core.lists.distinct import Dedupe
from shardgate.core.order.ranking import Order
from shardgate.core.order.sort_key import KeyConfig, clash, sort_key
from shardgate.core.paging.parameters import ROWS_MAX
from shardgate.core.parts.whole import ListParts

# More than any list has, and a number that every server reads.
ALL_ROWS: Final = 2**31 - 1


class ListRule(Strategy, frozen=True):
    """The configuration of a merged list."""

    dialect: AnyDialect
    keys: Mapping[str, KeyConfig]
    """The properties that rows can be sorted by."""
    default_order: tuple[str, ...] = ("id",)
    """The order without a parameter; `-name` descends."""
    tie: str = "id"
    """The unique property that the application ends every order with."""
    dedupe: Dedupe | None = None
    """Several shards have some of the rows. Which, is only known when every list is read whole; null: none has."""

    parts: ListParts | None = None
    """Some rows are in parts on several shards; null: none is."""

    def __post_init__(self) -> None:
        """The keys can be those of one row."""
        if self.parts is not None and (not isinstance(self.dialect, Offset) or self.dialect.limit_max is not None):
            raise ValueError("rows in parts need the dialect `offset`, without a greatest limit")
        if self.parts is not None and self.dedupe is not None:
            raise ValueError("a row is in parts, or in copies, not both")
        dedupe = self.dedupe
        if dedupe is not None and isinstance(self.dialect, AnyCursor):
            raise ValueError("a list with cursors is not read whole, so that `dedupe` cannot be told of it")
        if dedupe is not None and (dedupe.of is None) == (dedupe.winner in {"highest", "lowest"}):
            raise ValueError("the highest or the lowest wins by `of`, and only they")
        if dedupe is not None and not {*dedupe.names} <= self.keys.keys():
            raise ValueError(f"{' and '.join(dedupe.names)} must be among the keys, so that their types are known")
        if (problem := clash({name: sort_key(config) for name, config in self.keys.items()})) is not None:
            raise ValueError(problem)

    def property(self, name: str) -> str:
        """The property of a row that a sort key is in: what `fields` calls it."""
        return sort_key(self.keys[name]).place(name)[0]

    def order(self, page: Page) -> Order | None:
        """The total order of a page; None where it names a property that is no sort key."""
        order = page.order or tuple((name.removeprefix("-"), name.startswith("-")) for name in self.default_order)
        names = [name for name, _ in order]
        if len(set(names)) < len(names) or not all(name in self.keys for name in names):
            return None
        return order if self.tie in names else (*order, (self.tie, False))

    def added(self, page: Page, order: Order) -> tuple[str, ...]:
        """The properties that are asked for though the client did not: to sort by, or to tell copies apart."""
        fields = page.fields
        if fields is None:
            return ()
        names = [name for name, _ in order] + list(self.dedupe.names if self.dedupe else ())
        wanted = {self.property(name): None for name in names if name not in fields}
        return tuple(name for name in wanted if name not in fields)

    def is_empty(self, page: Page) -> bool:
        """Whether no list has rows for this page: it is the application's to give or to refuse, as it came.

        A limit of 0: offset + 0 rows would hide from an application what it may refuse. An offset behind all lists:
        the numbers of a search for it may be too large for a shard where the client's are not.
        """
        behind = page.offset >= ROWS_MAX and self.dialect.past_end is None
        return behind or (page.limit == 0 and page.offset > 0)

    def searched(self, page: Page) -> Page:
        """The rows that the shards are searched for."""
        if self.is_empty(page):
            return Page(0, 0, (), None)
        if self.dedupe is None:
            return page
        # An application that has a default, and no greatest limit, must be told that all are wanted.
        told = self.dialect.limit_default is not None and self.dialect.limit_max is None
        return Page(0, ALL_ROWS if told else None, (), None)
