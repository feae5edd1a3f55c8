"""Documentation that a command can check is checked."""

import inspect
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import yaml

from shardgate.config.load import load
from shardgate.config.schema import (
    AccessLogConfig,
    ClientsConfig,
    Config,
    CursorsConfig,
    IdempotencyConfig,
    JournalConfig,
    JwtConfig,
    QuotaConfig,
    ShardConfig,
    WordsConfig,
)
from shardgate.core import errors
from shardgate.core.changes.entry import Action
from shardgate.core.changes.idempotency import Idempotency
from shardgate.core.changes.placing import AnyPolicy
from shardgate.core.dialect import AnyDialect
from shardgate.core.dialect.id_cursor import Seek
from shardgate.core.exchange import CUT_OFFS
from shardgate.core.json.number import Average
from shardgate.core.limits import Limits, Timeouts
from shardgate.core.lists.distinct import Dedupe
from shardgate.core.locate import directory, hashed, learned, prefix, probe
from shardgate.core.merge import AnyMerger
from shardgate.core.order.sort_key import SortKey
from shardgate.core.parts.whole import ListParts
from shardgate.core.rules.divide import Divide
from shardgate.core.rules.every import Every
from shardgate.core.rules.gather import Gather, Prune
from shardgate.core.rules.one import One
from shardgate.core.rules.parts_change import PartsChange, Share
from shardgate.core.rules.place import Place
from shardgate.observe.layout import FAMILIES
from shardgate.observe.log_line import Line

ROOT = Path(__file__).resolve().parents[2]
ERRORS = sorted((c for c in vars(errors).values() if inspect.isclass(c) and hasattr(c, "code")), key=lambda c: c.code)
STRUCTS: list[Any] = [
    Config,
    CursorsConfig,
    ShardConfig,
    AccessLogConfig,
    Limits,
    Timeouts,
    One,
    Gather,
    Prune,
    Dedupe,
    Average,
    SortKey,
]
STRUCTS += [*get_args(AnyMerger), *get_args(AnyDialect), Seek]
STRUCTS += [Every, Place, Divide, Action, Idempotency, IdempotencyConfig, JournalConfig, *get_args(AnyPolicy)]
STRUCTS += [ListParts, PartsChange, Share]
STRUCTS += [ClientsConfig, JwtConfig, QuotaConfig, WordsConfig]
STRUCTS += [directory.Directory, hashed.Hash, prefix.Prefix, probe.Probe, learned.Learned]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_every_error_is_documented_as_its_class_says(error: type[errors.ShardgateError]) -> None:
    meaning = " ".join((inspect.getdoc(error) or "").split())
    line = f"| {error.code} | {error.status} | {error.title} | {meaning} |"
    assert line in (ROOT / "docs/errors.md").read_text()


def test_no_code_is_used_twice() -> None:
    assert len({error.code for error in ERRORS}) == len(ERRORS)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_field_of_the_configuration_is_documented(struct: Any) -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    missing = [field.encode_name for field in msgspec.structs.fields(struct) if f"`{field.encode_name}`" not in text]
    named_otherwise = [name for name in missing if not re.search(rf"\b{name}\b", text)]
    assert named_otherwise == []


def test_every_metric_and_every_member_of_the_access_log_is_documented() -> None:
    text = (ROOT / "docs/howto/operate.md").read_text()
    names = [family.name for family in FAMILIES] + [field.encode_name for field in msgspec.structs.fields(Line)]
    assert [name for name in [*names, *CUT_OFFS] if f"`{name}`" not in text] == []
    metrics = set(re.findall(r"shardgate_[a-z_]+", text))
    known = {family.name + end for family in FAMILIES for end in ("", "_bucket")}
    assert metrics <= known


def test_the_readmes_configuration_is_right_but_for_the_files_it_names(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    config = yaml.safe_load(block)
    assert len([line for line in block.splitlines() if line.strip() and not line.startswith("#")]) <= 13
    (tmp_path / "openapi.json").write_text('{"openapi": "3.1.0", "paths": {}}')
    (tmp_path / "directory.db").touch()
    (tmp_path / "shardgate.yaml").write_text(yaml.safe_dump(config))
    assert len(load(tmp_path / "shardgate.yaml").routes.routes) == 3


def test_every_link_between_documents_leads_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.relative_to(ROOT)} links to {link}"


def test_every_verb_of_the_makefile_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text()
    verbs = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert verbs is not None
    for verb in verbs[1].split():
        assert re.search(rf"^{verb}:.*## \w", text, re.MULTILINE), verb
