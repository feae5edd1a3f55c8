"""Documentation that a command can check is checked."""

import inspect
import re
from pathlib import Path

import msgspec
import yaml

from shardgate.config.load import load
from shardgate.core import errors
from shardgate.core.exchange import CUT_OFFS
from shardgate.observe.layout import FAMILIES
from shardgate.observe.log_line import Line

ROOT = Path(__file__).resolve().parents[2]
ERRORS = [each for each in vars(errors).values() if inspect.isclass(each) and hasattr(each, "code")]


def test_no_code_is_used_twice() -> None:
    assert len({error.code for error in ERRORS}) == len(ERRORS)


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


def test_the_readmes_figures_are_those_of_the_study() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    said = re.search(
        r"A relayed request takes (\d+) µs of CPU time \(nginx (\d+), Go's net/http (\d+)\), "
        r"a merged page of 4 . 50 rows (\d+) µs \(Go ([\d,]+)\).* about (\d+) MiB",
        readme,
    )
    assert said is not None
    rows = [line.split(" | ") for line in (ROOT / "docs/study.md").read_text().splitlines()]
    measured = {(row[0].strip("| "), row[1]): row[2] for row in rows if len(row) > 2}
    works = [("relay 1 KB", "shardgate"), ("relay 1 KB", "nginx"), ("relay 1 KB", "Go relay")]
    page = "gather 4 \N{MULTIPLICATION SIGN} 50"
    works += [(page, "shardgate"), (page, "Go RawMessage")]
    memory = next(row[2] for row in rows if row[0] == "| shardgate")
    assert said.groups() == (*(measured[work] for work in works), memory)


def test_every_verb_of_the_makefile_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text()
    verbs = re.findall(r"^([a-z0-9-]+):", text, re.MULTILINE)
    assert "test" in verbs
    for verb in verbs:
        assert re.search(rf"^{verb}:.*## \w", text, re.MULTILINE), verb
