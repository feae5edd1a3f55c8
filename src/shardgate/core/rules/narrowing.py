"""What narrows a gather: filters that name keys, and a credential that one shard alone knows."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from shardgate.core.plan.key import KEY_SOURCES
from shardgate.core.plan.scatter import Scatter
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import Chains, Filter
from shardgate.core.rules.fields import Sources
from shardgate.core.topology import ShardId


class Prune(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a filter names keys."""

    locate: str
    """The name of the locator chain that finds the shards of the keys."""
    separator: str | None = ","
    """What stands between two keys; `null`: the parameter holds one key."""


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session or a token that one shard alone knows: only that shard is asked."""

    key: Sources
    """Where it stands in a request: `cookie.session`, `header.X-Token`, `bearer.token`. Without it all shards are
    asked."""
    locate: str
    """The name of the locator chain that finds the shard: `[{kind: learned}, {kind: probe, path: /me, by_headers:
    true}]`. Where no shard knows it, all are asked, and refuse in the application's words."""
    not_here: tuple[int, ...] = (401, 403, 404)
    """The statuses by which a shard says that it does not know it."""


def filters_of(
    prune: Mapping[str, str | Prune], chains: Chains, learned: Mapping[str, str], anchors: tuple[str, ...]
) -> tuple[Filter, ...]:
    """The filters with their locators. `learned`: what the rows show; `anchors`: the parameters that name a row."""
    found = []
    for parameter, given in prune.items():
        how = how_pruned(given)
        shown = how.locate in learned
        kind, _, name = parameter.partition(".")
        claim, variable = name if kind == "claim" else "", name if kind == "path" else ""
        chain = chains.get(how.locate, ())
        found.append(Filter(parameter, how.separator, how.locate, chain, shown, anchors, claim, variable))
    return tuple(found)


def check_narrowing(prune: Mapping[str, str | Prune], scatter: Scatter | None) -> Iterator[Mistake]:
    """What is wrong in the filters, and a bound that nothing can keep."""
    if scatter is not None and not prune and not scatter.unless:
        cure = "add `prune` or `unless`; or move the operation to `unserved`"
        yield Mistake("scatter", "nothing narrows the list, so that it is always refused", cure)
    for parameter, given in prune.items():
        kind, _, name = parameter.partition(".")
        if not parameter or (kind in KEY_SOURCES and name and kind not in _FILTERS):
            cure = (
                f"write `{name}`, or {_EXAMPLES}" if kind == "query" else f"write the parameter's name, or {_EXAMPLES}"
            )
            yield Mistake(f"prune.{parameter}", f"{parameter!r} is no query parameter", cure)
        if how_pruned(given).separator == "":
            cure = "write the text between two keys, like `,`; or null, if there is only one key"
            yield Mistake(f"prune.{parameter}.separator", "an empty text divides nothing", cure)


def how_pruned(given: str | Prune) -> Prune:
    """How a filter names keys, where the rule says only by which locator chain."""
    return given if isinstance(given, Prune) else Prune(locate=given)


def in_both(some: Sequence[ShardId], others: Sequence[ShardId]) -> Sequence[ShardId]:
    """The shards that are in both; one of the others, which will do for an empty list, where there are none."""
    return tuple([shard for shard in some if shard in others]) or others[:1]


_FILTERS = ("path", "claim")
_EXAMPLES = "`path.vendor` for a variable of the path, or `claim.vendor` for a claim of the token"
