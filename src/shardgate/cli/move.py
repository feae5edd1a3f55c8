"""`shardgate move`: moves tenants to another shard while the gateway serves them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit, wide_console
from shardgate.move.errors import GivenUpError, MoveError, MoveFailedError, MoveRefusedError

_HOW = {MoveFailedError: "stands still", GivenUpError: "given up, all is on the source as before"}

DatabaseOption = Annotated[
    list[str] | None,
    typer.Option("--database", help="URL of a shard's database, as in north=sqlite:///north.db. It may be repeated."),
]


def move(  # noqa: PLR0917 - one a flag
    tenants: Annotated[list[str] | None, typer.Argument(help="The tenants, as the directory names them.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="The shard that they move to.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    database: DatabaseOption = None,
    status: Annotated[bool, typer.Option("--status", help="Show the last movements.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a movement that stands still.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Let the movement under way stand still.")] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Give the movement up; the tenant stays.")] = False,
    undo: Annotated[int | None, typer.Option("--undo", help="Move the tenants of this movement back.")] = None,
) -> None:
    """Move tenants to another shard while the gateway serves them.

    Examples:

        shardgate move 4f2a --to west
        shardgate move --status
        shardgate move --undo 7

    The rows are copied while all goes on. Then changes of these tenants wait:
    the last rows are copied, all are written to the target and compared, the
    directory says the new shard, and the source deletes its rows. That took
    up to 0.5 s for 10,000 rows on two cores. Reads whose shard is known go on; lists wait at
    the end. What is checked before anything is touched: docs/howto/move.md.

    The section `movements` of shardgate.yaml says how the data is divided,
    and where the database of each shard is. A movement that was interrupted
    goes on with --resume.
    """
    with move_errors("move"):
        from shardgate.move import run  # noqa: PLC0415 - it needs SQLAlchemy and the drivers of databases

        settings = run.settings_from(load_or_exit(config), databases(database or []))
        console = wide_console()
        if status:
            run.show_status(settings, console)
        elif pause:
            typer.echo(f"movement {run.wish(settings, 'pause').id} pauses")
        elif resume:
            run.run_resume(settings, console)
        elif abandon:
            run.run_abandon(settings, console)
        elif undo is not None:
            run.run_undo(settings, undo, console)
        elif not tenants or to is None:
            raise MoveRefusedError(["name the tenants, and the shard with --to"])
        else:
            run.run_move(settings, tenants, to, console)


def databases(given: Sequence[str]) -> dict[str, str]:
    """The URLs of options, and those of variables `SHARDGATE_DATABASE_NORTH`. Raises MoveRefusedError."""
    found = {}
    for each in given:
        shard, equals, url = each.partition("=")
        if not equals:
            raise MoveRefusedError(["--database: write SHARD=URL"])
        found[shard] = url
    return found


@contextmanager
def move_errors(command: str) -> Iterator[None]:
    """Print what went wrong, and end with exit code 1."""
    errors = Console(stderr=True)
    try:
        yield
    except MoveError as error:
        what = _HOW.get(type(error), "refused, nothing was touched")
        errors.print(f"{command}: {what}", style="bold red", soft_wrap=True)
        for reason in error.reasons:
            errors.print(f"  - {reason}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except ModuleNotFoundError as error:
        errors.print(f"the package {error.name} is not installed. Install it: pip install 'shardgate[split]'")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        errors.print(f"{command}: interrupted. Go on with shardgate move --resume", style="bold red")
        raise typer.Exit(130) from None
