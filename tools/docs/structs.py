"""The structs of the configuration that the reference has a table of, by the names that the pages call them.

Holds: a struct that the configuration can contain and that is not here is found by a test.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from msgspec import inspect

from shardgate.config import schema
from shardgate.config.plugins import CustomConfig
from shardgate.core.body.inner import RequestMembers
from shardgate.core.body.inner_reply import ReplyMembers
from shardgate.core.changes.entry import Action
from shardgate.core.changes.idempotency import Idempotency
from shardgate.core.changes.placing import AnyPolicy, LeastData, LeastTenants, Weighted
from shardgate.core.dialect import AnyDialect
from shardgate.core.dialect.content_range import ContentRange
from shardgate.core.dialect.cursor import Cursor
from shardgate.core.dialect.custom import CustomDialect
from shardgate.core.dialect.drf import Drf
from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.hal import Hal
from shardgate.core.dialect.id_cursor import IdCursor, Seek
from shardgate.core.dialect.json_api import JsonApi
from shardgate.core.dialect.link_header import LinkHeader
from shardgate.core.dialect.ndjson import Ndjson
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.pages import Pages
from shardgate.core.dialect.search import Search
from shardgate.core.dialect.whole import Whole
from shardgate.core.failures.tolerance import Missing
from shardgate.core.json.number import Average
from shardgate.core.json.totals import Totals
from shardgate.core.limits import Limits, Timeouts
from shardgate.core.lists.distinct import Dedupe
from shardgate.core.locate import AnyLocator
from shardgate.core.locate.bulk import Bulk
from shardgate.core.locate.custom import CustomLocator
from shardgate.core.locate.directory import Directory
from shardgate.core.locate.hashed import Hash
from shardgate.core.locate.learned import Learned
from shardgate.core.locate.prefix import Prefix
from shardgate.core.locate.probe import Probe
from shardgate.core.merge import AnyMerger
from shardgate.core.merge.chosen import Choice, Chosen
from shardgate.core.merge.count import Count
from shardgate.core.merge.custom import CustomMerge
from shardgate.core.merge.deep import Deep
from shardgate.core.merge.entity import Entity
from shardgate.core.merge.first import First
from shardgate.core.merge.groups import Groups
from shardgate.core.merge.listed import Listed
from shardgate.core.merge.numbers import Numbers
from shardgate.core.merge.union import Union
from shardgate.core.order.sort_key import SortKey
from shardgate.core.paging.echoes import Echoing
from shardgate.core.paging.links import Linked
from shardgate.core.paging.parameters import Parameters
from shardgate.core.paging.reading import Reading
from shardgate.core.parts.share import Share
from shardgate.core.parts.whole import ListParts, Parts
from shardgate.core.plan.scatter import Scatter
from shardgate.core.replicas.settings import Failover, HealthCheck, ReplicaGuards
from shardgate.core.replies.cache.settings import CacheWords
from shardgate.core.replies.validation import Validation
from shardgate.core.rules import Rule
from shardgate.core.rules.any_shard import AnyShard
from shardgate.core.rules.batch import Batch
from shardgate.core.rules.divide import Divide
from shardgate.core.rules.every import Every
from shardgate.core.rules.gather import Gather
from shardgate.core.rules.narrowing import Credential, Prune
from shardgate.core.rules.one import One
from shardgate.core.rules.parts_change import PartsChange
from shardgate.core.rules.place import Place
from shardgate.core.wire.coding import Compress


class Shown(NamedTuple):
    """One table: the fields of a struct."""

    struct: type[Any]
    beyond: type[Any] | None = None
    """Fields that this base declares are left out: the page has a table of theirs."""


STRUCTS: dict[str, Shown] = {
    "Config": Shown(schema.Config),
    "ShardConfig": Shown(schema.ShardConfig),
    "ReplicaConfig": Shown(schema.ReplicaConfig),
    "DiscoveryConfig": Shown(schema.DiscoveryConfig),
    "ResolverConfig": Shown(schema.ResolverConfig),
    "HealthCheck": Shown(HealthCheck),
    "ReplicaGuards": Shown(ReplicaGuards),
    "Failover": Shown(Failover),
    "TlsConfig": Shown(schema.TlsConfig),
    "ForwardedConfig": Shown(schema.ForwardedConfig),
    "AccessLogConfig": Shown(schema.AccessLogConfig),
    "OtlpConfig": Shown(schema.OtlpConfig),
    "CookiesConfig": Shown(schema.CookiesConfig),
    "CursorsConfig": Shown(schema.CursorsConfig),
    "IdempotencyConfig": Shown(schema.IdempotencyConfig),
    "JournalConfig": Shown(schema.JournalConfig),
    "ApplicationCopyConfig": Shown(schema.ApplicationCopyConfig),
    "MovementsConfig": Shown(schema.MovementsConfig),
    "BoundsConfig": Shown(schema.BoundsConfig),
    "ClassConfig": Shown(schema.ClassConfig),
    "ClassMatchConfig": Shown(schema.ClassMatchConfig),
    "ClientsConfig": Shown(schema.ClientsConfig),
    "JwtConfig": Shown(schema.JwtConfig),
    "QuotaConfig": Shown(schema.QuotaConfig),
    "WordsConfig": Shown(schema.WordsConfig),
    "Compress": Shown(Compress),
    "Limits": Shown(Limits),
    "Timeouts": Shown(Timeouts),
    "One": Shown(One),
    "AnyShard": Shown(AnyShard),
    "Validation": Shown(Validation),
    "Credential": Shown(Credential),
    "Batch": Shown(Batch),
    "RequestMembers": Shown(RequestMembers),
    "ReplyMembers": Shown(ReplyMembers),
    "Gather": Shown(Gather),
    "Missing": Shown(Missing),
    "CacheWords": Shown(CacheWords),
    "Scatter": Shown(Scatter),
    "Prune": Shown(Prune),
    "Every": Shown(Every),
    "Place": Shown(Place),
    "Divide": Shown(Divide),
    "Action": Shown(Action),
    "Idempotency": Shown(Idempotency),
    "LeastTenants": Shown(LeastTenants),
    "Weighted": Shown(Weighted),
    "LeastData": Shown(LeastData),
    "PartsChange": Shown(PartsChange),
    "Share": Shown(Share),
    "Parts": Shown(Parts),
    "ListParts": Shown(ListParts, Parts),
    "Listed": Shown(Listed),
    "SortKey": Shown(SortKey),
    "Dedupe": Shown(Dedupe),
    "Groups": Shown(Groups),
    "Average": Shown(Average),
    "Totals": Shown(Totals),
    "Numbers": Shown(Numbers),
    "Count": Shown(Count),
    "Union": Shown(Union),
    "First": Shown(First),
    "Deep": Shown(Deep),
    "Entity": Shown(Entity),
    "Chosen": Shown(Chosen),
    "Choice": Shown(Choice),
    "CustomConfig": Shown(CustomConfig),
    "Parameters": Shown(Parameters),
    "Reading": Shown(Reading),
    "Echoing": Shown(Echoing, Parameters),
    "Linked": Shown(Linked, Echoing),
    "Offset": Shown(Offset, Parameters),
    "Envelope": Shown(Envelope, Linked),
    "Pages": Shown(Pages, Linked),
    "Ndjson": Shown(Ndjson, Parameters),
    "Search": Shown(Search, Echoing),
    "Drf": Shown(Drf, Linked),
    "LinkHeader": Shown(LinkHeader, Linked),
    "ContentRange": Shown(ContentRange, Parameters),
    "Whole": Shown(Whole),
    "JsonApi": Shown(JsonApi, Linked),
    "Hal": Shown(Hal, Linked),
    "IdCursor": Shown(IdCursor, Echoing),
    "Seek": Shown(Seek),
    "Cursor": Shown(Cursor, Echoing),
    "Directory": Shown(Directory),
    "Hash": Shown(Hash),
    "Prefix": Shown(Prefix),
    "Learned": Shown(Learned),
    "Probe": Shown(Probe),
    "Bulk": Shown(Bulk),
}

FAMILIES: dict[frozenset[type[Any]], tuple[str, str]] = {
    frozenset(get_args(AnyMerger)): ("a merge", "merges.md"),
    frozenset({*get_args(AnyMerger), Chosen}): ("a merge", "merges.md"),
    frozenset(get_args(AnyDialect)): ("a dialect", "dialects.md"),
    frozenset(get_args(AnyLocator)): ("a locator", "locators.md"),
    frozenset(get_args(AnyPolicy)): ("a policy", "place.md#policies"),
}
"""Unions of structs → what one of them is called, and the page that has them all."""

PLUG_INS: dict[type[Any], type[Any]] = {
    CustomDialect: CustomConfig,
    CustomLocator: CustomConfig,
    CustomMerge: CustomConfig,
}
"""What a plug-in is when it was made → what the configuration has in its place."""

NOT_WRITTEN = {(Cursor, "seal")}
"""Fields that come from elsewhere: nobody writes them."""

READ_APART: dict[tuple[type[Any], str], str] = {
    (schema.Config, "shards"): "mapping of text to text or [a mapping](#shards)",
    (schema.Config, "locators"): "mapping of text to list of [locators](locators.md)",
    (schema.Config, "dialects"): "mapping of text to [a dialect](dialects.md)",
    (schema.Config, "rules"): "mapping of text to [a rule](../which-rule.md)",
}
"""Fields whose values are read by themselves, so that the struct does not say their types."""

ROOTS: tuple[Any, ...] = (schema.Config, schema.ShardConfig, schema.ReplicaConfig, Rule, AnyLocator, AnyDialect)
"""What the YAML can contain; rules, locators, dialects and shards are read apart from the rest."""


PLUGINS: frozenset[type[Any]] = frozenset({CustomDialect, CustomLocator, CustomMerge})
"""Made of a `CustomConfig` when the configuration is read; nobody writes them."""


def reachable() -> set[type[Any]]:
    """Every struct that the configuration can contain."""
    found: set[type[Any]] = set()
    kinds = list(inspect.multi_type_info(ROOTS))
    while kinds:
        kind = kinds.pop()
        if isinstance(kind, inspect.StructType):
            if kind.cls in found or kind.cls in PLUGINS:
                continue
            found.add(PLUG_INS.get(kind.cls, kind.cls))
            if kind.cls in PLUG_INS:
                continue
            named = [field for field in kind.fields if (kind.cls, field.name) not in NOT_WRITTEN]
            kinds += [field.type for field in named]
        else:
            kinds += _inside(kind)
    return found


def _inside(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The types that a type is made of."""
    for name in ("types", "item_types"):
        yield from getattr(kind, name, ())
    for name in ("type", "item_type", "key_type", "value_type"):
        each = getattr(kind, name, None)
        if isinstance(each, inspect.Type):
            yield each
