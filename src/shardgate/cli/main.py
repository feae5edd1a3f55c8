"""The command table: one line a command, no logic."""

import typer

app = typer.Typer(no_args_is_help=True)
