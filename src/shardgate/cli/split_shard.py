"""`shardgate split-shard`: divides the tenants of one shard over it and new ones."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit, wide_console
from shardgate.cli.move import DatabaseOption, databases, move_errors
from shardgate.move.errors import MoveRefusedError

Weight = Literal["rows", "load"]


def split_shard(  # noqa: PLR0917 - one a flag
    name: Annotated[str, typer.Argument(help="The shard that has become too large.", metavar="SHARD")],
    into: Annotated[str, typer.Option("--into", help="The new shards, with commas: west,coast.")],
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    by: Annotated[Weight, typer.Option("--by", help="What all shards get about as much of.")] = "rows",
    log: Annotated[
        list[Path] | None,
        typer.Option("--log", help="For --by load: access logs, or files of tenants and numbers. It may be repeated."),
    ] = None,
    keep: Annotated[list[str] | None, typer.Option("--keep", help="A tenant that stays. It may be repeated.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show the movements and make none: so without --apply.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Make them.")] = False,
) -> None:
    """Divide the tenants of one shard over it and new shards.

    Examples:

        shardgate split-shard north --into west
        shardgate split-shard north --into west,coast --apply
        shardgate split-shard north --into west --by load --log access.log

    Tenants leave until each shard has about the same number of rows, or takes
    about the same time for requests. Tenants with rows in common, such as an
    order over two of them, leave together. All is checked before the first
    one moves; then each moves as by shardgate move, while the gateway serves.
    The new shards are made first: shardgate shard add.
    """
    with move_errors("split-shard"):
        from shardgate.move import run, splitting  # noqa: PLC0415 - it needs SQLAlchemy and the drivers of databases

        if (by == "load") != bool(log):
            raise MoveRefusedError(["--by load and --log go together: the logs say what the load is"])
        settings = run.settings_from(load_or_exit(config), databases(database or []))
        new = [each.strip() for each in into.split(",") if each.strip()]
        found = splitting.plan_split(settings, name, new, keep or [], log or [])
        run.run_split_shard(settings, found, wide_console(), apply=apply and not plan)
