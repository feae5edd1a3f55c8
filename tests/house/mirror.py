"""Tests mirror the sources: `src/shardgate/core/json/array.py` has `tests/core/json/test_array.py`.

`without_tests.txt` lists the modules that have no test of their own, each below the reason why; `split/` stands for all
modules of a folder. `python -m tests.house.mirror` takes off those that have one by now.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("without_tests.txt")


def modules() -> set[str]:
    """The modules of the package: `core/json/array`."""
    source = ROOT / "src" / "shardgate"
    return {str(file.relative_to(source).with_suffix("")) for file in source.rglob("*.py") if file.name[0] != "_"}


def mirrored(module: str) -> Path:
    """Where the test of a module is, or would be."""
    folder, _, name = module.rpartition("/")
    return ROOT / "tests" / folder / f"test_{name}.py"


def listed() -> dict[str, str]:
    """The modules, and the folders of modules, without a test of their own → the reason."""
    found: dict[str, str] = {}
    reason = ""
    for line in LIST.read_text().splitlines():
        if line.startswith("#"):
            reason = line.removeprefix("#").strip()
        elif line:
            found[line] = reason
    return found


def without() -> set[str]:
    """The modules that have no test at the mirrored path."""
    return {module for module in modules() if not mirrored(module).exists()}


def covers(line: str, module: str) -> bool:
    """Whether a line of the list, a module or a folder, is about this module."""
    return module.startswith(line) if line.endswith("/") else module == line


def pruned(text: str) -> str:
    """The list without the lines of which each module has a test, or is gone."""
    left = without()
    lines = text.splitlines()
    kept = [line for line in lines if not line or line[0] == "#" or any(covers(line, module) for module in left)]
    return "\n".join(kept) + "\n"


if __name__ == "__main__":
    LIST.write_text(pruned(LIST.read_text()))
