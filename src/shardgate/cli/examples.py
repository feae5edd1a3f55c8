"""`shardgate examples`: lists the examples, and copies one to begin from."""

import re
import shutil
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

import shardgate
from shardgate.cli.console import wide_console

_PACKAGED = Path(shardgate.__file__).parent / "_examples"
_IN_THE_SOURCE = Path(shardgate.__file__).parents[2] / "examples"
_LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__", "*.egg-info", "tests", "*.db", "*.secret")


def examples(
    name: Annotated[str | None, typer.Argument(help="Copy this one. Without it, all are listed.")] = None,
    to: Annotated[
        Path | None, typer.Option(help="The folder to make. Default: the example's name, in the current folder.")
    ] = None,
) -> None:
    """List the examples, or copy one: a configuration to begin from.

    Example:

        shardgate examples
        shardgate examples drf --to my-gateway

    Each is an application behind shardgate, as it is: its configuration,
    commented, and a README that says how to install and start it. `make
    strangers` compares each with one instance that has all the data.

    Next, read README.md in the folder, and change shardgate.yaml.
    """
    folder = _PACKAGED if _PACKAGED.is_dir() else _IN_THE_SOURCE
    known = sorted(path.parent.name for path in folder.glob("*/shardgate.yaml"))
    if name is None:
        _list(folder, known)
        return
    if name not in known:
        _refuse(f"no example is named {name!r}; there are {', '.join(known)}")
    target = to or Path(name)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        _refuse(f"{target} is there already; name another folder with --to")
    shutil.copytree(folder / name, target, ignore=_LEFT_OUT, dirs_exist_ok=True)
    typer.echo(f"copied to {target}; next: read {target / 'README.md'}")


def _refuse(problem: str) -> NoReturn:
    typer.echo(f"examples: {problem}", err=True)
    raise typer.Exit(1)


def _list(folder: Path, known: list[str]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("example", "what it is"):
        table.add_column(title, overflow="fold")
    for name in known:
        table.add_row(name, _title(folder / name / "README.md"))
    wide_console().print(table)


def _title(readme: Path) -> str:
    """The first heading."""
    heading = re.search(r"^# (.+)$", readme.read_text(encoding="utf-8"), re.MULTILINE)
    return heading[1] if heading else ""
