"""Reads the keys of every row that has a tenant: whose it is, what it weighs, and what is wrong.

Holds: for each table that others refer to, key -> tenant; the copy finds each row's shard there.
Every foreign key of a row into a tenant's table leads to the same tenant, or the row is reported.
Never: reads more than keys, nor writes.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TypeAlias, cast

from shardgate.split.findings import Findings
from shardgate.split.ownership import Owned, Ownership
from shardgate.split.rows import Key, Reader, Values, show_key
from shardgate.split.schema import ForeignKey

KeySet: TypeAlias = tuple[str, tuple[str, ...]]  # a table, and columns of it that others refer to
Pick: TypeAlias = Callable[[Values], Key]


class Survey:
    """What was found: the tenants with their weights, and whose every key is."""

    __slots__ = ("findings", "later", "owners", "rows", "tenants", "weights")

    def __init__(self, key_sets: Iterable[KeySet]) -> None:
        self.tenants: dict[str, int] = {}
        self.weights: list[int] = []  # bytes of each tenant's rows
        self.rows: dict[str, list[int]] = {}  # by table: rows of each tenant
        self.owners: dict[KeySet, dict[Key, int]] = {key_set: {} for key_set in key_sets}
        self.findings = Findings()
        self.later: list[tuple[Owned, ForeignKey, Key, int, Key]] = []

    def finish(self) -> None:
        """Follow the links into tables that had not been read when their row was."""
        names = list(self.tenants)
        for owned, link, row, tenant, parent in self.later:
            found = self.owners[link.parent, link.parent_columns].get(parent)
            if found is None:
                self.findings.dangling(owned, link, row, parent)
            elif found != tenant:
                self.findings.torn(owned, row, (names[tenant], names[found]))
        self.later.clear()


def take_survey(reader: Reader, ownership: Ownership, by: str) -> Survey:
    """Read the keys of all owned tables, parents first."""
    roots = [each.table for each in ownership.owned if len(each.path) == 1]
    key_sets = [(table.name, table.primary_key) for table in roots if table.primary_key]
    key_sets += [(k.parent, k.parent_columns) for each in ownership.owned for k in each.links]
    survey = Survey(dict.fromkeys(key_sets))
    done: set[str] = set()
    for owned in ownership.owned:
        _TableSurvey(survey, owned, by, done).read(reader)
        done.add(owned.table.name)
    survey.finish()
    return survey


def _is_null(key: Key) -> bool:
    """A composite foreign key with one NULL refers to nothing (SQL's MATCH SIMPLE)."""
    return key is None or (type(key) is tuple and None in key)


class _TableSurvey:
    """One table's pass: knows where in its rows each key stands."""

    __slots__ = ("_by", "_columns", "_links", "_name", "_offered", "_owned", "_survey", "_unread")

    def __init__(self, survey: Survey, owned: Owned, by: str, done: set[str]) -> None:
        table = owned.table
        offered = [columns for parent, columns in survey.owners if parent == table.name]
        keys = [table.primary_key, *offered, *(link.columns for link in owned.links)]
        if len(owned.path) == 1:
            keys.append((by,))
        self._columns = list(dict.fromkeys(column for key in keys for column in key))
        self._survey = survey
        self._owned = owned
        self._name = self._pick(table.primary_key or self._columns)
        self._by = by
        self._offered = [(self._pick(columns), survey.owners[table.name, columns]) for columns in offered]
        self._links = [
            (link, self._pick(link.columns), survey.owners[link.parent, link.parent_columns]) for link in owned.links
        ]
        self._unread = {link for link in owned.links if link.parent not in done}

    def read(self, reader: Reader) -> None:
        table = self._owned.table
        tenant_of = self._tenant_of if len(self._owned.path) > 1 else self._new_tenant
        self._survey.rows[table.name] = [0] * len(self._survey.tenants)
        waiting: list[Values] = []
        for batch in reader.values(table.name, self._columns, weigh=table.columns):
            for row in batch:
                tenant = tenant_of(row)
                if tenant is None:
                    waiting.append(row)
                else:
                    self._settle(row, tenant)
        self._resolve(waiting)

    def _settle(self, row: Values, tenant: int) -> None:
        for pick, owners in self._offered:
            key = pick(row)
            if owners.setdefault(key, tenant) != tenant and not _is_null(key):
                self._survey.findings.ambiguous(self._owned, key)
        self._survey.rows[self._owned.table.name][tenant] += 1
        self._survey.weights[tenant] += int(cast(int, row[-1]))

    def _new_tenant(self, row: Values) -> int | None:
        survey = self._survey
        key = self._pick((self._by,))(row)
        name = show_key(key)
        if key is None:
            survey.findings.nameless(self._owned, self._by)
        elif name in survey.tenants:
            survey.findings.namesake(self._owned, self._by, name)
        tenant = survey.tenants.setdefault(name, len(survey.tenants))
        if tenant == len(survey.weights):
            survey.weights.append(0)
            survey.rows[self._owned.table.name].append(0)
        self._check_later(row, tenant)
        return tenant

    def _tenant_of(self, row: Values) -> int | None:
        """The one tenant that the row's parents agree on; None: not known yet."""
        tenant: int | None = None
        certain = True
        for link, pick, owners in self._links:
            key = pick(row)
            if _is_null(key):
                continue
            found = owners.get(key)
            if found is None:
                certain = False
            elif tenant is None:
                tenant = found
            elif tenant != found and link not in self._unread:
                self._torn(row, tenant, found)
        if not certain or self._unread:
            self._check_later(row, tenant)
        return tenant

    def _check_later(self, row: Values, tenant: int | None) -> None:
        """Links that lead nowhere yet: into tables still to be read, or nowhere at all."""
        if tenant is None:
            return
        for link, pick, owners in self._links:
            key = pick(row)
            if not _is_null(key) and (link in self._unread or key not in owners):
                later = (self._owned, link, self._name(row), tenant, key)
                self._survey.later.append(later)

    def _resolve(self, waiting: list[Values]) -> None:
        """Rows whose only way to the tenant leads through rows of their own table."""
        progress = True
        while waiting and progress:
            left = []
            for row in waiting:
                tenant = self._tenant_of(row)
                if tenant is None:
                    left.append(row)
                else:
                    self._settle(row, tenant)
            progress = len(left) < len(waiting)
            waiting = left
        for row in waiting:
            self._lost(row)

    def _lost(self, row: Values) -> None:
        findings = self._survey.findings
        keys = [(link, pick(row)) for link, pick, _ in self._links]
        leading = [(link, key) for link, key in keys if not _is_null(key)]
        for link, key in leading:
            findings.dangling(self._owned, link, self._name(row), key)
        if not leading:
            findings.orphan(self._owned, self._name(row))

    def _torn(self, row: Values, one: int, other: int) -> None:
        names = list(self._survey.tenants)
        self._survey.findings.torn(self._owned, self._name(row), (names[one], names[other]))

    def _pick(self, columns: Sequence[str]) -> Pick:
        return cast(Pick, itemgetter(*(self._columns.index(column) for column in columns)))
