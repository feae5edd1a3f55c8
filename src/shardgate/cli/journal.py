"""`shardgate journal`: lists changes that have not ended, and lets the operator retry or abandon one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit, wide_console
from shardgate.core.errors import ShardgateError
from shardgate.store.database import StoreError
from shardgate.store.desk import Desk

_HELP = """
List the changes that have not ended, and retry or abandon one of them.

A change that several shards need is written to the journal before any shard
gets it. Most changes end within milliseconds. One that waits for a shard
ends by itself once the shard is back. One that is stuck needs you:

    shardgate journal list
    shardgate journal retry 17
    shardgate journal abandon 17

`list` shows why a change is stuck. Correct the cause on the shard, then
`retry` it; or `abandon` it, if it must not be finished.
"""

journal = typer.Typer(name="journal", no_args_is_help=True, help=_HELP)

ChangeId = Annotated[int, typer.Argument(help="The id of the change, as `list` shows it.", metavar="ID")]


@journal.command("list")
def list_entries(
    config: ConfigOption = DEFAULT_CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="Include the changes that have ended.")] = False,
) -> None:
    """List the changes that have not ended, with their state on each shard.

    Example:

        shardgate journal list

    trying: a shard has not said whether it made the change; it is asked
      until it answers.
    finishing: the change is decided; a shard that is down gets it when it
      is back.
    undoing: the change is taken back; a shard that is down takes it back
      when it is back.
    stuck: a shard gave an answer that the gateway cannot judge. The column
      `why` has the answer. Look at the shard, then `retry` or `abandon`.
    """
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
    number: ChangeId,
    header: Annotated[
        str | None,
        typer.Option("--header", "-H", help="A header field to replace, `Name: value`, as for a new Authorization."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Continue a stuck change.

    Examples:

        shardgate journal retry 17
        shardgate journal retry 17 -H 'Authorization: Bearer NEW-TOKEN'

    A running gateway sends the next request of the change within a second.
    Give new credentials if the shard answered 401, because those of the
    client have expired. Then see `shardgate journal list` again.
    """
    with _desk(config) as desk:
        try:
            entry = desk.retry(number, header)
        except (StoreError, ShardgateError) as error:
            _stop(str(error))
    typer.echo(f"shardgate: change {number} ({entry.operation}) is {entry.state} again")


@journal.command()
def abandon(number: ChangeId, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Give up a change that has not ended.

    Example:

        shardgate journal abandon 17

    The gateway sends nothing more of this change. A shard that has made it
    keeps it, so the shards may differ: correct them by hand. Later changes
    no longer wait for this one.
    """
    with _desk(config) as desk:
        try:
            entry = desk.abandon(number)
        except StoreError as error:
            _stop(str(error))
    typer.echo(f"shardgate: change {number} ({entry.operation}) is abandoned")


def _desk(config: Path) -> Desk:
    store = load_or_exit(config).store
    if store is None:
        _stop(f"{config} names no `store`, so there is no journal. Add `store: FILE`, or `store: postgresql://…`")
    try:
        return Desk(store)
    except StoreError as error:
        _stop(str(error))


def _stop(message: str) -> NoReturn:
    typer.echo(f"shardgate: {message}", err=True)
    raise typer.Exit(1)
