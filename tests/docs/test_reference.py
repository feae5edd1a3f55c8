"""The reference is what the source says, and its examples are right."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from typer.testing import CliRunner

from shardgate.cli.main import app
from shardgate.core.rules import Rule
from shardgate.store.sqlite import SqliteStore
from tools.docs.blocks import blocks_in, files_in
from tools.docs.docstrings import field_docstring, own_fields
from tools.docs.reference import DOCS, pages, places, rendered, write
from tools.docs.structs import STRUCTS, reachable

PAGES = sorted((DOCS / "reference").glob("*.md"))
WHICH_RULE = (DOCS / "which-rule.md").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Everything that the examples name."""
    with SqliteStore(tmp_path / "directory.db"):
        pass
    authority = trustme.CA()
    served = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    served.private_key_pem.write_to_path(tmp_path / "key.pem")
    for pem in served.cert_chain_pems:
        pem.write_to_path(tmp_path / "cert.pem", append=True)
    for name in ("tokens.secret", "cursors.secret"):
        (tmp_path / name).write_text("0123456789abcdef" * 4)
    return tmp_path


def checked(folder: Path, text: str) -> str:
    """What is wrong with a configuration, as `shardgate check` says it; empty: nothing."""
    file = folder / "shardgate.yaml"
    file.write_text(text)
    answer = CliRunner().invoke(app, ["check", "-c", str(file)])
    return "" if answer.exit_code == 0 else answer.output


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_no_page_is_stale(page: Path) -> None:
    assert page.read_text() == rendered(page), f"{page.relative_to(DOCS.parent)} is stale: make docs-reference"


@pytest.mark.parametrize(
    "struct", sorted(reachable(), key=lambda struct: struct.__name__), ids=lambda each: each.__name__
)
def test_all_that_the_configuration_can_contain_has_a_table(struct: type[Any]) -> None:
    assert struct in places(), f"a page below docs/reference needs `<!-- fields: {struct.__name__} -->`"


@pytest.mark.parametrize("name", STRUCTS)
def test_every_field_is_explained_where_it_is_declared(name: str) -> None:
    shown = STRUCTS[name]
    fields = {field for field in shown.struct.__struct_fields__ if field in own_fields(shown.struct, shown.beyond)}
    assert [field for field in sorted(fields) if not field_docstring(shown.struct, field)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_page_has_a_complete_example_that_is_right(page: Path, folder: Path) -> None:
    for block in blocks_in(page.read_text()):
        if block.title:
            (folder / block.title).write_text(block.text)
    examples = files_in(page.read_text(), "shardgate.yaml")
    assert examples, "a page of the reference begins with a complete shardgate.yaml"
    assert [mistakes for text in examples if (mistakes := checked(folder, text))] == []


def test_each_rule_of_the_which_rule_page_is_right(folder: Path) -> None:
    before, *examples = [block.text for block in blocks_in(WHICH_RULE) if block.language == "yaml"]
    assert len(examples) > 10
    document = {"openapi": "3.1.0", "paths": {"/vendors/merge": {"post": {}}}}
    (folder / "openapi.json").write_bytes(msgspec.json.encode(document))
    for text in examples:
        rules = "".join(f"  {line}\n" for line in text.splitlines())
        known = f"openapi: openapi.json\nrules:\n  GET /categories: {{rule: any}}\n{text}"
        assert checked(folder, before + (known if text.startswith("unserved:") else f"rules:\n{rules}")) == ""


def test_the_which_rule_page_leads_to_every_rule() -> None:
    named = {rule.__struct_config__.tag for rule in Rule.__args__}
    assert [name for name in named if f"**Use `{name}`**" not in WHICH_RULE] == []


def test_a_table_that_was_changed_by_hand_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "locators.md"
    page.write_text("# Locators\n\n<!-- fields: Prefix -->\n| field |\n<!-- end -->\nSo be it.\n")
    assert write(tmp_path) == [page]
    text = page.read_text()
    assert "| `separator` | text | `-` | " in text
    assert text.endswith("<!-- end -->\nSo be it.\n")
    assert write(tmp_path) == []
