"""`shardgate check`: says whether a configuration is valid."""

import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit
from shardgate.process.descriptors import shortage


def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check a configuration without starting the gateway.

    Example:

        shardgate check --config shardgate.yaml

    A valid configuration is summed up in one line, and the exit code is 0.
    Otherwise every mistake is listed with its file, its line and what to
    write instead, and the exit code is 1. No shard is contacted.

    Next, `shardgate routes` shows how each operation is served, and
    `shardgate serve` starts the gateway.
    """
    loaded = load_or_exit(config)
    served = [route for route in loaded.routes.routes if route.rule is not None]
    unserved = len(loaded.routes.routes) - len(served)
    typer.echo(
        f"shardgate: {config} is valid: {len(loaded.shards)} shards, {len(served)} operations served"
        + (f", {unserved} declared unserved" if unserved else "")
    )
    if said := shortage(loaded):
        typer.echo(f"shardgate: {said}", err=True)
