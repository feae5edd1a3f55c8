"""`shardgate journal`: changes that are not over, and what a person can do about them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit, wide_console
from shardgate.core.errors import ShardgateError
from shardgate.store.desk import Desk
from shardgate.store.sqlite import StoreError

journal = typer.Typer(name="journal", no_args_is_help=True, help="See and end the changes that are not over.")

Number = Annotated[int, typer.Argument(help="The change, as `list` shows it.", metavar="ID")]


@journal.command("list")
def list_entries(
    config: ConfigOption = DEFAULT_CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="Also what is over.")] = False,
) -> None:
    """List what is under way, waits for a shard, or is stuck; and how far it has come on each shard."""
    table = Table(box=None, pad_edge=False)
    for title in ("id", "since", "operation", "state", "shards", "why"):
        table.add_column(title, overflow="fold", no_wrap=title in {"id", "since", "state"})
    with _desk(config) as desk:
        for entry, at in desk.entries(everything=everything):
            since = datetime.fromtimestamp(at, UTC).isoformat(" ", "seconds")
            branches = ", ".join(f"{branch.shard} {branch.phase}" for branch in entry.branches)
            why = "; ".join(f"{branch.shard}: {branch.problem}" for branch in entry.branches if branch.problem)
            table.add_row(str(entry.id), since, entry.operation, entry.state, branches, why)
    wide_console().print(table)


@journal.command()
def retry(
    number: Number,
    header: Annotated[
        str | None, typer.Option("--header", "-H", help="`Name: value` to send instead, as a new Authorization.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let a stuck change go on. A running gateway sends it within a second."""
    with _desk(config) as desk:
        try:
            entry = desk.retry(number, header)
        except (StoreError, ShardgateError) as error:
            _stop(str(error))
    typer.echo(f"shardgate: change {number} ({entry.operation}) is {entry.state} again")


@journal.command()
def abandon(number: Number, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Give a change up. What shards have of it stays, and later changes no longer wait for it."""
    with _desk(config) as desk:
        try:
            entry = desk.abandon(number)
        except StoreError as error:
            _stop(str(error))
    typer.echo(f"shardgate: change {number} ({entry.operation}) is abandoned")


def _desk(config: Path) -> Desk:
    store = load_or_exit(config).store
    if store is None:
        _stop("the configuration names no `store`")
    return Desk(store)


def _stop(message: str) -> NoReturn:
    typer.echo(f"shardgate: {message}", err=True)
    raise typer.Exit(1)
