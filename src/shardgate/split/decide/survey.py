"""Reads the keys of every row of the divided tables, to learn its tenant, its size, and whether it is sound.

Holds: each table that others refer to has a map from key to tenant. The copy finds the shard of each row there.
Either all foreign keys of a row lead to the same tenant, or the row is reported.
Never: reads more of a row than its keys and its size. Never writes.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Final, TypeAlias, cast

from shardgate.split.database.contracts import DatabaseReader
from shardgate.split.database.rows import ColumnValues, RowKey, show_key
from shardgate.split.database.schema import ForeignKey, KeyColumn
from shardgate.split.decide.findings import Findings
from shardgate.split.decide.homes import EVERYWHERE, NOWHERE, TO_EACH, Home, Homes, Keep, is_shared
from shardgate.split.decide.naming import binary_key, naming_of
from shardgate.split.decide.ownership import OwnedTable, Ownership

_KEEP_NONE: Final = Keep()

KeySet: TypeAlias = tuple[str, tuple[str, ...]]  # a table, and columns of it that foreign keys refer to
Guests: TypeAlias = dict[RowKey, Home]  # by key: where else a row is needed, because a row of two tenants refers to it
PickKey: TypeAlias = Callable[[ColumnValues], RowKey]


class Survey:
    """What was found: the tenants with their sizes, the home of every key, and the mistakes in rows.

    Tenants are numbered from 0 in the order in which they are read. A home is a tenant, or one of `homes`.
    """

    __slots__ = (
        "binary",
        "binary_form",
        "findings",
        "guests",
        "homes",
        "keep",
        "later",
        "others",
        "owners",
        "rows",
        "tenants",
        "visits",
        "weights",
    )

    def __init__(self, key_sets: Iterable[KeySet], keep: Keep = _KEEP_NONE, shards: Sequence[str] = ()) -> None:
        self.keep = keep
        self.homes = Homes(shards)
        self.others: dict[str, dict[Home, int]] = {}  # by table: the number of rows of each home that is no tenant
        self.guests: dict[KeySet, Guests] = {}
        # By table and primary key: the home of a row, and the home where it is needed too.
        self.visits: dict[str, dict[RowKey, tuple[Home, Home]]] = {}
        self.tenants: dict[str, int] = {}  # by name
        self.binary: dict[str, bytes] = {}  # by the name of a tenant, until all are known: its binary key
        self.binary_form = ""  # how the directory writes binary keys
        self.weights: list[int] = []  # by tenant: the bytes of all its rows
        self.rows: dict[str, list[int]] = {}  # by table: the number of rows of each tenant
        self.owners: dict[KeySet, dict[RowKey, int]] = {key_set: {} for key_set in key_sets}  # tenant by key
        self.findings = Findings()
        # Foreign keys to check at the end: table, foreign key, key of the row, its tenant, key of its parent.
        self.later: list[tuple[OwnedTable, ForeignKey, RowKey, int, RowKey]] = []

    def finish(self) -> None:
        """Check the foreign keys into rows that had not been read when the referring row was."""
        names = list(self.tenants)
        for owned, link, row, tenant, parent in self.later:
            found = self.owners[link.parent, link.parent_columns].get(parent)
            if found is None:
                if not link.by_user:
                    self.findings.dangling(owned, link, row, parent)
            elif found not in (tenant, EVERYWHERE):
                self.findings.torn(owned, row, (self.owner(tenant, names), self.owner(found, names)))
        self.later.clear()
        self._name_binary()

    def _name_binary(self) -> None:
        """Write binary keys in the way that suits all of them."""
        if self.binary and len(self.binary) == len(self.tenants):
            self.binary_form, write = naming_of(self.binary.values())
            self.tenants = {write(self.binary[name]): tenant for name, tenant in self.tenants.items()}

    def owner(self, home: Home, names: Sequence[str]) -> str:
        """A home as the user reads it."""
        if home >= 0:
            return names[home]
        return "no shard" if home == NOWHERE else "several tenants"

    def invite(self, key_set: KeySet, key: RowKey, home: Home) -> bool:
        """Note that the row with this key is needed at this home too. Returns whether that is new."""
        guests = self.guests.setdefault(key_set, {})
        known = guests.get(key)
        guests[key] = home if known is None else self.homes.both(known, home)
        return guests[key] != known


def take_survey(
    reader: DatabaseReader, ownership: Ownership, by: str, keep: Keep = _KEEP_NONE, shards: Sequence[str] = ()
) -> Survey:
    """Read the keys of all divided tables, parents first. `by` is the column that names a tenant in the directory."""
    roots = [each.table for each in ownership.owned if len(each.path) == 1]
    if keep:  # the copy cannot tell the home of such a row from one of its parents
        roots = [each.table for each in ownership.owned]
    key_sets = [(table.name, table.primary_key) for table in roots if table.primary_key]
    key_sets += [(k.parent, k.parent_columns) for each in ownership.owned for k in each.links]
    survey = Survey(dict.fromkeys(key_sets), keep, shards)
    done: set[str] = set()
    for owned in ownership.owned:
        _TableSurvey(survey, owned, by, done).read(reader)
        done.add(owned.table.name)
    survey.finish()
    return survey


def is_null(key: RowKey) -> bool:
    """A foreign key of several columns refers to nothing if one of them is NULL (MATCH SIMPLE in SQL)."""
    return key is None or (type(key) is tuple and None in key)


class _TableSurvey:
    """Reads one table. It knows at which positions of a row each key is."""

    __slots__ = ("_by", "_columns", "_links", "_name", "_offered", "_owned", "_printed", "_survey", "_unread")

    def __init__(self, survey: Survey, owned: OwnedTable, by: str, done: set[str]) -> None:
        table = owned.table
        offered = [columns for parent, columns in survey.owners if parent == table.name]
        keys: list[tuple[KeyColumn, ...]] = [table.primary_key, *offered, *(link.read for link in owned.links)]
        if len(owned.path) == 1:
            keys.append((by,))
        self._columns: list[KeyColumn] = list(dict.fromkeys(column for key in keys for column in key))
        self._survey = survey
        self._owned = owned
        self._name = self._pick(table.primary_key or self._columns)
        self._by = by
        self._offered = [(self._pick(columns), survey.owners[table.name, columns]) for columns in offered]
        self._links = [
            (link, self._pick(link.read), survey.owners[link.parent, link.parent_columns]) for link in owned.links
        ]
        self._printed = False
        self._unread = {link for link in owned.links if link.parent not in done}

    def read(self, reader: DatabaseReader) -> None:
        table = self._owned.table
        self._printed = reader.prints_values
        tenant_of = self._tenant_of if len(self._owned.path) > 1 else self._new_tenant
        self._survey.rows[table.name] = [0] * len(self._survey.tenants)
        waiting: list[ColumnValues] = []
        for batch in reader.values(table.name, self._columns, weigh=table.columns):
            for row in batch:
                tenant = tenant_of(row)
                if tenant is None:
                    waiting.append(row)
                else:
                    self._settle(row, tenant)
        self._resolve(waiting)
        if len(self._owned.path) == 1 and 0 < len(self._survey.binary) < len(self._survey.tenants):
            self._survey.findings.partly_binary(self._owned, self._by)

    def _settle(self, row: ColumnValues, tenant: int) -> None:
        for pick, owners in self._offered:
            key = pick(row)
            if owners.setdefault(key, tenant) != tenant and not is_null(key):
                self._survey.findings.ambiguous(self._owned, key)
        name = self._owned.table.name
        if tenant >= 0:
            self._survey.rows[name][tenant] += 1
            self._survey.weights[tenant] += int(cast(int, row[-1]))
            return
        others = self._survey.others.setdefault(name, {})
        others[tenant] = others.get(tenant, 0) + 1

    def _new_tenant(self, row: ColumnValues) -> int | None:
        survey = self._survey
        key = self._pick((self._by,))(row)
        binary = binary_key(key, printed=self._printed, equality=self._owned.table.equality.get(self._by, ""))
        name = show_key(key) if binary is None else binary.hex()
        if binary is not None:
            survey.binary[name] = binary
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

    def _tenant_of(self, row: ColumnValues) -> int | None:
        """The tenant of the row's parents, or None while no parent has been read. Two tenants are reported."""
        tenant: int | None = None
        certain = True
        for link, pick, owners in self._links:
            key = pick(row)
            if is_null(key):
                continue
            found = owners.get(key)
            if found is None:
                certain = False
            elif tenant is None:
                tenant = found
            elif tenant != found and link not in self._unread:
                tenant = self._joined(row, tenant, found)
        if not certain or self._unread:
            self._check_later(row, tenant)
        if tenant is not None and is_shared(tenant):
            self._invite_parents(row, tenant)
        return tenant

    def _joined(self, row: ColumnValues, one: Home, other: Home) -> Home:
        """The home of a row whose parents have two homes. Two tenants are reported, unless the user has said more."""
        if EVERYWHERE in (one, other):
            return other if one == EVERYWHERE else one
        if NOWHERE in (one, other):
            return NOWHERE  # the row refers to a row that no shard gets
        survey = self._survey
        word = survey.keep.shared.get(self._owned.table.name)
        if word is None:
            whole = survey.homes.both(one, other)
            if whole in (one, other):
                return whole
            self._torn(row, one, other)
            return one
        return survey.homes.both(one, other) if word == TO_EACH else survey.homes.named(word)

    def _invite_parents(self, row: ColumnValues, home: Home) -> None:
        for link, pick, _ in self._links:
            key = pick(row)
            if not is_null(key):
                self._survey.invite((link.parent, link.parent_columns), key, home)

    def _check_later(self, row: ColumnValues, tenant: int | None) -> None:
        """Keep the foreign keys whose parent has not been read yet, or does not exist, for the check at the end."""
        if tenant is None:
            return
        for link, pick, owners in self._links:
            key = pick(row)
            if not is_null(key) and (link in self._unread or key not in owners):
                later = (self._owned, link, self._name(row), tenant, key)
                self._survey.later.append(later)

    def _resolve(self, waiting: list[ColumnValues]) -> None:
        """Rows that reach their tenant only through rows of their own table: repeat until a pass resolves none."""
        word = self._survey.keep.unowned.get(self._owned.table.name)
        progress = True
        while waiting and progress:
            left = []
            for row in waiting:
                tenant = self._tenant_of(row)
                if tenant is None and word is not None and self._may_be_unowned(row):
                    tenant = self._survey.homes.named(word)
                if tenant is None:
                    left.append(row)
                else:
                    self._settle(row, tenant)
            progress = len(left) < len(waiting)
            waiting = left
        for row in waiting:
            self._lost(row)

    def _may_be_unowned(self, row: ColumnValues) -> bool:
        """Whether no foreign key of the database leads the row anywhere."""
        return all(link.by_user or is_null(pick(row)) for link, pick, _ in self._links)

    def _lost(self, row: ColumnValues) -> None:
        findings = self._survey.findings
        keys = [(link, pick(row)) for link, pick, _ in self._links]
        leading = [(link, key) for link, key in keys if not is_null(key)]
        if self._may_be_unowned(row):
            for link, key in leading:
                findings.leading_nowhere(self._owned, link, self._name(row), key)
        else:
            for link, key in leading:
                findings.dangling(self._owned, link, self._name(row), key)
        if not leading:
            findings.orphan(self._owned, self._name(row))

    def _torn(self, row: ColumnValues, one: int, other: int) -> None:
        names = list(self._survey.tenants)
        owners = (self._survey.owner(one, names), self._survey.owner(other, names))
        self._survey.findings.torn(self._owned, self._name(row), owners)

    def _pick(self, columns: Sequence[KeyColumn]) -> PickKey:
        return cast(PickKey, itemgetter(*(self._columns.index(column) for column in columns)))
