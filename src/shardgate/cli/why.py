"""`shardgate why`: explains from the logs why a request failed."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from shardgate.observe.story import story


def why(
    request_id: Annotated[
        str, typer.Argument(help="The `request_id` in the error, or the client's X-Request-Id.", metavar="REQUEST_ID")
    ],
    log: Annotated[
        list[Path] | None,
        typer.Option(
            "--log", "-l", help="The gateway's log or its access log. Can be repeated. Default: standard input."
        ),
    ] = None,
) -> None:
    """Explain from the logs why a request failed.

    Examples:

        shardgate why 7f3a9c-1c --log gateway.log --log access.log
        journalctl -u shardgate | shardgate why 7f3a9c-1c

    Every error of the gateway has a `request_id`. The output has the
    request, the shards it was sent to, what failed and where, and what you
    can do about it. Lines that belong to other requests are ignored.

    The exit code is 1 if no line names the request.
    """
    lines = story(request_id, _lines(log or []))
    if not lines:
        typer.echo(f"shardgate: no line of the log or the access log names the request {request_id}", err=True)
        raise typer.Exit(1)
    previous = ""
    for title, text in lines:
        typer.echo(f"{title if title != previous else '':<10} {text}")
        previous = title


def _lines(logs: list[Path]) -> Iterator[str]:
    if not logs:
        yield from sys.stdin
    for log in logs:
        try:
            with log.open(encoding="utf-8", errors="backslashreplace") as file:
                yield from file
        except OSError as error:
            typer.echo(f"shardgate: {log} cannot be read: {error.strerror}", err=True)
            raise typer.Exit(1) from None
