"""`shardgate split`: reads the options, calls the splitter, and turns its end into an exit code."""

from typing import Annotated

import typer
from rich.console import Console

from shardgate.cli.console import wide_console
from shardgate.split.errors import SplitError, SplitRefusedError
from shardgate.split.request import (
    SplitRequest,
    StartMode,
    listed_names,
    name_targets,
    parse_link,
    parse_type,
)

EXAMPLE = """
Cut one application's database into several, by tenant.

Tables that belong to a tenant are found by their foreign keys, from the
--tenant table on; each of their rows goes to its tenant's shard. Tables that
belong to nobody are declared with --reference (copied whole to every shard)
or --empty (made without rows). The source is only read.

Example, three SQLite files out of one:

    shardgate split --source sqlite:///shop.db --tenant vendors
      --shards 3 --into-template 'sqlite:///shards/{shard}.db'
      --reference categories,countries --empty sessions
      --directory directory.db --plan

With --plan it prints what it would do, and ends. Without, it copies, verifies
every row and writes the directory. PostgreSQL on either side: name an empty
database for each shard, --into postgresql://user@host/shop_north and so on.
"""


def split(  # noqa: PLR0917 - one a flag
    source: Annotated[str, typer.Option(help="URL of the database to cut. It is only read.")],
    tenant: Annotated[str, typer.Option(help="Table whose rows are the tenants.")],
    directory: Annotated[str, typer.Option(help="File to write the directory (tenant → shard) into.")],
    into: Annotated[list[str] | None, typer.Option(help="URL of an empty database. Once for each shard.")] = None,
    shards: Annotated[int | None, typer.Option(min=1, help="How many shards, with --into-template.")] = None,
    into_template: Annotated[str | None, typer.Option(help="URL of every shard; {shard} stands for its name.")] = None,
    names: Annotated[list[str] | None, typer.Option(help="Names of the shards: north,south (else shard1,…).")] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Column of the tenants' table that names them (else its primary key)."),
    ] = None,
    reference: Annotated[list[str] | None, typer.Option(help="Tables to copy whole to every shard: a,b,c.")] = None,
    empty: Annotated[list[str] | None, typer.Option(help="Tables to make without rows: a,b,c.")] = None,
    link: Annotated[
        list[str] | None,
        typer.Option(help="A foreign key the database does not declare: orders.shop=shops.id."),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            help="What a column holds, between SQLite and PostgreSQL: events.id=uuid.",
        ),
    ] = None,
    space: Annotated[str | None, typer.Option(help="Name of the tenants in the directory (else as --tenant).")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Print what would be done, and end.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted split stopped.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Delete what an interrupted split made; begin again.")
    ] = False,
    batch_rows: Annotated[int, typer.Option(min=1, help="Rows held in memory at a time.")] = 5_000,
) -> None:
    errors = Console(stderr=True)
    try:
        if resume and restart:
            raise SplitRefusedError(["--resume and --restart: choose one"])
        mode = StartMode.RESUME if resume else StartMode.RESTART if restart else StartMode.NEW
        request = SplitRequest(
            source=source,
            tenant=tenant,
            targets=name_targets(into or [], into_template, shards, listed_names(names or [])),
            directory=directory,
            space=space or tenant,
            by=by,
            reference=listed_names(reference or []),
            empty=listed_names(empty or []),
            links=tuple(map(parse_link, link or [])),
            types=tuple(map(parse_type, types or [])),
            mode=mode,
            plan_only=plan,
            batch_rows=batch_rows,
        )
        _run(request)
    except SplitError as error:
        refused = isinstance(error, SplitRefusedError)
        what = "refused, nothing was written" if refused else "failed, the targets must not be used"
        errors.print(f"split: {what}", style="bold red", soft_wrap=True)
        for reason in error.reasons:
            errors.print(f"  - {reason}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        errors.print("split: interrupted. Run again with --resume or --restart", style="bold red")
        raise typer.Exit(130) from None


split.__doc__ = EXAMPLE


def _run(request: SplitRequest) -> None:
    """The splitter brings SQLAlchemy and psycopg, which no other command needs."""
    try:
        from shardgate.split.run import run_split  # noqa: PLC0415
    except ModuleNotFoundError as error:
        reason = f"the package {error.name} is missing. Install it: pip install 'shardgate[split]'"
        raise SplitRefusedError([reason]) from error
    run_split(request, wide_console())
