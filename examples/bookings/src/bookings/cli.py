"""The command line: seed a database, serve it, print its document, hand out a token.

Never: holds logic of the platform.
"""

import sys
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Table

from bookings import server
from bookings.app import create_app
from bookings.clock import utc_now
from bookings.database import Database
from bookings.document import pretty
from bookings.identity.clients import SCOPES_OF, find_client
from bookings.identity.tokens import Tokens
from bookings.seed.loading import NotEmptyError, load, tables_of
from bookings.seed.platform import platform
from bookings.settings import Settings, database_url

app = typer.Typer(
    help="The reference platform: tours and activities, sold through partners.",
    no_args_is_help=True,
    add_completion=False,
)

DatabaseOption = Annotated[str, typer.Option("--db", help="A SQLite file, or the URL of a database.", metavar="URL")]


@app.command()
def seed(
    db: DatabaseOption = "bookings.db",
    scale: Annotated[float, typer.Option(min=0.0001, max=10, help="1 is 33,000 events.")] = 1.0,
    number: Annotated[int, typer.Option("--seed", help="The same number, the same rows.")] = 7,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Fill an empty database with the reference data."""
    columns = (
        TextColumn("{task.description:12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def progress(table: Table, done: int, total: int) -> None:
            if table.name not in tasks:
                tasks[table.name] = bars.add_task(table.name, total=total)
            bars.update(tasks[table.name], completed=done)

        try:
            load(database_url(db), platform(number, scale), progress, force=force)
        except NotEmptyError as error:
            bars.stop()
            _stop(f"{error} is not empty. Seed another one, or replace it with --force.")


@app.command()
def serve(
    db: DatabaseOption = "bookings.db",
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.")] = 8000,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log every request.")] = False,
) -> None:
    """Serve a seeded database until interrupted."""
    settings = Settings.load(db)
    _refuse_unseeded(settings.database)
    server.run(create_app(settings), host, port, access_log=access_log)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    print(pretty(create_app(Settings(database="sqlite://")).openapi()))


@app.command()
def token(
    client: Annotated[str, typer.Argument(help="The id of a client.")] = "marketplace",
    db: DatabaseOption = "bookings.db",
) -> None:
    """Print a new access token for a client, whatever token it had before."""
    settings = Settings.load(db)
    _refuse_unseeded(settings.database)
    tokens = Tokens(settings.secret, settings.token_lifetime_s, utc_now)
    with Database(settings.database).write() as connection:
        registered = find_client(connection, client)
        if registered is None:
            _stop(f"there is no client {client!r}")
        tokens.claim(connection, client, replace=True)
    print(tokens.issue(registered, SCOPES_OF[registered.kind]))


def _refuse_unseeded(url: str) -> None:
    if "usage" not in tables_of(url):
        _stop("the database has no tables. Fill it first: bookings seed --db …")


def _stop(message: str) -> NoReturn:
    print(f"bookings: {message}", file=sys.stderr)
    raise typer.Exit(1)
