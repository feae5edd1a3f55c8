"""`shardgate check`: says whether a configuration is valid, and which of its choices are dangerous."""

from collections import Counter
from typing import Annotated

import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit
from shardgate.core.routes.template import base_of
from shardgate.process.descriptors import shortage
from shardgate.process.preflight import audit


def check(
    config: ConfigOption = DEFAULT_CONFIG,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 1 if there are warnings.")] = False,
) -> None:
    """Check a configuration without starting the gateway.

    Example:

        shardgate check --config shardgate.yaml

    A valid configuration is summed up in one line, and the exit code is 0.
    Otherwise every mistake is listed with its file, its line and what to
    write instead, and the exit code is 1. No shard is contacted.

    A choice that is valid and dangerous is a warning with a number, such as
    SGA10, its line, why it is dangerous, and what to do. The exit code is
    still 0, except with --strict. A warning that does not apply is named in
    the configuration: `accepted_risks: {SGA10: "behind a firewall"}`.

    Variables of the environment win over the configuration, and are checked
    with it: SHARDGATE_LISTEN for `listen`, SHARDGATE_SHARDS for all shards.
    Those that are set are listed.

    Next, `shardgate routes` shows how each operation is served, and
    `shardgate serve` starts the gateway.
    """
    loaded = load_or_exit(config)
    warnings = audit(loaded)
    for warning in warnings:
        typer.echo(warning.text(), err=True)
    served = [route for route in loaded.routes.routes if route.rule is not None]
    unserved = len(loaded.routes.routes) - len(served)
    typer.echo(
        f"shardgate: {config} is valid: {len(loaded.shards)} shards, {len(served)} operations served"
        + (f", {unserved} declared unserved" if unserved else "")
    )
    implied = {route.name for route in loaded.routes.implied}
    for name, covered in Counter(loaded.routes.covered.values()).items():
        if base_of(name) is not None and name not in implied:
            typer.echo(f"shardgate: operations of the document that have the rule of {name}: {covered}")
    if loaded.variables:
        typer.echo(f"shardgate: given by the environment: {', '.join(loaded.variables)}")
    if said := shortage(loaded):
        typer.echo(f"shardgate: {said}", err=True)
    if warnings:
        count = f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}"
        typer.echo(f"shardgate: {count} in {config}; docs/reference/audit.md explains each number", err=True)
        if strict:
            raise typer.Exit(1)
