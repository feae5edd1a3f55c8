"""One name for one thing: no two public classes or type aliases of the package share a name."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "shardgate"


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
    shared = {name: files for name, files in homes.items() if len(files) > 1}
    assert shared == {}, "one word for one thing: rename one of them"


def test_a_name_is_found() -> None:
    source = "class Ask: pass\nclass _Hidden: pass\nAnyKey = int | str\nName: TypeAlias = str\nE_MAX = 7\nask = Ask()\n"
    assert list(public_names(source)) == ["Ask", "AnyKey", "Name"]
