"""The names that a rule refers to: locator chains, and the places of a request that have a key."""

import re
from collections.abc import Iterator, Mapping

from shardgate.core.locate.probe import Probe
from shardgate.core.plan.key import KEY_SOURCES
from shardgate.core.routes.mistakes import Mistake, choose
from shardgate.core.routes.route import BaseRule, Chains
from shardgate.core.routes.template import variables_of
from shardgate.core.rulebook.convert import ABSENT

_OF_HEADERS = ("cookie.", "bearer.", "header.", "basic.", "claim.")
_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def check_names(rule: BaseRule, template: str, locators: Mapping[str, object]) -> Iterator[Mistake]:
    """Every name that a rule refers to must be there; paths begin at the rule."""
    for field, sources in rule.key_fields():
        if not sources:
            example = next((f"path.{variable}" for variable in variables_of(template)), "query.id")
            yield Mistake(field, "there is no place of a key", f"add one, like `{example}`")
        for source in sources if ABSENT not in sources else ():
            yield from _check_source(source, template, field)
    for field, name in rule.named_locators():
        if name not in locators and name != ABSENT:
            cure = choose(name, locators) if locators else f"add `{name}: [{{kind: directory}}]` under `locators`"
            yield Mistake(field, f"no locator is named {name!r}", cure)


def check_credentials(rule: BaseRule, chains: Chains) -> Iterator[Mistake]:
    """Shards that are asked by the client's own headers can say whose those are, and nothing else."""
    if not any(isinstance(each, Probe) and each.by_headers for each in chains.get(rule.locate or "", ())):
        return
    for field, sources in rule.key_fields():
        if field not in {"key", "credential.key"}:
            continue
        for source in sources:
            if not source.startswith(_OF_HEADERS):
                problem = f"{source!r} is in no header, and {rule.locate!r} asks shards by the headers alone"
                yield Mistake(field, problem, "take a `probe` with `{key}` in its path, without `by_headers`")


def _check_source(source: str, template: str, field: str) -> Iterator[Mistake]:
    kind, _, name = source.partition(".")
    variables = variables_of(template)
    if kind not in KEY_SOURCES:
        yield Mistake(field, f"{source!r} is no place of a key", f"start it with one of {', '.join(KEY_SOURCES)}")
    elif kind == "basic" and name not in {"username", "client_id"}:
        yield Mistake(field, f"{source!r} names nothing", "write `basic.username` or `basic.client_id`")
    elif kind == "bearer" and name != "token":
        yield Mistake(field, f"{source!r} names nothing", "write `bearer.token`")
    elif kind == "cookie" and not _FIELD_NAME.fullmatch(name or "x"):
        yield Mistake(field, f"{name!r} is no name of a cookie", "write it as `cookie.session`")
    elif kind == "header" and not _FIELD_NAME.fullmatch(name or "x"):
        yield Mistake(field, f"{name!r} is no name of a header", "write it as `header.X-Vendor`")
    elif kind == "body" and "" in (name or "x").split("."):
        yield Mistake(field, f"{source!r} has an empty name in it", "write it as `body.vendor.id`")
    elif not name:
        yield Mistake(field, f"{source!r} names nothing", f"write it as `{kind}.` and a name")
    elif kind == "path" and name not in variables:
        known = ", ".join(f"path.{variable}" for variable in variables)
        cure = f"take one of {known}" if known else "take another place of the request, like `query.id` or `body.id`"
        yield Mistake(field, f"the path has no variable {name!r}", cure)
