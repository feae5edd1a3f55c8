"""`shardgate explain`: what would become of a request."""

from typing import Annotated
from urllib.parse import urlsplit

import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit
from shardgate.process.wiring import explain_request


def explain(
    method: Annotated[str, typer.Argument(help="GET, POST, …", metavar="METHOD")],
    url: Annotated[str, typer.Argument(help="Path and query, or a whole URL.", metavar="URL")],
    body: Annotated[str, typer.Option("--body", "-d", help="The body, where the key is in it.")] = "",
    header: Annotated[list[str] | None, typer.Option("--header", "-H", help="`Name: value`; may repeat.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say which rule serves a request, which shards, what is asked of each and how it is merged. Asks no shard.

    Example: shardgate explain GET '/v3/events?order=-name&limit=20&offset=8000'
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines, code = explain_request(load_or_exit(config), method.upper(), target, header or [], body.encode())
    previous = ""
    for title, text in lines:
        typer.echo(f"{title if title != previous else '':<10} {text}")
        previous = title
    raise typer.Exit(code)
