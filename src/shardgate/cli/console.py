"""What all commands share: the option for the configuration, and how its mistakes are printed."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from shardgate.config.load import ConfigError, Loaded
from shardgate.process.preflight import read

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", help="The configuration file.", metavar="FILE", envvar="SHARDGATE_CONFIG"),
]
DEFAULT_CONFIG = Path("shardgate.yaml")
PLAIN_WIDTH = 200  # characters a line without a terminal, so that a log has names in full


def wide_console() -> Console:
    """Standard output, as wide as its terminal."""
    console = Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    return console


def load_or_exit(config: Path, load: Callable[[Path], Loaded] = read) -> Loaded:
    """The configuration. If it has mistakes, prints all of them to standard error and exits with code 1."""
    try:
        return load(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        count = len(error.mistakes)
        typer.echo(f"shardgate: {count} mistake{'s' if count > 1 else ''} in {config}", err=True)
        raise typer.Exit(1) from None
