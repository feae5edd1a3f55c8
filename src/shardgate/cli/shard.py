"""`shardgate shard` and `shardgate rebalance`: shards come and go, and tenants move to level them."""

from typing import Annotated

import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit, wide_console
from shardgate.cli.move import DatabaseOption, databases, move_errors

_HELP = """
Add a shard, drain one, or remove it, while the gateway serves.

    shardgate shard add west --database west=sqlite:///west.db
    (start an instance of the application on it; name it in shardgate.yaml,
    in `shards` and in `movements.databases`; kill -HUP the gateway)
    shardgate shard add west
    shardgate rebalance --apply

    shardgate shard drain west
    shardgate shard remove west
    (remove it from shardgate.yaml; kill -HUP the gateway)
"""

shard = typer.Typer(name="shard", no_args_is_help=True, help=_HELP)

ShardName = Annotated[str, typer.Argument(help="The name of the shard.", metavar="SHARD")]


@shard.command()
def add(
    name: ShardName,
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    like: Annotated[str | None, typer.Option(help="The shard whose schema it gets. Default: the first one.")] = None,
) -> None:
    """Make the database of a new shard, or bring its reference tables up to date.

    Example:

        shardgate shard add west --database west=sqlite:///west.db

    It gets the schema of another shard and the tables that every shard has
    whole. Run it again once the gateway knows the shard: what was changed in
    the meantime is then there, too.
    """
    with move_errors("shard add"):
        from shardgate.move import run  # noqa: PLC0415 - it needs SQLAlchemy and the drivers of databases

        settings = run.settings_from(load_or_exit(config), databases(database or []))
        run.run_add(settings, name, like, wide_console())


@shard.command()
def drain(
    name: ShardName,
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show the movements and make none.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Let it take new tenants again.")] = False,
) -> None:
    """Move all tenants of a shard to the others; new ones go elsewhere, too.

    Example:

        shardgate shard drain west
    """
    with move_errors("shard drain"):
        from shardgate.move import run  # noqa: PLC0415 - it needs SQLAlchemy and the drivers of databases

        settings = run.settings_from(load_or_exit(config), databases(database or []))
        run.run_drain(settings, name, wide_console(), plan_only=plan, stop=stop)


@shard.command()
def remove(name: ShardName, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Say whether a shard can be removed: whether nothing is on it any more.

    Example:

        shardgate shard remove west

    The exit code is 1 if it has a tenant, a part of an entity, or a change
    that is not over.
    """
    with move_errors("shard remove"):
        from shardgate.move import run  # noqa: PLC0415 - it needs SQLAlchemy and the drivers of databases

        run.run_remove(run.settings_from(load_or_exit(config), {}), name, wide_console())


def rebalance(
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show the movements and make none.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Make them.")] = False,
) -> None:
    """Move tenants until all shards have about as many rows.

    Examples:

        shardgate rebalance --plan
        shardgate rebalance --apply
    """
    with move_errors("rebalance"):
        from shardgate.move import run  # noqa: PLC0415 - it needs SQLAlchemy and the drivers of databases

        settings = run.settings_from(load_or_exit(config), databases(database or []))
        run.run_rebalance(settings, wide_console(), apply=apply and not plan)
