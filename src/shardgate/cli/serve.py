"""`shardgate serve`: run the gateway."""

import logging
from typing import Annotated

import msgspec
import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit
from shardgate.config.load import parse_listen
from shardgate.supervisor import Supervisor


def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    listen: Annotated[
        str | None, typer.Option(help="Host and port, instead of the file's.", metavar="HOST:PORT")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes, instead of the file's; 0: one a core.", min=0)] = None,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; what is under way is then still answered."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    loaded = load_or_exit(config)
    if workers is not None:
        loaded = msgspec.structs.replace(loaded, config=msgspec.structs.replace(loaded.config, workers=workers))
    if listen is not None:
        address = parse_listen(listen)
        if address is None:
            raise typer.BadParameter("write it as 127.0.0.1:8080", param_hint="--listen")
        loaded = msgspec.structs.replace(loaded, host=address[0], port=address[1])

    def ready(port: int, pids: list[int]) -> None:
        noun = "worker" if len(pids) == 1 else "workers"
        listed = ", ".join(map(str, pids))
        scheme = "https" if loaded.tls else "http"
        typer.echo(
            f"shardgate: ready on {scheme}://{loaded.host}:{port} over {len(loaded.shards)} shards, "
            f"{len(pids)} {noun} (pid {listed})"
        )

    try:
        raise typer.Exit(Supervisor(loaded).run(ready))
    except OSError as error:
        typer.echo(f"shardgate: cannot listen on {loaded.host}:{loaded.port}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
