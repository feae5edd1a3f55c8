"""`shardgate split`: reads the options, runs the split, and turns its result into an exit code."""

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
    parse_ids,
    parse_keep,
    parse_link,
    parse_type,
)

_AGAIN = "Run the same command with --resume to continue, or with --restart to begin again"


def split(  # noqa: PLR0917 - one a flag
    source: Annotated[str, typer.Option(help="URL of the database to split. It is only read.")],
    tenant: Annotated[str, typer.Option(help="The table whose rows are the tenants.")],
    directory: Annotated[
        str, typer.Option(help="The file for the directory, which says which shard has which tenant; or postgresql://…")
    ],
    into: Annotated[
        list[str] | None, typer.Option(help="URL of the empty database for a shard. Give it once for each shard.")
    ] = None,
    shards: Annotated[int | None, typer.Option(min=1, help="The number of shards, with --into-template.")] = None,
    into_template: Annotated[
        str | None, typer.Option(help="URL of all shards. {shard} is replaced by the name of each shard.")
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option(help="Names of the shards, as in north,south. Default: shard1,shard2,…")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="The column of the --tenant table that names a tenant in the directory. Default: its primary key."
        ),
    ] = None,
    reference: Annotated[
        list[str] | None, typer.Option(help="Tables to copy whole to every shard, as in countries,currencies.")
    ] = None,
    empty: Annotated[list[str] | None, typer.Option(help="Tables to create without rows, as in sessions,jobs.")] = None,
    link: Annotated[
        list[str] | None,
        typer.Option(help="A foreign key that the database does not declare, as in orders.shop=shops.id."),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            help="What a column holds, where SQLite and PostgreSQL differ, as in events.id=uuid.",
        ),
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="The name for this kind of tenant in the directory. Default: the --tenant table.")
    ] = None,
    unowned: Annotated[
        list[str] | None,
        typer.Option(help="Where rows without a tenant go, as in logs=all: all (every shard), none, or a shard."),
    ] = None,
    shared: Annotated[
        list[str] | None,
        typer.Option(
            help="Where rows with parents in two tenants go, as in deals=each: each (the shard of each of them,"
            " together with the rows they refer to), or the name of a shard."
        ),
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option(
            help="Give each shard ids of its own: step (every Nth id) or range=SIZE, as in range=1000000000."
            " Default: all shards go on from the same id."
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Print the plan and write nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted split where it stopped.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Delete what an interrupted split made, and begin again.")
    ] = False,
    batch_rows: Annotated[int, typer.Option(min=1, help="The number of rows that are in memory at a time.")] = 5_000,
) -> None:
    r"""Split the database of one application into several, by tenant.

    A tenant is what the data is divided by: a vendor, a customer, a school.
    Each shard gets the whole schema and the rows of its tenants. Foreign
    keys tell which tenant a row belongs to. A table from which no foreign
    key leads to the --tenant table needs --reference, --empty or --link.

    Example, one SQLite file into three:

        shardgate split --source sqlite:///shop.db --tenant vendors \
          --names north,south,west \
          --into-template 'sqlite:///shards/{shard}.db' \
          --reference categories,countries --empty sessions \
          --directory directory.db --plan

    --plan prints the plan, or everything that is wrong with it, and writes
    nothing. Without --plan, the rows are copied, then every row is read back
    and verified, and last the directory is written. The source is only read.
    The exit code is 0 if everything was verified, and 1 otherwise.

    For PostgreSQL, MySQL and MariaDB, create an empty database for each shard
    and name each of them: --into postgresql://user@host/north --into …
    PostgreSQL's schema is carried by its own pg_dump, if that is on the PATH.

    Next, start one instance of the application on each shard, and name the
    directory in shardgate.yaml.
    """
    errors = Console(stderr=True)
    try:
        if resume and restart:
            raise SplitRefusedError(["--resume and --restart: choose one of them"])
        mode = StartMode.RESUME if resume else StartMode.RESTART if restart else StartMode.NEW
        targets = name_targets(into or [], into_template, shards, listed_names(names or []))
        shard_names = [name for name, _ in targets]
        request = SplitRequest(
            source=source,
            tenant=tenant,
            targets=targets,
            directory=directory,
            space=space or tenant,
            by=by,
            reference=listed_names(reference or []),
            empty=listed_names(empty or []),
            links=tuple(map(parse_link, link or [])),
            types=tuple(map(parse_type, types or [])),
            unowned=parse_keep("--unowned", unowned or [], ["all", "none", *shard_names]),
            shared=parse_keep("--shared", shared or [], ["each", *shard_names]),
            ids=parse_ids(ids) if ids else None,
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
        errors.print(f"split: interrupted. {_AGAIN}", style="bold red", soft_wrap=True)
        raise typer.Exit(130) from None


def _run(request: SplitRequest) -> None:
    """Import the splitter late: it needs SQLAlchemy and the drivers of databases, which no other command needs."""
    try:
        from shardgate.split.run import run_split  # noqa: PLC0415

        run_split(request, wide_console())  # imports the driver of MySQL where a URL needs it
    except ModuleNotFoundError as error:
        reason = f"the package {error.name} is not installed. Install it: pip install 'shardgate[split]'"
        raise SplitRefusedError([reason]) from error
