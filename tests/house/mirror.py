"""Tests mirror the sources: `src/shardgate/core/json/array.py` has `tests/core/json/test_array.py`.

`without_tests.txt` lists the modules that have no test of their own, each below the reason why. `python -m
tests.house.mirror` takes off those that have one by now.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("without_tests.txt")


def modules() -> set[str]:
    """The modules of the package: `core/json/array`."""
    source = ROOT / "src" / "shardgate"
    return {str(file.relative_to(source).with_suffix("")) for file in source.rglob("*.py") if file.name[0] != "_"}


def test_of(module: str) -> Path:
    """Where the test of a module is, or would be."""
    folder, _, name = module.rpartition("/")
    return ROOT / "tests" / folder / f"test_{name}.py"


def listed() -> dict[str, str]:
    """The modules without a test of their own → the reason."""
    found: dict[str, str] = {}
    reason = ""
    for line in LIST.read_text().splitlines():
        if line.startswith("#"):
            reason = line.removeprefix("#").strip()
        elif line:
            found[line] = reason
    return found


def pruned(text: str) -> str:
    """The list without the modules that have a test, or are gone."""
    there = modules()
    kept = [line for line in text.splitlines() if _stays(line, there)]
    return "\n".join(kept) + "\n"


def _stays(line: str, there: set[str]) -> bool:
    return not line or line.startswith("#") or (line in there and not test_of(line).exists())


if __name__ == "__main__":
    LIST.write_text(pruned(LIST.read_text()))
