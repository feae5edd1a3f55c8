"""`shardgate explain`: shows what the gateway would do with a request."""

from typing import Annotated
from urllib.parse import urlsplit

import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit
from shardgate.process.explain import explain_request


def explain(
    method: Annotated[str, typer.Argument(help="GET, POST, PUT, …", metavar="METHOD")],
    url: Annotated[str, typer.Argument(help="The path with its query, or a whole URL.", metavar="URL")],
    body: Annotated[
        str, typer.Option("--body", "-d", help="The body. Needed if the rule reads a key or items from it.")
    ] = "",
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", help="A header field, `Name: value`. Can be repeated.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show what the gateway would do with a request.

    Examples:

        shardgate explain GET '/orders?sort=-name&limit=20&offset=8000'
        shardgate explain POST /orders --body '{"vendor": 7}'

    The output names the operation, the rule that serves it, the shards, the
    request to each of them, and how their replies are merged. No shard is
    contacted: where only a shard knows the owner of a key, the output shows
    the question that the shards would get.

    The exit code is 1 if the gateway would refuse the request itself. The
    output then has the error's code, which docs/errors.md explains.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines, code = explain_request(load_or_exit(config), method.upper(), target, header or [], body.encode())
    previous = ""
    for title, text in lines:
        typer.echo(f"{title if title != previous else '':<10} {text}")
        previous = title
    raise typer.Exit(code)
