"""The picture of the rooms in ARCHITECTURE.md, drawn from the import contracts and the rooms' own prologues.

`python -m tests.house.picture` draws it anew.
"""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
LINES_MAX = 51
WIDTH_MAX = 120
_PICTURE = re.compile(r"(?<=<!-- rooms -->\n```text\n).*?(?=```\n<!-- end of rooms -->)", re.DOTALL)


def layers(container: str) -> list[list[str]]:
    """The layers of a package, from the top: modules of a layer do not know each other."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [contract] = [each for each in contracts if each.get("containers") == [container]]
    return [[name.strip() for name in re.split(r"[|:]", layer)] for layer in contract["layers"]]


def sentence(module: str) -> str:
    """The first sentence of a module's prologue."""
    path = ROOT / "src" / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    prologue = ast.get_docstring(ast.parse(file.read_text())) or ""
    return re.split(r"(?<=\.)\s", " ".join(prologue.split()), maxsplit=1)[0]


def drawn() -> str:
    """Floors and rooms of core, from the top, one a line. Each imports only from floors below its own."""
    lines = ["floor"]
    for number, floor in reversed(list(enumerate(reversed(layers("shardgate"))))):
        lines += [_line(number, room, f"shardgate.{room}") for room in floor]
    lines += ["", "floor in core"]
    for number, floor in reversed(list(enumerate(reversed(layers("shardgate.core"))))):
        lines += [_line(number, room, f"shardgate.core.{room}") for room in floor]
    return "\n".join(lines) + "\n"


def picture() -> str:
    """The picture that ARCHITECTURE.md has."""
    found = _PICTURE.search(ARCHITECTURE.read_text())
    return found[0] if found is not None else ""


def _line(number: int, room: str, module: str) -> str:
    line = f"{number:>2}  {room:<10} {sentence(module)}"
    return line if len(line) <= WIDTH_MAX else line[: WIDTH_MAX - 2].rpartition(" ")[0] + " …"


if __name__ == "__main__":
    ARCHITECTURE.write_text(_PICTURE.sub(lambda _: drawn(), ARCHITECTURE.read_text()))
