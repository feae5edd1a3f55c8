"""The commands of `shardgate`, as their `--help` says them."""

from collections.abc import Iterator
from typing import Any

import typer

from shardgate.cli.main import app
from tools.docs.markdown import table


def commands_text() -> str:
    """A section for each command: what it does, its arguments and its options."""
    return "\n".join(_section(name, command) for name, command in _commands(typer.main.get_command(app), "shardgate"))


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """A command's own subcommands, at any depth; a command without one is itself."""
    below = getattr(command, "commands", {})
    if not below:
        yield name, command
    for word, each in below.items():
        yield from _commands(each, f"{name} {word}")


def _section(name: str, command: Any) -> str:
    rows = [_row(each) for each in command.params if not each.hidden]
    options = table(("argument or option", "default", "meaning"), rows) if rows else "It has no options.\n"
    return f"## {name}\n\n{command.help.strip()}\n\n{options}"


def _row(parameter: Any) -> tuple[str, str, str]:
    is_option = parameter.opts[0].startswith("-")
    words = ", ".join(f"`{word}`" for word in parameter.opts) if is_option else f"`{_metavar(parameter)}`"
    if is_option and parameter.metavar:
        words += f" {parameter.metavar}"
    meaning = parameter.help or ""
    if parameter.envvar:
        meaning += f" Or set the environment variable `{parameter.envvar}`."
    return words, _default(parameter), meaning


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _default(parameter: Any) -> str:
    if parameter.required:
        return "**required**"
    value = parameter.default
    return "" if value is None or value is False or value in {"", ()} else f"`{value}`"
