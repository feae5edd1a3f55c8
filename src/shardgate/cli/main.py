"""The table of commands: one line a command, without logic."""

from typing import Annotated

import typer

from shardgate import __version__
from shardgate.cli.check import check
from shardgate.cli.directory import directory
from shardgate.cli.examples import examples
from shardgate.cli.explain import explain
from shardgate.cli.health import health
from shardgate.cli.journal import journal
from shardgate.cli.move import move
from shardgate.cli.routes import routes
from shardgate.cli.serve import serve
from shardgate.cli.shard import rebalance, shard
from shardgate.cli.split import split
from shardgate.cli.split_shard import split_shard
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
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    r"""Make several instances of one application, each with a part of its data, answer as one.

    From one database to a gateway in front of three shards:

        shardgate split --source sqlite:///shop.db --tenant vendors \
          --names north,south,west --directory directory.db \
          --into-template 'sqlite:///{shard}.db'
        (start one instance of the application on each of the databases)
        (write shardgate.yaml: the instances, the directory, and a rule
        for each operation)
        shardgate check
        shardgate explain GET '/orders?limit=20'
        shardgate serve
        shardgate why REQUEST_ID --log access.log

    If a request fails, `shardgate why REQUEST_ID` explains it from the logs.
    Each command has its own help, with an example: `shardgate split --help`.
    """


app.command()(split)
app.command()(move)
app.command()(serve)
app.command()(check)
app.command()(explain)
app.command()(routes)
app.command()(health)
app.command()(why)
app.command()(examples)
app.command()(rebalance)
app.command()(split_shard)
app.add_typer(directory)
app.add_typer(journal)
app.add_typer(shard)
