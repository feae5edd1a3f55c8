"""`shardgate health`: asks a running gateway whether it is alive or ready."""

from typing import Annotated

import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit
from shardgate.process.health import ask


def health(
    config: ConfigOption = DEFAULT_CONFIG,
    ready: Annotated[
        bool, typer.Option("--ready", help="Ask whether clients should be sent there, not whether it is alive.")
    ] = False,
) -> None:
    """Ask the running gateway on its admin address whether it is alive.

    Example:

        shardgate health --ready

    The exit code is 0 if it is, and 1 if it is not or does not answer within
    two seconds. The configuration must have an `admin` address.
    """
    loaded = load_or_exit(config)
    if loaded.admin is None:
        typer.echo(f"shardgate: {config} has no `admin` address. Add one, or set SHARDGATE_ADMIN", err=True)
        raise typer.Exit(1)
    try:
        status, said = ask(*loaded.admin, "/readyz" if ready else "/healthz")
    except OSError as error:
        typer.echo("shardgate: no answer from {}:{}: {}".format(*loaded.admin, error), err=True)
        raise typer.Exit(1) from None
    typer.echo(said)
    raise typer.Exit(0 if status == 200 else 1)
