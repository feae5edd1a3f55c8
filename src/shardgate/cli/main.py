"""The command table: one line a command, no logic."""

from typing import Annotated

import typer

from shardgate import __version__
from shardgate.cli.check import check
from shardgate.cli.explain import explain
from shardgate.cli.journal import journal
from shardgate.cli.routes import routes
from shardgate.cli.serve import serve
from shardgate.cli.split import split
from shardgate.cli.why import why

app = typer.Typer(
    name="shardgate",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"shardgate {__version__}")
        raise typer.Exit


@app.callback()
def _shardgate(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Make N instances of one application, each holding a part of the data, answer as if they were one.

    Begin with `split`, which cuts a monolith's database; write a shardgate.yaml; `check` it; `serve`.
    `explain` tells what would become of a request; `why`, what has become of one that failed.
    """


app.command()(split)
app.command()(serve)
app.command()(check)
app.command()(explain)
app.command()(routes)
app.command()(why)
app.add_typer(journal)
