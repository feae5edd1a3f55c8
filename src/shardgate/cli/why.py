"""`shardgate why`: what became of a request that failed, and why."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from shardgate.observe.story import story


def why(
    request_id: Annotated[
        str, typer.Argument(help="The `request_id` of the error, or the client's X-Request-Id.", metavar="REQUEST_ID")
    ],
    log: Annotated[
        list[Path] | None,
        typer.Option("--log", "-l", help="The gateway's log or its access log; may repeat. Without: standard input."),
    ] = None,
) -> None:
    """Tell the story of one request: what it asked, which shards it was sent to, what failed, where, and what to do.

    Example: journalctl -u shardgate | shardgate why 7f3a9c-1c
    """
    told = story(request_id, _lines(log or []))
    if not told:
        typer.echo(f"shardgate: no line of the log or the access log names the request {request_id}", err=True)
        raise typer.Exit(1)
    previous = ""
    for title, text in told:
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
