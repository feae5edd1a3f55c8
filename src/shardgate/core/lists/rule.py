"""The configuration of a merged list, and what follows from it for a page.

Holds: every order is total: it ends with the tie-breaker.
Never: looks at a reply.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

from shardgate.core.contracts import Page, Strategy
from shardgate.core.dialect import AnyCursor, AnyDialect
from shardgate.core.dialect.offset import Offset
from shardgate.core.excerpt import excerpt
from shardgate.core.json.totals import Totals
from shardgate.core.lists.distinct import Dedupe
from shardgate.core.order.order import Order, UnsortableError, total_order
from shardgate.core.order.sort_key import ANY_KEYS, EVERY, KeyConfig, clash, sort_key
from shardgate.core.paging.around import Around
from shardgate.core.paging.no_rows import NoRows
from shardgate.core.paging.parameters import ROWS_MAX, Parameters
from shardgate.core.parts.whole import ListParts

# More rows than any list has, and a number that every server reads.
ALL_ROWS: Final = 2**31 - 1

_AROUND_MAX: Final = 1024
_AROUND: Final[dict[int, tuple[Strategy, Around]]] = {}
"""What is said of the members around the rows, by the rule's identity."""
_NAMED: Final = re.compile(r"[\w. +-]*")


class ListRule(Strategy, frozen=True):
    """The configuration of a merged list."""

    dialect: AnyDialect
    """How the application pages, sorts and counts the list: a dialect, or the name of one."""
    keys: Mapping[str, KeyConfig] | Literal["any"]
    """The properties that rows can be sorted by → their types, or the fields of a sort key: `{id: text, price:
    number}`. The name `*` stands for all properties that are not named. `any` is `{"*": {type: any, nulls: first}}`."""
    default_order: tuple[str, ...] = ("id",)
    """The order where the request names none: sort keys, most significant first; `-name` descends."""
    tie: str | None = "id"
    """The tie-breaker: the unique property that the application ends every order with; `-id` descends. Null: it is
    hidden, so that nothing in a row tells which of two equal ones is first. Then rows of one shard keep its order, and
    the first shard's stand before the second's; every page is read from the beginning of the list."""
    tie_follows: bool = False
    """The tie-breaker descends where the last sort key does."""
    dedupe: Dedupe | None = None
    """Rows may exist on several shards; each is shown once, and every list is read whole. Null: rows are unique."""

    first_pages: Literal["whole", "likely"] = "whole"
    """How many rows of a page near the beginning each shard is asked for. `whole`: all that the page may have, so that
    one call is enough. `likely`: those that a shard probably has where rows are divided by a hash; where it has more,
    all are asked in a second round. For applications to which a row costs more than a hundredth of a call."""
    parts: ListParts | None = None
    """Rows may be in parts on several shards; the parts are shown as one row. Null: no row is in parts."""
    around: Totals = Totals()
    """How the members around the rows become one that the dialect does not name: `{sum: [revenue], first_of: [took]}`.
    Those that it does not name either must be the same on every shard."""
    not_here: tuple[int, ...] = ()
    """The statuses by which a shard says that it has no rows: `[204, 404]`. Its list is empty. Where no shard has rows,
    one of these replies is the reply."""
    no_rows: NoRows = "list"
    """How the application writes a list without rows. `list`: as `[]`, or `null`. `absent`: it leaves the member out,
    or the object that it stands in. `object`: `{}`, as PHP writes an empty array. `text`: `""`. `false`. `no_body`: the
    reply has no body."""

    def __post_init__(self) -> None:
        """The fields fit each other. Raises ValueError."""
        if self.parts is not None and (not isinstance(self.dialect, Offset) or self.dialect.limit_max is not None):
            raise ValueError("rows in parts need the dialect `offset`, without limit_max")
        if self.tie is None and (self.parts is not None or isinstance(self.dialect, AnyCursor)):
            raise ValueError("rows in parts, and pages by cursors, need a tie-breaker that rows show; write `tie`")
        if self.tie_follows and (self.tie is None or self.tie.startswith("-")):
            raise ValueError("`tie_follows` gives the tie-breaker its direction; write `tie` as a name without `-`")
        if self.parts is not None and self.not_here:
            raise ValueError("rows in parts need the list of every shard; remove `not_here`")
        if self.parts is not None and self.dedupe is not None:
            raise ValueError("a row is in parts, or in copies, not both")
        if self.dedupe is not None:
            self._check_dedupe(self.dedupe)
        if isinstance(self.dialect, Parameters):
            self._check_reads(self.dialect)
        self._check_around()
        named = {name: sort_key(config) for name, config in self.sort_keys.items() if name != EVERY}
        if (problem := clash(named)) is not None:
            raise ValueError(problem)

    @property
    def sort_keys(self) -> Mapping[str, KeyConfig]:
        """The sort keys by name."""
        return ANY_KEYS if self.keys == "any" else self.keys

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members around the rows that the dialect writes; none where rows stand in no object."""
        return self.dialect.members if isinstance(self.dialect, Parameters) else ()

    @property
    def fields_written(self) -> frozenset[bytes]:
        """The fields of the reply's head that the dialect writes."""
        return self.dialect.fields_written if isinstance(self.dialect, Parameters) else frozenset()

    @property
    def items(self) -> str | None:
        """The member with the rows; None: the body is the list."""
        return self.members[0] if self.members else None

    @property
    def surroundings(self) -> Around | None:
        """What is said of the members around the rows; None: there is no object around them."""
        if not self.members:
            return None
        known = _AROUND.get(id(self))
        if known is None or known[0] is not self:
            if len(_AROUND) >= _AROUND_MAX:
                _AROUND.clear()
            known = _AROUND[id(self)] = (self, Around(self.members, self.around))
        return known[1]

    def is_key(self, name: str) -> bool:
        """Whether rows can be sorted by this property."""
        return name in self.sort_keys or EVERY in self.sort_keys

    def _check_dedupe(self, dedupe: Dedupe) -> None:
        """Copies of rows can be found. Raises ValueError."""
        if isinstance(self.dialect, AnyCursor):
            raise ValueError("`dedupe` reads every list whole, which a list with cursors does not allow; remove it")
        if (dedupe.of is None) == (dedupe.winner in {"highest", "lowest"}):
            raise ValueError("`of` is for the winners `highest` and `lowest`, and they need it")
        if not {*dedupe.names} <= self.sort_keys.keys():
            raise ValueError(f"{' and '.join(dedupe.names)} must be among the keys, so that their types are known")

    def _check_around(self) -> None:
        """What is said of the object around the rows can be said. Raises ValueError."""
        if self.no_rows != "list" and self.parts is not None:
            raise ValueError("rows in parts need lists that are lists; remove `no_rows`")
        if self.no_rows == "absent" and not self.members:
            raise ValueError("`no_rows: absent` speaks of a member of the body, and here the body is the list")
        if self.around != Totals() and not self.members:
            raise ValueError("`around` speaks of the object around the rows, which this dialect has not; remove it")

    def _check_reads(self, dialect: Parameters) -> None:
        """What the dialect reads can be read in this list. Raises ValueError."""
        for name in dialect.ordered_by_words:
            if not self.is_key(name):
                raise ValueError(f"a word of the order stands for {name!r}, which must be among the keys")
        is_sized = self.dedupe is None and self.parts is None and not isinstance(dialect, AnyCursor)
        if dialect.finds_last and not is_sized:
            raise ValueError("`last` needs the size of the list; remove it, or `dedupe`, `parts` and cursors")

    def property(self, name: str) -> str:
        """The property of a row that a sort key is in: what `fields` calls it."""
        return sort_key(self.sort_keys.get(name, "any")).place(name)[0]

    def order(self, page: Page) -> Order | str:
        """The total order of a page; or why there is none: the parameter, its value, and what would be accepted."""
        by = page.order or tuple([(name.removeprefix("-"), name.startswith("-")) for name in self.default_order])
        if len(by) > 1 and isinstance(self.dialect, Parameters) and self.dialect.twice == "first":
            by = tuple([(name, descends) for n, (name, descends) in enumerate(by) if name not in dict(by[:n])])
        try:
            return total_order(by, self.sort_keys, self.tie, tie_follows=self.tie_follows)
        except UnsortableError as error:
            parameter = "default_order"
            if page.order:
                parameter = self.dialect.order if isinstance(self.dialect, Parameters) else "order"
            return f"`{parameter}`: `{excerpt(error.name)}` {error.why}; there are {', '.join(sorted(self.sort_keys))}"

    def known(self, page: Page) -> Page:
        """The page by the keys that the application sorts by, where it does not refuse unknown ones.

        What is no name of a property at all, such as `price;`, is the application's to refuse.
        """
        dialect, by = self.dialect, page.order
        if not by or not isinstance(dialect, Parameters) or dialect.order not in dialect.reads:
            return page
        bad, known = dialect.reads[dialect.order].bad, tuple([each for each in by if self.is_key(each[0])])
        if bad == "refuse" or len(known) == len(by) or not all(_NAMED.fullmatch(name) for name, _ in by):
            return page
        return Page(page.offset, page.limit, known if bad == "ignore" else (), page.fields)

    def added(self, page: Page, order: Order) -> tuple[str, ...]:
        """The properties that shards are asked for though the client did not ask: to sort by, or to find copies."""
        fields = page.fields
        if fields is None:
            return ()
        names = [name for name, _ in order.by] + list(self.dedupe.names if self.dedupe else ())
        wanted = {self.property(name): None for name in names if name not in fields}
        shown = (*fields, *self.dialect.fields_always)
        return tuple(name for name in wanted if name not in shown)

    def is_empty(self, page: Page) -> bool:
        """Whether no list has rows for this page. It is then sent to the shards as it came.

        With a limit of 0 an application may refuse the offset, which it would not see otherwise. With an offset behind
        all lists, the numbers of a search could be too large for a shard where the client's number is not.
        """
        behind = page.offset >= ROWS_MAX and self.dialect.past_end is None
        return behind or (page.limit == 0 and page.offset > 0)

    def searched(self, page: Page) -> Page:
        """The rows to search the shards for: the page, or the whole list where copies must be found."""
        if self.is_empty(page):
            return Page(0, 0, (), None)
        if self.dedupe is None:
            return page
        # An application with a default limit, and no greatest one, gives all rows only where the request says so.
        needs_limit = self.dialect.limit_default is not None and self.dialect.limit_max is None
        return Page(0, ALL_ROWS if needs_limit else None, (), None)
