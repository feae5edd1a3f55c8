"""One name for one thing: no two public classes or type aliases of the package share a name."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "shardgate"
LEFT = {
    "Dialect": "split: a kind of database; core: how an application pages",
    "Directory": "process: what reads the directory anew; core: the locator",
    "Number": "cli: a number of entries on the command line; core: a JSON number",
    "Plan": "split: which rows go where; core: which shards are asked",
    "Query": "split: one type alias in four modules",
    "Request": "split: what to cut; core: an HTTP request",
    "Route": "split: how a table is divided; core: how an operation is served",
    "Shard": "split: a database that is written; core: an instance that is called",
    "Start": "split: where a counter begins; core: where a shard's list is read from",
    "Value": "split: a value of a row; core: the base of values",
}
"""Names that still mean two things. One may be taken off, and none is added."""


def public_names(source: str) -> Iterator[str]:
    """The classes and type aliases at the top of a module."""
    for node in ast.parse(source).body:
        names: list[str] = []
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        yield from (name for name in names if name[0].isupper() and not name.isupper())


def test_no_two_public_classes_or_aliases_share_a_name() -> None:
    homes: dict[str, list[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        for name in public_names(file.read_text()):
            homes.setdefault(name, []).append(str(file.relative_to(PACKAGE)))
    assert len(homes) > 200
    shared = {name: files for name, files in homes.items() if len(files) > 1 and name not in LEFT}
    assert shared == {}, "one word for one thing: rename one of them"


def test_a_name_is_found() -> None:
    source = "class A: pass\nclass _B: pass\nC = int | str\nD: TypeAlias = int\nE_MAX = 7\nf = A()\n"
    assert list(public_names(source)) == ["A", "C", "D"]
