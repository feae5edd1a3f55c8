"""`shardgate check`: is this configuration right?"""

import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit


def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Say whether the configuration is right: all mistakes at once, each with its place and its cure; exit code 1."""
    loaded = load_or_exit(config)
    served = [route for route in loaded.routes.routes if route.rule is not None]
    unserved = len(loaded.routes.routes) - len(served)
    typer.echo(
        f"shardgate: {config} is right: {len(loaded.shards)} shards, {len(served)} operations served"
        + (f", {unserved} declared unserved" if unserved else "")
    )
